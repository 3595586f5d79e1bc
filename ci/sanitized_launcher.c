/* The launcher for a build with sanitizers, without the leak check: the launcher never frees memory, on purpose. */
#include "../shim/make_metrics/hot/launcher.c"

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
