/* A system of which nothing is known but POSIX, and nothing is asked: the walk in Python names the make of each line.
 *
 * `python -m ci.conformance --shim posix` builds it on Linux: all that macOS shares with it is tested there. */

#include "posix.c"

#define ASKS false /* a line has a marker of its own, as the key of its make is not known */

struct process {
    pid_t pid, parent;
    unsigned long long start;
};

static char *environment_of(pid_t pid, size_t *length)
{
    (void)pid;
    *length = 0;
    return NULL;
}

static char *command_line_of(pid_t pid, size_t *length) { return environment_of(pid, length); }

static char *directory_of(pid_t pid)
{
    (void)pid;
    return NULL;
}

static bool find_process(pid_t pid, struct process *process)
{
    (void)pid, (void)process;
    return false;
}

static bool write_key(const struct process *process, char key[KEY_MAX])
{
    (void)process, (void)key;
    return false;
}

static bool process_key(pid_t pid, char key[KEY_MAX])
{
    (void)pid, (void)key;
    return false;
}

static int64_t start_time_ns(const struct process *process)
{
    (void)process;
    return 0;
}
