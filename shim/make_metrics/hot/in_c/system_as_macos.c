/* All that the launcher for macOS does around a line (posix.c), and /proc in the place of what macOS tells about
 * processes. It is never installed: `python -m ci.conformance --shim as-macos` builds it, and runs it on Linux. */

#include "posix.c"
#define ASKS true
#include "proc.c"
