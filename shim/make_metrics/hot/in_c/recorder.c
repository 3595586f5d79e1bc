/* hot/recorder.py: marker, walk and invitation. */

/* The bookkeeping of one line. `run` is empty until the walk has named it. `shown_parent` is make's pid as /proc shows
 * it, `parent` as we know it. */
struct recorder {
    pid_t parent, shown_parent, walk_pid;
    const char *program, *python, *entry; /* this one, and the Python shim's */
    char *state, *records, *makes, *marker;
    char run[KEY_MAX], make[KEY_MAX];
    char *trace; /* for the lines' TRACEPARENT, from the walk; NULL for none */
    bool unnamed; /* the marker is this line's alone: only the walk knows the make's key */
    bool attended; /* this line started the walk, and somebody would see what it prints at its end */
    char *invitation; /* what the walk has left for that developer; NULL for nothing */
};

/* Whether a text is a process key: it becomes a file's name. */
static bool is_process_key(const char *text)
{
    size_t length = strlen(text);
    return length > 4 && length < KEY_MAX - 1 && length == strspn(text, "0123456789abcdef.") && *text != '.';
}

/* Create a private directory if it is missing; its parent must exist. False if another user's is in its place. */
static bool ensure_directory(const char *path)
{
    struct stat status;
    bool exists = path != NULL && lstat(path, &status) == 0;
    if (path != NULL && !exists && errno == ENOENT) {
        mode_t mask = umask(077); /* the build's may hide the directory from ourselves */
        exists = (mkdir(path, 0700) == 0 || errno == EEXIST) && lstat(path, &status) == 0;
        umask(mask);
    }
    return exists && S_ISDIR(status.st_mode) && (status.st_uid == geteuid() || geteuid() == 0);
}

/* Take run and make from the marker; they stay as they are if no walk has ended yet. False for a damaged marker. */
static bool read_marker(struct recorder *recorder)
{
    char *text = read_file(recorder->marker, NULL);
    if (text == NULL)
        return errno == ENOENT;
    char *rest = strchr(text, '\n');
    if (rest != NULL) {
        *rest++ = '\0';
        recorder->invitation = rest;
    }
    const char *run = strtok(text, " ");
    char *make = run == NULL ? NULL : strtok(NULL, " ");
    if (run == NULL)
        return true;
    if (make != NULL && strchr(make, '/') != NULL) {
        recorder->trace = make;
        make = strtok(NULL, " ");
    }
    bool is_verdict = make == NULL && (equal(run, NOT_A_MAKE) || equal(run, NO_MAKE_ABOVE));
    if (!is_verdict && (make == NULL || strtok(NULL, " ") != NULL || !is_process_key(run) || !is_process_key(make)))
        return false;
    snprintf(recorder->run, sizeof recorder->run, "%s", run);
    if (!is_verdict)
        snprintf(recorder->make, sizeof recorder->make, "%s", make);
    return true;
}

/* Name the records' directory, the markers', and the marker; false without memory. */
static bool name_files(struct recorder *recorder, const char *marker)
{
    recorder->records = join(recorder->state, "/records", "");
    recorder->makes = join(recorder->state, "/makes", "");
    recorder->marker = recorder->makes == NULL ? NULL : join(recorder->makes, "/", marker);
    return recorder->records != NULL && recorder->marker != NULL;
}

/* Prepare the state directory, and read the run if it is known; false for a case that is left to the Python shim. */
static bool open_recorder(struct recorder *recorder, const struct arguments *arguments, char **environment)
{
    recorder->state = find_state_dir(arguments, environment);
    recorder->unnamed = recorder->state != NULL && !process_key(recorder->shown_parent, recorder->make);
    if (recorder->state == NULL || (recorder->unnamed && ASKS))
        return false;
    if (recorder->unnamed)
        *recorder->make = '\0';
    char name[32] = "";
    snprintf(name, sizeof name, "unnamed.%d", (int)getpid());
    return name_files(recorder, recorder->unnamed ? name : recorder->make) && ensure_directory(recorder->state) &&
           ensure_directory(recorder->records) && ensure_directory(recorder->makes) && read_marker(recorder);
}

/* Whether standard error is a terminal and this process is in its foreground process group. */
static bool is_foreground(void) { return isatty(2) && tcgetpgrp(2) == getpgrp(); }

