/* What is asked of Linux about processes (proc.c), and what Linux alone has. */

#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

/* Whether the walk in C finds the makes above a line; whether the system is asked about processes at all: a line whose
 * make it does not tell is then left to the Python shim. */
#define WALKS true
#define ASKS true
#define STARTS_SENDERS
#define SINCE_BOOT CLOCK_BOOTTIME /* goes on while the machine sleeps */
#define POLICY "/etc/make-metrics/policy.toml"
#define STATE_BELOW_HOME "/.local/state/make-metrics"
#define DATA_BELOW_HOME ".local/share"
#define CONFIG_BELOW_HOME ".config"

/* How far CLOCK_BOOTTIME is ahead of the machine's here: the offset of our time namespace, in nanoseconds. */
static int64_t boot_offset;
static bool boot_offset_is_known;

static int64_t boot_offset_ns(void)
{
    struct stat namespace;
    if (!boot_offset_is_known && stat("/proc/self/ns/time", &namespace) == 0 &&
        (uint64_t)namespace.st_ino != INITIAL_TIME_NAMESPACE) {
        const char *name = "boottime", *text = read_file("/proc/self/timens_offsets", NULL);
        const char *line = text == NULL ? NULL : strstr(text, name);
        long long seconds, ns;
        if (line != NULL && sscanf(line + strlen(name), "%lld %lld", &seconds, &ns) == 2)
            boot_offset = (int64_t)seconds * 1000000000 + ns;
    }
    boot_offset_is_known = true;
    return boot_offset;
}

/* Another process in our time namespace has found it out. */
static void know_boot_offset(int64_t offset)
{
    boot_offset = offset;
    boot_offset_is_known = true;
}

/* This process's pid as /proc shows it; 0 if it shows none, or without /proc. */
static pid_t own_pid(void)
{
    char self[16] = "";
    return readlink("/proc/self", self, sizeof self - 1) < 0 ? 0 : (pid_t)strtol(self, NULL, 10);
}

#include "proc.c"

/* Which file a process has as standard output; false if unknown. */
static bool output_of(pid_t pid, struct stat *status)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)pid);
    return stat(path, status) == 0;
}

/* Whether the program that a process runs imports a function by this name; true if unknown. */
static bool imports(pid_t pid, const char *name)
{
    size_t length = 0, size = strlen(name) + 1; /* with its NUL */
    const char *program = read_process_file(pid, "exe", &length);
    for (size_t at = 1; program != NULL && at + size <= length; at++)
        if (program[at - 1] == '\0' && memcmp(program + at, name, size) == 0)
            return true;
    return program == NULL;
}

/* The pid of our parent as /proc shows it; 0 if it shows none, or without /proc. */
static pid_t parent_pid(void)
{
    pid_t own = own_pid();
    struct process process;
    if (own == getpid())
        return getppid();
    return own != 0 && find_process(own, &process) ? process.parent : 0;
}

/* The name of a file about a make, by which that make finds it: section 11 of the fragment writes the same. NULL if it
 * is gone. */
static char *name_of_make(const char *kind, pid_t make)
{
    struct process process;
    char number[64];
    char *beginning = find_process(make, &process) ? join(kind, ".", boot_id()) : NULL;
    if (beginning == NULL)
        return NULL;
    snprintf(number, sizeof number, ".%d.%llu", (int)make, process.shown_start);
    return join(beginning, number, "");
}

/* The name of the file that tells a make that this launcher runs; NULL without one. */
static char *mark_of(pid_t make, const char *launcher)
{
    char *name = name_of_make("tried", make), *suffix = join(launcher, "", "");
    for (char *at = suffix; at != NULL && *at != '\0'; at++)
        if (*at == '/')
            *at = '+';
    return name == NULL || suffix == NULL ? NULL : join(name, ".", suffix);
}

/* Wait until the process that a key names has ended; false if the system has no way to wait for it. */
static bool wait_for_end(const char *key)
{
    char now[KEY_MAX];
    const char *mark = strchr(key, '.');
    pid_t pid = mark == NULL ? 0 : (pid_t)strtol(mark + 1, NULL, 10);
    if (pid <= 0 || own_pid() != getpid()) /* or /proc is that of another pid namespace */
        return false;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return errno == ESRCH;
    /* Compare the key only now: the descriptor stays with this process, whoever gets its pid later. */
    if (process_key(pid, now) && equal(now, key)) {
        struct pollfd end = {.fd = fd, .events = POLLIN};
        while (poll(&end, 1, -1) < 0)
            if (errno != EINTR)
                return false;
    }
    close(fd);
    return true;
}

/* Whether a process of a group may be a shim, whose make has been killed. */
static bool shims_may_remain(pid_t group)
{
    DIR *directory = group > 0 ? opendir("/proc") : NULL;
    bool may = group > 0 && directory == NULL;
    for (struct dirent *entry; directory != NULL && !may && (entry = readdir(directory)) != NULL;) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        size_t length = 0;
        char *text = pid > 0 && getpgid(pid) == group ? command_line_of(pid, &length) : NULL;
        may = text != NULL && (memmem(text, length, TITLE, strlen(TITLE)) != NULL ||
                               memmem(text, length, PROTOCOL, strlen(PROTOCOL)) != NULL);
    }
    if (directory != NULL)
        closedir(directory);
    return may;
}

