/*
 * The launcher: one recipe line, run and recorded as hot/line.py does it, without the start of an interpreter.
 *
 *     launcher PYTHON -I -S ENTRY mm1 t:... g:... m:... h:... e:... COUNT SHELL... FLAGS... LINE
 *
 * The words after the launcher's name are the command line of the Python shim (hot/arguments.py). The Python shim is
 * the reference: a line looks the same through either, in the build and in the record.
 *
 * Its parts stand in in_c/, each named after the Python module of make_metrics/hot that does the same. They are one
 * program for the compiler: it sees every call, and no part has a header to keep. system_*.c alone ask the system about
 * processes: one for each system, and system_none.c, which asks nothing. posix.c has what all but Linux share.
 *
 * Invariants:
 *
 *  1. Rare cases are left to the Python shim: the launcher becomes it. These are: no state directory yet, a make that
 *     root runs below another user's make, a program that cannot be started while make speaks another
 *     language, and words that the fragment does not write. The launcher decides before it starts or changes anything,
 *     so the Python shim finds signals, descriptors and environment as make left them. The launcher first asks the
 *     Python shim whether it runs: an interpreter may be gone, replaced, or half upgraded. Without Python the line runs
 *     and is not recorded. The walk of a make's first line (in_c/walk.c) has a process of its own, beside the line; for
 *     what is rare there that process becomes the Python walk.
 *  2. The line gets exactly the descriptors that make left open: all that the launcher opens is close-on-exec. While
 *     the line starts only the file in memory that shows the target is open.
 *  3. Signals are blocked before the line starts and are then waited for one by one: none can arrive between a check
 *     and a wait.
 *  4. After the start no bookkeeping can fail the line, delay its end by more than the lock's patience, or print. The
 *     launcher prints only make's message for a program that cannot be started and, in a terminal after the line has
 *     ended, the invitation that the walk may have left in the marker (docs/decisions/0007).
 *  5. An entry is written with the record's lock held (flock(2) on <run>.lock), by one write that is undone if it was
 *     short; without the lock, into a record file of its own (hot/append.py).
 *  6. Memory is never freed: the process ends before that could matter.
 *
 * Built by ci/build_launcher.py, for Linux and macOS. On Linux without /proc every line runs unrecorded. Functions give
 * false, NULL or -1 for "cannot"; main() and run_line() say what then happens.
 */
#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "in_c/constants.h"

#include "in_c/memory.c"
#include "in_c/record_format.c"
#include "in_c/file.c"
#if defined(ASKS_NOTHING)
#include "in_c/system_none.c"
#elif defined(AS_MACOS) && defined(__linux__)
#include "in_c/system_as_macos.c"
#elif defined(__linux__)
#include "in_c/system_linux.c"
#elif defined(__APPLE__)
#include "in_c/system_macos.c"
#else
#error "use -DASKS_NOTHING: what this system tells about processes is not known"
#endif

#include "in_c/arguments.c"
#include "in_c/split_words.c"
#include "in_c/environment.c"
#include "in_c/text.c"
#include "in_c/process_tree.c"
#include "in_c/command.c"
#include "in_c/exec_error.c"
#include "in_c/become.c"
#include "in_c/state_dir.c"
#include "in_c/append.c"
#include "in_c/recorder.c"
#include "in_c/known_make.c"
#include "in_c/line.c"

#include "in_c/command_words.c"
#include "in_c/git_head.c"
#include "in_c/project_root.c"
#include "in_c/traceparent.c"
#include "in_c/limits.c"
#include "in_c/gate.c"
#include "in_c/header.c"
#include "in_c/sender.c"
#include "in_c/walk.c"

/* entry.py: make's door. */
#ifndef LAUNCHER_WITHOUT_MAIN
int main(int count, char **words)
{
    struct arguments arguments;
    struct recorder recorder = {.parent = getppid(), .program = words[0]};
    if (count == 2 && equal(words[1], PROTOCOL)) /* set-up or trampoline.sh asks whether this program runs here */
        return write(1, ANSWER, strlen(ANSWER)) < 0;
    if (count == 3 && equal(words[1], PROTOCOL) && equal(words[2], ASKS_FOR_CHANGES))
        return !tell_changes(environ, parent_pid());
#ifdef STARTS_SENDERS
    if (is_sender(count, words))
        wait_and_send(words);
#endif
    bool parsed = count > 5 && parse_arguments(&arguments, count - 5, words + 5);
    if (parsed) {
        recorder.python = join(words[1], "", "");
        recorder.entry = join(words[4], "", "");
        parsed = recorder.python != NULL && recorder.entry != NULL;
        arguments.shim = words + 1;
    }
    bool is_known = parsed && knows_make(&recorder, &arguments, environ);
    if (!is_known)
        recorder.shown_parent = parent_pid();
    char **environment = parsed ? restored_environment(environ, &arguments, recorder.shown_parent) : NULL;
    if (environment != NULL) {
        if (!is_recipe_line(&arguments, environment, recorder.shown_parent))
            become(&arguments, environment, false);
        if (recorder.shown_parent == 0 || (!is_known && records_nothing(&arguments, environment)))
            become(&arguments, environment, true);
        /* A target's name that is not ASCII is hashed as text, which the Python shim makes of it. */
        bool is_plain = !arguments.traced || is_ascii(arguments.target);
        if (is_plain && (is_known || open_recorder(&recorder, &arguments, environment)))
            run_line(&arguments, environment, &recorder, count, words);
    }
    if (count > 4)
        become_python(words + 1);
    if (parsed) /* the Python shim does not run: run the line, unrecorded */
        become(&arguments, environment == NULL ? environ : environment, true);
    return 127;
}
#endif