/* Print the walk's invitation to the developer, if there is one; never waits for the terminal. */
static void invite(const struct recorder *recorder)
{
    struct pollfd terminal = {.fd = 2, .events = POLLOUT};
    if (!recorder->attended || recorder->invitation == NULL || *recorder->invitation == '\0' || !is_foreground())
        return;
    if (poll(&terminal, 1, 0) != 1 || terminal.revents != POLLOUT)
        return;
    const char *text = join(recorder->invitation, "\n", "");
    signal(SIGTTOU, SIG_IGN); /* we may be put in the background just now */
    if (text != NULL && write(2, text, strlen(text)) < 0)
        return; /* nobody reads standard error */
}

/* What the walk has found, and what is left to do. */
struct found {
    bool walked; /* whether it was looked for */
    bool run;    /* whether `text` is the marker's; else all is left to Python */
    bool direct; /* whether the developer started this make directly */
    char text[2 * KEY_MAX];
    char **sender; /* the environment of a sender that is to be started, if any */
};

static bool walk_here(const struct recorder *recorder, const struct arguments *arguments, char **current, int marker_fd,
                      struct found *found);
static _Noreturn void walk(const struct recorder *recorder, const struct arguments *arguments, char **current,
                           char **python, struct found *found);

/* Whether this program is the copy that set-up has put beside its fragment. */
static bool is_copy(const struct recorder *recorder)
{
    const char *slash = strrchr(recorder->program, '/');
    return slash != NULL && starts_with(slash + 1, COPY);
}

/* Tell later makes that set-up's copy runs: by this boot and all mounts as they are, as section 11 of the fragment
 * compares them. Anything that could make the same file run no more, short of a change of that file, changes these. */
static void leave_proof(const struct recorder *recorder)
{
    size_t length = 0, earlier_length = 0;
    char *mounts = read_file(MOUNTS, &length), *path = join(recorder->program, PROOF, "");
    char *now = mounts == NULL ? NULL : join(boot_id(), "\n", mounts), *folder = join(recorder->program, "", "");
    if (path == NULL || now == NULL || folder == NULL || *now == '\n' || length == 0 || length > PROOF_BYTES)
        return;
    const char *earlier = read_file(path, &earlier_length);
    if (earlier != NULL && equal(earlier, now))
        return;
    *strrchr(folder, '/') = '\0';
    int fd = open_ours(path, folder, O_TRUNC); /* written by one call: a mixture with another's equals neither */
    if (fd < 0)
        return;
    if (write(fd, now, strlen(now)) != (ssize_t)strlen(now) && ftruncate(fd, 0) < 0)
        unlink(path);
    close(fd);
}

/* Tell make by a file's name that this launcher runs: then its lines, and makes below it, need no shell that tries. */
static void leave_mark(const struct recorder *recorder, const struct arguments *arguments)
{
    bool of_set_up = is_copy(recorder);
    if (of_set_up && *arguments->environment == '\0')
        return; /* make has started it without a shell: it knows */
    char *name = mark_of(recorder->shown_parent, recorder->program);
    char *path = name == NULL ? NULL : join(recorder->makes, "/", name);
    int fd = path == NULL ? -1 : open_ours(path, recorder->makes, 0);
    if (fd >= 0)
        close(fd);
    if (of_set_up)
        leave_proof(recorder);
}

/* Start a process that walks, or goes on with what a walk has found.
 *
 * Its standard output is the locked marker: it unlocks the marker when the run stands there, or by ending. */
static void start_walk_process(struct recorder *recorder, const struct arguments *arguments, char **environment,
                               int marker_fd, struct found *found)
{
    char parent[16], make[KEY_MAX];
    snprintf(parent, sizeof parent, "%d", (int)recorder->shown_parent);
    snprintf(make, sizeof make, "%s", recorder->unnamed ? "-" : recorder->make);
    char *words[] = {(char *)recorder->python, "-I", "-S", (char *)recorder->entry, "walk", parent, make,
                     recorder->state, arguments->make, arguments->version, arguments->goal,
                     recorder->attended ? ATTENDED : UNATTENDED, arguments->traced ? TRACED : NULL, NULL};
    /* The walk inherits our signal mask and gets a process group that no terminal signals. Block SIGTSTP until it has
     * that group: Ctrl-Z before that would stop it, and `fg` would not continue it. */
    sigset_t stop, mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigprocmask(SIG_BLOCK, &stop, &mask);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        /* marker_fd may be 1 itself: dup2 then leaves it close-on-exec. null_fd may be 0 or 2. */
        if (dup2(marker_fd, 1) == 1 && fcntl(1, F_SETFD, 0) == 0) {
            int null_fd = open("/dev/null", O_RDWR);
            if (null_fd != 0)
                dup2(null_fd, 0);
            if (null_fd != 2)
                dup2(null_fd, 2);
            if (null_fd > 2)
                close(null_fd);
            leave_mark(recorder, arguments);
            walk(recorder, arguments, environment, words, found);
        }
        _exit(127);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    recorder->walk_pid = child;
}