/* Whether process 1 is a program that is made to reap every orphan. */
static bool first_process_reaps(void)
{
    char *name = own_pid() == getpid() ? read_process_file(1, "comm", NULL) : NULL;
    if (name == NULL) /* hidden, or that of another pid namespace */
        return false;
    name[strcspn(name, "(\n")] = '\0';
    return is_among(reapers, COUNT(reapers), name);
}

/* Say in the list of processes who we are, and nothing else: a recipe's `pkill -f NAME` must not find the launcher,
 * which does not exist without the include line. The kernel keeps a program's words in one piece; gives them in memory
 * of their own, NULL without memory. */
static char **show_title(int count, char **words, pid_t parent)
{
    size_t room = (size_t)(words[count - 1] + strlen(words[count - 1]) + 1 - words[0]);
    char **copies = calloc((size_t)count + 1, sizeof *copies), *text = malloc(room);
    if (copies == NULL || text == NULL)
        return NULL;
    memcpy(text, words[0], room);
    for (int at = 0; at < count; at++)
        copies[at] = text + (words[at] - words[0]);
    memset(words[0], '\0', room);
    snprintf(words[0], room, "%s%d", TITLE, (int)parent);
    prctl(PR_SET_NAME, NAME);
    return copies;
}

/* The target that a launcher shows among its descriptors; NULL if they cannot be read, or none shows one. */
static char *shown_target(pid_t pid)
{
    char path[64], name[NAME_MAX + 64], *target = NULL;
    const char *shown = "/memfd:" TARGET_FILE, *removed = " (deleted)";
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory != NULL && target == NULL && (entry = readdir(directory)) != NULL;) {
        ssize_t length = readlinkat(dirfd(directory), entry->d_name, name, sizeof name - 1);
        if (length < (ssize_t)(strlen(shown) + strlen(removed)) || strncmp(name, shown, strlen(shown)) != 0)
            continue;
        name[(size_t)length - strlen(removed)] = '\0';
        char file[NAME_MAX + 96];
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        char *word = name[strlen(shown)] == '\0' ? read_file(file, NULL) : name + strlen(shown);
        target = word == NULL ? NULL : decode(word);
    }
    if (directory != NULL)
        closedir(directory);
    return target;
}

/* Tell a make that this line starts for which target it does (processes/tree.py): as the name of a file in memory,
 * which stands among our descriptors; a long target is the file's content. It is close-on-exec: the line does not get
 * it. */
static void show_target(const char *target)
{
    char *name = malloc(strlen(TARGET_FILE) + 3 * strlen(target) + 2);
    if (name == NULL)
        return;
    *encode(name + sprintf(name, "%s", TARGET_FILE), target) = '\0';
    if (memfd_create(name, MFD_CLOEXEC) >= 0 || errno != EINVAL)
        return;
    int fd = memfd_create(TARGET_FILE, MFD_CLOEXEC);
    if (fd >= 0 && write(fd, name + strlen(TARGET_FILE), strlen(name) - strlen(TARGET_FILE)) < 0)
        close(fd);
}

/* A pipe that no program inherits. */
static int open_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC); }

/* Start a program with our initial signal mask; gives its pid, or -1 with errno set.
 *
 * By vfork(2): posix_spawn(3) asks for the disposition of every signal, which doubles the launcher's cost. The child
 * shares our memory and only sets `error` in it. An emulator such as qemu-user may copy the memory instead, and not
 * wait for execve; so the child also writes `error` into a pipe that execve closes. Without room for a pipe the memory
 * must do. Signals with a handler are blocked, except SIGCHLD just before execve; its handler does nothing. */
static pid_t spawn(const char *path, char **command, char **environment, const sigset_t *mask)
{
    volatile int error = 0;
    int fds[2], text = 0;
    bool has_pipe = open_pipe(fds) == 0;
    pid_t child = vfork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        execve(path, command, environment);
        error = errno;
        _exit(has_pipe ? write(fds[1], (const int *)&error, sizeof error) < 0 : 127);
    }
    int vfork_error = errno;
    if (has_pipe) {
        ssize_t count;
        close(fds[1]);
        while (child > 0 && error == 0 && (count = read(fds[0], &text, sizeof text)) != 0)
            if (count == (ssize_t)sizeof text || errno != EINTR) {
                error = text;
                break;
            }
        close(fds[0]);
    }
    errno = vfork_error;
    if (child > 0 && error != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
        child = -1;
        errno = error;
    }
    return child;
}

/* Take one of the blocked signals, and say which process sent it; -1 if none has come. Waits for one if `wait` is true;
 * -1 is then EINTR: we were stopped and continued. */
static int take_signal(const sigset_t *signals, bool wait, pid_t *sender)
{
    const struct timespec no_time = {0, 0};
    siginfo_t info = {0};
    int caught = wait ? sigwaitinfo(signals, &info) : sigtimedwait(signals, &info, &no_time);
    *sender = info.si_pid;
    return caught;
}

/* The largest memory that a process has had, in KiB. */
static int64_t peak_kib(const struct rusage *usage) { return usage->ru_maxrss; }

/* Keep no descriptor of make's: its job server, and whatever else the recipe may use. */
static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
#endif
    for (int fd = 3; fd < 65536; fd++)
        close(fd);
}
