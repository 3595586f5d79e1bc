/* sender/start.py and the first half of sender/sender.py: a sender is started beside a make, and waits for its end.
 *
 * It is this program that waits, under the words of the sender that it becomes. If another sender is at work when make
 * has ended, it leaves word with that one and ends: no interpreter was started then. If none is, it takes the senders'
 * lock before it becomes an interpreter, which takes a while to begin: so of many makes at once only one starts one.
 * After many of them senders rest for some minutes: until then one process of this program waits for all. */

enum sending { NO_SENDER, SENDER, PYTHON_DECIDES };

#ifdef STARTS_SENDERS

static bool allows_sending(char **environment)
{
    const char *value = value_of(environment, SENDER_VARIABLE);
    return ceiling_of(environment) == ON && !equal(value_of(environment, "MAKE_METRICS"), "log") &&
           (*value == '\0' || equal(value, SENDER_DETACHED)) && !in_ci(environment);
}

static bool is_detached(char **environment) { return equal(value_of(environment, SENDER_VARIABLE), SENDER_DETACHED); }

/* Whether a make that the developer has started gets a sender. */
static enum sending sending_of(const struct gate *gate, char **initial, char **current, const char *state)
{
    if (!gate->project.settings || gate->decision != YES || !allows_sending(initial) || !allows_sending(current))
        return NO_SENDER;
    char *folder = gate->config == NULL ? NULL : join_path(gate->config, "consent");
    char *decision = folder == NULL ? NULL : join(folder, "/", gate->key);
    char *local = gate->data == NULL ? NULL : join_path(gate->data, "on-this-machine");
    char *paused = join(state, "/paused/", gate->key);
    decision = decision == NULL ? NULL : join(decision, ".json", "");
    paused = paused == NULL ? NULL : join(paused, ".json", "");
    struct stat yes, taken_back;
    if (decision == NULL || local == NULL || paused == NULL || stat(decision, &yes) < 0)
        return PYTHON_DECIDES;
    if (stat(local, &taken_back) == 0 &&
        (taken_back.st_mtim.tv_sec > yes.st_mtim.tv_sec ||
         (taken_back.st_mtim.tv_sec == yes.st_mtim.tv_sec && taken_back.st_mtim.tv_nsec >= yes.st_mtim.tv_nsec)))
        return NO_SENDER;
    if (exists(paused) || below_sender)
        return PYTHON_DECIDES;
    return (is_detached(initial) && is_detached(current)) || first_process_reaps() ? SENDER : PYTHON_DECIDES;
}

/* The environment that make was started with, and the sender's task. */
static char **sender_environment(char **initial, const struct make *make, const char *project, const char *state)
{
    char group[16];
    snprintf(group, sizeof group, "%d", (int)getpgid(make->process.pid));
    const char *const task[][2] = {{SENDER_VARIABLE "=", SENDER_NONE}, {SENDER_MAKE "=", make->key},
                                   {SENDER_GROUP "=", group}, {SENDER_PROJECT "=", project}, {SENDER_STATE "=", state}};
    size_t count = 0, kept = 0;
    while (initial[count] != NULL)
        count++;
    char **environment = calloc(count + COUNT(task) + 1, sizeof *environment);
    if (environment == NULL)
        return NULL;
    for (size_t at = 0; at < count; at++)
        if (strncmp(initial[at], SENDER_VARIABLE, strlen(SENDER_VARIABLE)) != 0)
            environment[kept++] = initial[at];
    for (size_t at = 0; at < COUNT(task); at++)
        if ((environment[kept++] = join(task[at][0], task[at][1], "")) == NULL)
            return NULL;
    return environment;
}

/* Start the sender in a session of its own, holding nothing of make's. Our standard input is /dev/null already. */
static void start_sender(char *python, const char *entry, char **environment)
{
    sigset_t none;
    const char *end = strrchr(entry, '/');
    char *folder = join(entry, "", "");
    if (environment == NULL || end == NULL || folder == NULL)
        return;
    folder[end - entry] = '\0';
    char *words[] = {python, "-I", join(folder, SENDER_PROGRAM, ""), NULL};
    if (words[2] == NULL || fork() != 0)
        return;
    setsid();
    dup2(0, 1);
    dup2(0, 2);
    close_others();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (chdir("/") == 0)
        execve("/proc/self/exe", words, environment);
    _exit(127);
}

/* Whether this program was started in a sender's place. */
static bool is_sender(int count, char **words)
{
    size_t length = count == 3 ? strlen(words[2]) : 0, end = strlen(SENDER_PROGRAM);
    return length > end && equal(words[1], "-I") && equal(words[2] + length - end, SENDER_PROGRAM) &&
           getenv(SENDER_MAKE) != NULL;
}

/* Leave word with the sender that works, or with the process that waits for the next turn; false if that is impossible,
 * with errno set. */
static bool leave_word(const char *wanted, const char *state, const char *project)
{
    int fd = open_ours(wanted, state, 0);
    if (fd < 0)
        return false;
    bool written = ftruncate(fd, 0) == 0 && write(fd, project, strlen(project)) == (ssize_t)strlen(project);
    close(fd);
    if (!written)
        errno = EIO;
    return written;
}

/* How long senders still rest, in nanoseconds. The file of their lock says how many seconds turns have used up in
 * advance, when it was written (sender/burst.py). */