/* Walk up the process tree, unless another line of this make has begun to: in a process beside the recipe, or in this
 * one where there is no recipe to wait for (`:`). */
static void start_walk(struct recorder *recorder, const struct arguments *arguments, char **environment, bool beside)
{
    int marker_fd = lock(recorder->marker, recorder->makes, LOCK_EX, 0, LOCK_PARTS);
    if (marker_fd < 0 && errno != EWOULDBLOCK)
        marker_fd = open(recorder->marker, OPEN_FLAGS, 0600); /* without locks two lines may walk: both find the same */
    if (marker_fd < 0)
        return;
    if (read_marker(recorder) && *recorder->run == '\0') {
        struct found found = {0};
        recorder->attended = arguments->level == 0 && is_foreground();
        if (!beside && walk_here(recorder, arguments, environment, marker_fd, &found)) {
            leave_mark(recorder, arguments);
            read_marker(recorder);
        } else {
            start_walk_process(recorder, arguments, environment, marker_fd, &found);
        }
    }
    close(marker_fd); /* the walk's process holds the lock */
}

/* Wait for the walk without locks: only the line that started the walk sees it end, as its parent. */
static void wait_for_walk(struct recorder *recorder)
{
    const struct timespec pause = {0, 1000000};
    int64_t deadline = nanoseconds(CLOCK_MONOTONIC) + WALK_PATIENCE_NS;
    while (recorder->walk_pid > 0 && nanoseconds(CLOCK_MONOTONIC) < deadline) {
        if (waitpid(recorder->walk_pid, NULL, WNOHANG) != 0)
            recorder->walk_pid = 0;
        else
            nanosleep(&pause, NULL);
    }
}

/* Wait for the walk, and take the run from the marker. */
static void wait_for_run(struct recorder *recorder)
{
    int parts = recorder->walk_pid > 0 ? STARTER_LOCK_PARTS : LOCK_PARTS;
    int lock_fd = lock(recorder->marker, recorder->makes, LOCK_SH, WALK_PATIENCE_NS, parts);
    if (lock_fd >= 0)
        close(lock_fd);
    else if (errno != EWOULDBLOCK)
        wait_for_walk(recorder);
    read_marker(recorder); /* if it is still empty, this make becomes a run of its own, which it most often is */
}

/* Know the run, if need be by waiting for the walk; false if nothing is recorded. */
static bool resolve_run(struct recorder *recorder, struct line *line)
{
    if (*recorder->run == '\0')
        wait_for_run(recorder);
    if (recorder->walk_pid > 0)
        kill(recorder->walk_pid, SIGKILL); /* what it does after the walk can be done by others, later */
    if (recorder->unnamed)
        unlink(recorder->marker);
    if (equal(recorder->run, NOT_A_MAKE))
        return false;
    if (equal(recorder->run, NO_MAKE_ABOVE) || *recorder->make == '\0') {
        *recorder->run = '\0';
        bool is_named = process_key(own_pid(), recorder->make);
        if (!is_named && ASKS)
            return false;
        if (!is_named)
            snprintf(recorder->make, sizeof recorder->make, "00000000.%d.%lld", (int)getpid(), (long long)line->wall);
        if (line->fate == 0)
            line->fate = ORPHAN;
    }
    if (*recorder->run == '\0')
        snprintf(recorder->run, sizeof recorder->run, "%s", recorder->make);
    if (line->fate == 0 && getppid() != recorder->parent)
        line->fate = ORPHAN;
    return true;
}

/* Append the line's entry to its run's record. */
static void append_line(const struct recorder *recorder, const struct arguments *arguments, const struct line *line)
{
    struct line shown = *line;
    shown.start -= boot_offset_ns();
    shown.end -= boot_offset_ns();
    append_entry(
        recorder->records, recorder->run,
        line_entry(recorder->make, arguments->target, arguments->goal, arguments->level, &shown, arguments->needs));
}
