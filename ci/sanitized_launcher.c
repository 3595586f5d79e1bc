/* The launcher for a build with sanitizers. Memory is never freed, on purpose. */
#include "../shim/make_metrics/hot/launcher.c"

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
