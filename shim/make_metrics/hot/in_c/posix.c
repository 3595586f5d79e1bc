/* What POSIX has in place of what Linux alone has. */

#include <spawn.h>

#define vfork fork /* not in POSIX any more */
#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())
/* Here CLOCK_MONOTONIC is the wall clock less the time of the boot, and jumps when the clock is set. The raw one does
 * not, and goes on while the machine sleeps. */
#undef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW
#define SINCE_BOOT CLOCK_MONOTONIC
#define POLICY "/Library/Application Support/make-metrics/policy.toml"
#define STATE_BELOW_HOME "/Library/Application Support/make-metrics"
#define DATA_BELOW_HOME "Library/Application Support"
#define CONFIG_BELOW_HOME "Library/Application Support"
#else
#define SINCE_BOOT CLOCK_BOOTTIME
#define POLICY "/etc/make-metrics/policy.toml"
#define STATE_BELOW_HOME "/.local/state/make-metrics"
#define DATA_BELOW_HOME ".local/share"
#define CONFIG_BELOW_HOME ".config"
#endif
#define WALKS false

/* No make looks for the name of a file that tells it something: it cannot ask who it is. */
static char *name_of_make(const char *kind, pid_t make)
{
    (void)make, (void)kind;
    return NULL;
}

static char *mark_of(pid_t make, const char *launcher) { return name_of_make(launcher, make); }

static void know_boot_offset(int64_t offset) { (void)offset; }

/* Start a program with our initial signal mask; gives its pid, or -1 with errno set. */
static pid_t spawn(const char *path, char **command, char **environment, const sigset_t *mask)
{
    posix_spawnattr_t attributes;
    pid_t child = -1;
    int error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        if (error == 0)
            error = posix_spawnattr_setsigmask(&attributes, mask);
        if (error == 0)
            error = posix_spawn(&child, path, NULL, &attributes, command, environment);
        posix_spawnattr_destroy(&attributes);
    }
    errno = error;
    return error == 0 ? child : -1;
}

static volatile sig_atomic_t taken;      /* the signal that was taken last */
static volatile sig_atomic_t taken_from; /* the process that sent it; 0 if the system does not say */

static void note_signal(int number, siginfo_t *info, void *context)
{
    (void)context;
    taken = number;
    taken_from = info->si_pid;
}

/* Take one of the blocked signals, and say which process sent it, as far as the system knows; -1 if none has come.
 * Waits for one if `wait` is true; -1 then means that we were stopped and continued. macOS has no sigwaitinfo, and only
 * a handler is told who sent a signal. The system keeps one sender for all signals that are pending. */
static int take_signal(const sigset_t *signals, bool wait, pid_t *sender)
{
    static bool has_handlers;
    sigset_t pending, mask;
    bool is_pending = false;
    struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO, .sa_mask = *signals};
    sigpending(&pending);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    for (size_t at = 0; at <= COUNT(waited_for); at++) {
        int number = at < COUNT(waited_for) ? waited_for[at] : SIGCHLD;
        if (sigismember(signals, number) != 1)
            continue;
        if (!has_handlers)
            sigaction(number, &action, NULL);
        sigdelset(&mask, number);
        is_pending = is_pending || sigismember(&pending, number) == 1;
    }
    has_handlers = true;
    taken = -1;
    if (wait || is_pending)
        sigsuspend(&mask); /* one handler runs, which blocks the others */
    *sender = taken_from > 0 ? taken_from : UNKNOWN_SENDER;
    return taken;
}

/* The largest memory that a process has had, in KiB; macOS counts bytes. */
static int64_t peak_kib(const struct rusage *usage)
{
#ifdef __APPLE__
    return usage->ru_maxrss / 1024;
#else
    return usage->ru_maxrss;
#endif
}

/* A pipe that no program inherits. */
static int open_pipe(int fds[2])
{
    return pipe(fds) < 0 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) < 0 ? -1 : fcntl(fds[1], F_SETFD, FD_CLOEXEC);
}

/* Keep no descriptor of make's: its job server, and whatever else the recipe may use. */
static void close_others(void)
{
    for (int fd = 3; fd < 65536; fd++)
        close(fd);
}

static pid_t own_pid(void) { return getpid(); }

static pid_t parent_pid(void) { return getppid(); }

static int64_t boot_offset_ns(void) { return 0; } /* there are no time namespaces */

#ifndef AS_MACOS
/* The random id of this boot: unknown. */
static const char *boot_id(void) { return ""; }

static uint64_t own_namespace(void) { return 0; }
#endif

/* Our words stay in the list of processes: the walk reads the target there. */
static char **show_title(int count, char **words, pid_t parent)
{
    (void)count, (void)words, (void)parent;
    return NULL;
}

static void show_target(const char *target) { (void)target; }

static char *shown_target(pid_t pid)
{
    (void)pid;
    return NULL;
}

static bool imports(pid_t pid, const char *name)
{
    (void)pid, (void)name;
    return true;
}

static bool output_of(pid_t pid, struct stat *status)
{
    (void)pid, (void)status;
    return false;
}