static int64_t rest_of(int lock_fd)
{
    char text[17];
    struct stat status;
    ssize_t length = pread(lock_fd, text, sizeof text - 1, 0);
    if (length <= 0 || fstat(lock_fd, &status) < 0)
        return 0;
    text[length] = '\0';
    long in_advance = parse_number(text, text + strcspn(text, "\n"));
    if (in_advance > (SENDER_SPARE + 1) * SENDER_REST_S)
        in_advance = (SENDER_SPARE + 1) * SENDER_REST_S;
    int64_t since = nanoseconds(CLOCK_REALTIME) - (int64_t)status.st_mtim.tv_sec * 1000000000 - status.st_mtim.tv_nsec;
    int64_t rest = (in_advance - SENDER_SPARE * SENDER_REST_S) * INT64_C(1000000000) - since;
    return since < 0 || rest < 0 ? 0 : rest;
}

/* Wait so long, but not after somebody has found the word or touched it; false if the system has no clock for that. */
static bool rest_for(int64_t ns, const char *wanted)
{
    const struct itimerspec time = {.it_value = {ns / 1000000000, ns % 1000000000}};
    struct pollfd ends[] = {{.fd = timerfd_create(SINCE_BOOT, TFD_CLOEXEC), .events = POLLIN},
                            {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN}};
    bool waits = ends[0].fd >= 0 && timerfd_settime(ends[0].fd, 0, &time, NULL) == 0;
    if (ends[1].fd >= 0 && inotify_add_watch(ends[1].fd, wanted, IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
        waits = waits && errno != ENOENT;
        close(ends[1].fd);
        ends[1].fd = -1;
        if (!waits && !is_missing(wanted))
            return false;
    }
    while (waits && poll(ends, COUNT(ends), -1) < 0)
        if (errno != EINTR)
            waits = false;
    for (size_t at = 0; at < COUNT(ends); at++)
        if (ends[at].fd >= 0)
            close(ends[at].fd);
    return waits || is_missing(wanted);
}

/* Take the senders' turn: gives the descriptor that holds their lock. While senders rest, one process waits for the
 * next turn, for all makes that end meanwhile. -1 if there is nothing to do: somebody else sends, waits,
 * or has just found the word, or our home is gone. -2 if that cannot be known.
 *
 * None is overlooked. Whoever finds one of the locks taken has left word before. A sender looks for word after it has
 * let its lock go. Who takes that lock only to see how long to wait lets it go before trying `resting`; who has waited
 * lets `resting` go before trying the senders' lock. */
static int take_turn(const char *state, const char *project)
{
    char *wanted = join(state, "/", SENDER_WANTED), *busy = join(state, "/", SENDER_LOCK);
    char *resting = join(state, "/", SENDER_RESTING);
    if (wanted == NULL || busy == NULL || resting == NULL)
        return -2;
    if (!leave_word(wanted, state, project))
        return errno == ENOENT ? -1 : -2;
    while (!is_missing(wanted)) { /* asked before a lock's file would be made anew in a home that is being removed */
        int lock_fd = lock(busy, state, LOCK_EX, 0, LOCK_PARTS);
        if (lock_fd < 0)
            return errno == EWOULDBLOCK || errno == ENOENT ? -1 : -2;
        if (is_missing(wanted))
            break;
        int64_t rest = rest_of(lock_fd);
        if (rest == 0)
            return lock_fd;
        close(lock_fd);
        int resting_fd = lock(resting, state, LOCK_EX, 0, LOCK_PARTS);
        if (resting_fd < 0)
            return errno == EWOULDBLOCK || errno == ENOENT ? -1 : -2;
        bool rested = rest_for(rest, wanted);
        close(resting_fd);
        if (!rested)
            return -2;
    }
    return -1;
}

/* Wait for the make that the environment names. Then become the sender, unless another one is at work or waits. */
static _Noreturn void wait_and_send(char **words)
{
    const char *state = getenv(SENDER_STATE), *project = getenv(SENDER_PROJECT), *group = getenv(SENDER_GROUP);
    prctl(PR_SET_NAME, NAME);
    if (state != NULL && project != NULL && group != NULL && wait_for_end(getenv(SENDER_MAKE)) &&
        !shims_may_remain((pid_t)strtol(group, NULL, 10))) {
        int lock_fd = take_turn(state, project);
        char number[16];
        if (lock_fd == -1)
            _exit(0);
        snprintf(number, sizeof number, "%d", lock_fd);
        if (lock_fd >= 0 && fcntl(lock_fd, F_SETFD, 0) == 0)
            setenv(SENDER_HELD, number, 1);
        setenv(SENDER_GROUP, "0", 1); /* no line is left to wait for */
    }
    execve(words[0], words, environ);
    _exit(127);
}

#else
static enum sending sending_of(const struct gate *gate, char **initial, char **current, const char *state)
{
    (void)current;
    (void)initial;
    (void)state;
    return gate->project.settings && gate->decision == YES ? PYTHON_DECIDES : NO_SENDER;
}

static char **sender_environment(char **initial, const struct make *make, const char *project, const char *state)
{
    (void)initial;
    (void)make;
    (void)project;
    (void)state;
    return NULL;
}

static void start_sender(char *python, const char *entry, char **environment)
{
    (void)python;
    (void)entry;
    (void)environment;
}
#endif
