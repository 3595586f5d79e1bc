/* hot/line.py: the line, from its start to its end. */

static void ignore(int signal_number) { (void)signal_number; }

/* Start the command as a child; gives its pid, or -1 with errno set. */
static pid_t start(const struct arguments *arguments, char **command, char **environment, const sigset_t *mask)
{
    const char *path = find_program(arguments, command[0], environment);
    if (path == NULL)
        return -1;
    pid_t child = spawn(path, command, environment, mask);
    if (child < 0 && errno == ENOEXEC) {
        char **words = script_command(path, command);
        if (words != NULL)
            child = spawn(DEFAULT_SHELL, words, environment, mask);
    }
    return child;
}

static bool contains(const int *numbers, size_t count, int wanted)
{
    for (size_t at = 0; at < count; at++)
        if (numbers[at] == wanted)
            return true;
    return false;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

/* Wait for the child to end, through Ctrl-C; forward make's signals to it; then take the signals that are pending.
 *
 * Group signals reach the child directly: only signals that make itself sent are forwarded. If the child is a shell and
 * signals us, it means its parent, make: pass the signal up. Any other child (pkill) found us by name, and would find
 * nobody without us: drop the signal. */
static void wait_for_child(pid_t child, bool is_shell, pid_t parent, const sigset_t *signals, struct line *line)
{
    bool running = true;
    for (;;) {
        int status;
        struct rusage usage;
        pid_t ended = running ? wait4(child, &status, WNOHANG, &usage) : 0;
        if (ended > 0) {
            line->cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
            line->peak_kib = peak_kib(&usage);
        }
        if (ended != 0) {
            line->status = ended < 0 ? 127 : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
            running = false;
        }
        pid_t sender = 0;
        int caught = take_signal(signals, running, &sender);
        if (caught < 0 && running)
            continue; /* EINTR: we were stopped and continued */
        if (caught < 0)
            return;
        if (caught != SIGCHLD && sender == child) {
            if (is_shell)
                kill(parent, caught); /* `kill $PPID` in a recipe means make */
            continue;
        }
        if (line->fate == 0 && contains(ends_make, COUNT(ends_make), caught))
            line->fate = caught;
        bool of_make = sender == parent || sender == UNKNOWN_SENDER;
        if (running && of_make && contains(forwarded, COUNT(forwarded), caught))
            kill(child, caught);
    }
}

/* End as the line ended: with its exit status, or killed by the same signal. */
static _Noreturn void exit_like(int status)
{
    if (status < 0) {
        const struct rlimit none = {0, 0};
        sigset_t unblocked;
        setrlimit(RLIMIT_CORE, &none); /* the line has left its own core file */
        signal(-status, SIG_DFL);
        sigemptyset(&unblocked);
        sigaddset(&unblocked, -status);
        kill(getpid(), -status);
        sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
        status = 128 - status;
    }
    _exit(status);
}

static char **traced_environment(struct recorder *recorder, const struct arguments *arguments, char **environment);

/* Run the line and record it, and end as it ended. The words are main()'s. */
static _Noreturn void run_line(struct arguments *arguments, char **environment, struct recorder *recorder, int count,
                               char **words)
{
    struct line line = {0};
    /* Before the line starts: it may look for us at once. */
    bool is_later = *recorder->run != '\0' && arguments->known == NULL;
    char **copies = show_title(count, words, recorder->shown_parent);
    if (copies != NULL) {
        arguments->command = copies + (arguments->command - words);
        arguments->shim = copies + (arguments->shim - words);
        recorder->program = copies[0];
    }
    show_target(arguments->target);
    if (arguments->traced)
        environment = traced_environment(recorder, arguments, environment);
    char **command = command_for(arguments, true);
    bool is_shell = command == arguments->command;
    sigset_t signals, mask;
    sigemptyset(&signals);
    for (size_t at = 0; at < COUNT(waited_for); at++) {
        struct sigaction action;
        if (sigaction(waited_for[at], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&signals, waited_for[at]); /* an ignored signal stays ignored, here and in the line */
    }
    sigaddset(&signals, SIGCHLD);
    signal(SIGCHLD, ignore); /* POSIX 2.4.1: if SIGCHLD were ignored, the signal and the child's status may be lost */
    sigprocmask(SIG_BLOCK, &signals, &mask);

    line.wall = nanoseconds(CLOCK_REALTIME);
    line.start = nanoseconds(SINCE_BOOT);
    pid_t child = starts_nothing(arguments) ? 0 : start(arguments, command, environment, &mask);
    int error = errno;
    /* No room for a second process: run the line in this one, unrecorded. Other language: the Python shim speaks it. */
    bool full = error == EAGAIN || error == ENOMEM;
    if (child < 0 && (full || speaks_other_language(recorder->shown_parent))) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (full)
            become(arguments, environment, true);
        become_python(arguments->shim);
        sigprocmask(SIG_BLOCK, &signals, NULL);
    }
    umask(umask(077) & 077); /* we read what we write, whatever mask the build has */
    signal(SIGPIPE, SIG_IGN); /* our own writes must not kill us: a message without reader, a record over a limit */
    signal(SIGXFSZ, SIG_IGN);
    if (child < 0)
        line.status = report_exec_error(arguments, command[0], error, true);
    line.end = nanoseconds(SINCE_BOOT);
    if (*recorder->run == '\0')
        start_walk(recorder, arguments, environment, child > 0);
    if (is_later)
        leave_known(recorder, arguments);
    if (child > 0) {
        line.cpu_us = -1;
        wait_for_child(child, is_shell, recorder->parent, &signals, &line);
        line.end = nanoseconds(SINCE_BOOT);
    }
    if (resolve_run(recorder, &line))
        append_line(recorder, arguments, &line);
    if (line.fate == 0 && line.status >= 0)
        invite(recorder);
    if (recorder->walk_pid > 0) /* reap it: its exit takes a while */
        while (waitpid(recorder->walk_pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    exit_like(line.status);
}
