/* hot/procfs.py: what is asked of /proc about processes. All pids are those that it shows, which may be that of another
 * pid namespace. Who includes this says where it is, and in which time (own_pid, boot_offset_ns). */

/* A file of a process in /proc; NULL if it cannot be read. */
static char *read_process_file(pid_t pid, const char *name, size_t *length)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return read_file(path, length);
}

/* The environment that a process was started with, a NUL behind each variable; NULL if it cannot be read. */
static char *environment_of(pid_t pid, size_t *length) { return read_process_file(pid, "environ", length); }

/* The command line of a process, a NUL behind each word; NULL if it cannot be read. */
static char *command_line_of(pid_t pid, size_t *length) { return read_process_file(pid, "cmdline", length); }

/* The directory that a process works in; NULL if it cannot be read. */
static char *directory_of(pid_t pid)
{
    char path[64], *directory = malloc(PATH_MAX);
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pid);
    ssize_t length = directory == NULL ? -1 : readlink(path, directory, PATH_MAX);
    if (length < 0 || length == PATH_MAX)
        return NULL;
    directory[length] = '\0';
    return realloc(directory, (size_t)length + 1);
}

/* A process: its start in clock ticks since boot, without our time namespace's offset, and the process that started it,
 * 0 for none that can be seen. */
struct process {
    pid_t pid, parent;
    unsigned long long start, shown_start; /* the latter with that offset, as /proc shows it */
};

/* Look a process up; false if it is gone, or without /proc. */
static bool find_process(pid_t pid, struct process *process)
{
    const char *text = read_process_file(pid, "stat", NULL);
    const char *at = text == NULL ? NULL : strrchr(text, ')'); /* the last one: a program's name may hold one too */
    if (at == NULL)
        return false;
    at++;
    process->pid = pid;
    process->parent = 0;
    for (int field = 3; field < 22 && at != NULL; field++) {
        at += strspn(at, " ");
        if (field == 4)
            process->parent = (pid_t)strtol(at, NULL, 10);
        at = strchr(at, ' ');
    }
    if (at == NULL)
        return false;
    char *end;
    process->start = process->shown_start = strtoull(at, &end, 10);
    if (end == at)
        return false;
    int64_t offset = boot_offset_ns(), tick = 1000000000 / sysconf(_SC_CLK_TCK);
    process->start -= (unsigned long long)(offset / tick - (offset % tick < 0)); /* rounded down, as in Python */
    return true;
}

/* The random id of this boot; empty if unknown. */
static const char *boot_id(void)
{
    static const char *id;
    if (id == NULL) {
        char *text = read_file("/proc/sys/kernel/random/boot_id", NULL);
        if (text != NULL)
            text[strcspn(text, "\n")] = '\0';
        id = text == NULL ? "" : text;
    }
    return id;
}

/* The number of our own pid namespace; 0 if unknown. */
static uint64_t own_namespace(void)
{
    struct stat status;
    return stat("/proc/self/ns/pid", &status) < 0 ? 0 : status.st_ino;
}

/* A number for the pid namespace that /proc shows, from the nearest process above us that is in it: that has one pid,
 * and a process in a namespace below it has several. Of a namespace that cannot be asked for, that of /proc itself. */
static uint64_t namespace_number(void)
{
    char path[64];
    struct stat status;
    struct process process = {.parent = own_pid()};
    if (process.parent == getpid())
        return own_namespace();
    while (process.parent != 0 && find_process(process.parent, &process)) {
        const char *text = read_process_file(process.pid, "status", NULL), *name = "\nNSpid:\t";
        const char *pids = text == NULL ? NULL : strstr(text, name);
        size_t first = pids == NULL ? 0 : strlen(name) + strcspn(pids + strlen(name), "\t\n");
        snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)process.pid);
        if (pids != NULL && pids[first] == '\n' && stat(path, &status) == 0)
            return status.st_ino;
    }
    return stat("/proc", &status) < 0 ? 0 : status.st_dev;
}

/* A number for this boot and that namespace; 0 if unknown. */
static uint64_t host_number(void)
{
    uint64_t host = 0, namespace = namespace_number();
    int digits = 0;
    const char *text = boot_id();
    for (; hexadecimal_value(*text) + (*text == '-') >= 0; text++)
        if (*text != '-') {
            host = (host * 16 + (uint64_t)hexadecimal_value(*text)) % HOST_PRIME;
            digits++;
        }
    if (digits == 0 || *text != '\0' || namespace == 0)
        return 0;
    return (host + namespace % HOST_PRIME) % HOST_PRIME;
}

/* Write the key of a process, `<host>.<pid>.<start>`; false if it is too long. */
static bool write_key(const struct process *process, char key[KEY_MAX])
{
    static uint64_t host;
    static bool is_known;
    if (!is_known)
        host = host_number();
    is_known = true;
    return snprintf(key, KEY_MAX, "%08llx.%d.%llu", (unsigned long long)host, (int)process->pid, process->start) <
           KEY_MAX;
}

/* The key of a process; false without /proc. */
static bool process_key(pid_t pid, char key[KEY_MAX])
{
    struct process process;
    return find_process(pid, &process) && write_key(&process, key);
}

/* When a process was started, in nanoseconds since the epoch. */
static int64_t start_time_ns(const struct process *process)
{
    struct timespec now, age;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(SINCE_BOOT, &age);
    int64_t start = (int64_t)((unsigned __int128)process->start * 1000000000 / (unsigned long)sysconf(_SC_CLK_TCK));
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec -
           ((int64_t)age.tv_sec * 1000000000 + age.tv_nsec - boot_offset_ns() - start);
}
