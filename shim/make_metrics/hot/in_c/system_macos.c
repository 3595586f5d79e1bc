/* What is asked of macOS about processes: sysctl(3), and proc_pidinfo of libproc.h.
 *
 * It compiles for arm64 and x86-64 without a warning; it has not run on a Mac (docs/platforms.md). Until it has, the
 * walk is Python's: WALKS in posix.c. */

#include "posix.c"
#include "process_arguments.c"

#include <libproc.h>
#include <sys/sysctl.h>

#define ASKS true

/* A process: its start in microseconds since the epoch, and the process that started it. */
struct process {
    pid_t pid, parent;
    unsigned long long start;
};

/* Look a process up; false if it is gone. */
static bool find_process(pid_t pid, struct process *process)
{
    struct kinfo_proc info;
    size_t size = sizeof info;
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
    if (sysctl(name, COUNT(name), &info, &size, NULL, 0) < 0 || size == 0)
        return false;
    /* As psutil computes it, whose walk writes the same key: seconds as a double, and then microseconds, cut off. */
    double seconds = (double)info.kp_proc.p_starttime.tv_sec + (double)info.kp_proc.p_starttime.tv_usec / 1000000.0;
    *process = (struct process){pid, info.kp_eproc.e_ppid, (unsigned long long)(seconds * 1000000.0)};
    return true;
}

/* Write the key of a process, as processes/keys.py: macOS has no id of a boot. False if it is too long. */
static bool write_key(const struct process *process, char key[KEY_MAX])
{
    return snprintf(key, KEY_MAX, "00000000.%d.%llu", (int)process->pid, process->start) < KEY_MAX;
}

/* The key of a process; false if it is gone. */
static bool process_key(pid_t pid, char key[KEY_MAX])
{
    struct process process;
    return find_process(pid, &process) && write_key(&process, key);
}

/* When a process was started, in nanoseconds since the epoch. */
static int64_t start_time_ns(const struct process *process) { return (int64_t)process->start * 1000; }

/* What the system keeps of a process's start; false if it does not tell it, as of another user's process. */
static bool read_process_arguments(pid_t pid, char **words, size_t *words_length, char **environment,
                                   size_t *environment_length)
{
    int room = 0, largest[] = {CTL_KERN, KERN_ARGMAX}, name[] = {CTL_KERN, KERN_PROCARGS2, pid};
    size_t size = sizeof room;
    if (sysctl(largest, COUNT(largest), &room, &size, NULL, 0) < 0 || room <= 0)
        return false;
    size = (size_t)room;
    char *buffer = malloc(size);
    return buffer != NULL && sysctl(name, COUNT(name), buffer, &size, NULL, 0) == 0 &&
           parse_process_arguments(buffer, size, words, words_length, environment, environment_length);
}

/* The environment that a process was started with, a NUL behind each variable; NULL if it cannot be read. */
static char *environment_of(pid_t pid, size_t *length)
{
    char *words, *environment;
    size_t words_length;
    return read_process_arguments(pid, &words, &words_length, &environment, length) ? environment : NULL;
}

/* The command line of a process, a NUL behind each word; NULL if it cannot be read. */
static char *command_line_of(pid_t pid, size_t *length)
{
    char *words, *environment;
    size_t environment_length;
    return read_process_arguments(pid, &words, length, &environment, &environment_length) ? words : NULL;
}

/* The directory that a process works in; NULL if it cannot be read. */
static char *directory_of(pid_t pid)
{
    struct proc_vnodepathinfo paths;
    if (proc_pidinfo(pid, PROC_PIDVNODEPATHINFO, 0, &paths, sizeof paths) != (int)sizeof paths)
        return NULL;
    return join(paths.pvi_cdir.vip_path, "", "");
}
