/* walk/walk.py: the walk of a make's first line, in a process beside the line, without an interpreter.
 *
 * It writes what the Python walk would write, to the byte, or nothing: what it does not understand, and what only
 * Python can do, is left to the Python walk, which this process then becomes. tests/walk/ holds both together. */

/* Whether something may be due for a make that the developer has started that only Python does. */
static bool needs_python(const struct gate *gate, char **initial, const struct facts *facts, bool attended)
{
    return attended && lower_ceiling(facts->initial, facts->current) == ON && may_invite(gate, initial);
}

/* Whether many or old records wait: sweep/backlog.py. */
static bool backlog_is_due(const char *records)
{
    DIR *directory = opendir(records);
    time_t now = time(NULL);
    int count = 0;
    bool old = false;
    for (struct dirent *entry; directory != NULL && !old && count < MANY_RECORDS &&
                               (entry = readdir(directory)) != NULL;) {
        size_t length = strlen(entry->d_name);
        struct stat status;
        if (length < 4 || !equal(entry->d_name + length - 4, ".rec") ||
            fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        count++;
        old = old || now - status.st_mtime > OLD_RECORD_S;
    }
    if (directory != NULL)
        closedir(directory);
    return count >= MANY_RECORDS || old;
}

/* Write the headers that the record lacks, and say what was found; false to leave all to Python. */
static bool find_run(const struct recorder *recorder, const struct arguments *arguments, char **current,
                     struct found *found)
{
    struct make *makes;
    if (!WALKS || arguments->traced)
        return false; /* the person's id, which a trace is made from, is read by Python alone */
    const char *makeflags = value_of(current, "MAKEFLAGS");
    struct parsed_words none = {.jobs = -1};
    if (parse_makeflags(makeflags, &none).builds_nothing && !odd) {
        strcpy(found->text, NOT_A_MAKE);
        return true;
    }
    if (!is_missing(POLICY))
        return false; /* the administrator's policy is read by Python alone: consent/policy.py */
    int count = find_makes(recorder->shown_parent, arguments->make, recorder->makes, &makes);
    if (odd || count == 0 || !equal(makes->key, recorder->make))
        return false;
    struct facts facts = find_facts(makes, count - 1, current);
    facts.default_goal = arguments->goal;
    facts.makeflags = makeflags;
    facts.version = arguments->version;
    if (odd)
        return false;
    char **initial = count > 1 ? initial_environment(makes[count - 1].process.pid) : facts.initial;
    if (initial == NULL)
        return false;
    struct gate gate = open_gate(facts.directory, initial);
    bool forbidden = recording_forbidden(&gate, initial);
    enum sending sending = count == 1 ? sending_of(&gate, initial, current, recorder->state) : NO_SENDER;
    if (odd || sending == PYTHON_DECIDES || (count == 1 && needs_python(&gate, initial, &facts, recorder->attended)))
        return false;
    found->direct = count == 1;
    if (forbidden) {
        found->direct = false;
        strcpy(found->text, NOT_A_MAKE);
        return true;
    }
    /* All headers first, then their writing: what is odd in the last must not have written the first. */
    const char **entries = calloc((size_t)count, sizeof *entries);
    if (entries == NULL)
        return false;
    entries[0] = make_entry(&facts);
    for (int at = 1; at < count && !odd; at++) {
        char *marker = join(recorder->makes, "/", makes[at].key);
        if (marker == NULL || exists(marker))
            continue;
        struct facts other = find_facts(makes + at, count - 1 - at, current);
        entries[at] = odd ? NULL : make_entry(&other);
    }
    const char *run = makes[count - 1].key;
    if (odd)
        return false;
    bool written = append_entry(recorder->records, run, entries[0]);
    if (!written)
        return false;
    for (int at = 1; at < count && written; at++)
        written = entries[at] == NULL || append_entry(recorder->records, run, entries[at]);
    found->direct = found->direct && written;
    if (found->direct && sending == SENDER)
        found->sender = sender_environment(initial, makes, gate.project.directory, recorder->state);
    snprintf(found->text, sizeof found->text, "%s %s", written ? run : makes->key, makes->key);
    return true;
}

/* Walk in this process, where no recipe runs meanwhile, into the locked marker; false if a process has to go on. */
static bool walk_here(const struct recorder *recorder, const struct arguments *arguments, char **current, int marker_fd,
                      struct found *found)
{
    found->walked = true;
    found->run = find_run(recorder, arguments, current, found);
    if (!found->run || found->sender != NULL || (found->direct && backlog_is_due(recorder->records)))
        return false;
    return write(marker_fd, found->text, strlen(found->text)) == (ssize_t)strlen(found->text);
}

/* The walk's process; its standard output is the locked marker of the make. */
static _Noreturn void walk(const struct recorder *recorder, const struct arguments *arguments, char **current,
                           char **python, struct found *found)
{
    alarm(WALK_LIFETIME_S);
    if (!found->walked)
        found->run = find_run(recorder, arguments, current, found);
    if (found->run) {
        close_others();
        if (found->sender != NULL) /* before the marker is unlocked: no other line of this make would start one */
            start_sender(python[0], recorder->entry, found->sender);
        if (write(1, found->text, strlen(found->text)) < 0)
            _exit(1);
        flock(1, LOCK_UN);
        dup2(0, 1);
        if (found->direct && backlog_is_due(recorder->records)) {
            const struct timespec pause = {0, COMBINE_PAUSE_NS};
            char pid[16];
            snprintf(pid, sizeof pid, "%d", (int)recorder->shown_parent);
            char *words[] = {python[0], "-I",    "-S", (char *)recorder->entry,
                             "walk",    COMBINE, pid,  recorder->state,         NULL};
            nanosleep(&pause, NULL);
            execve(python[0], words, current);
        }
        _exit(0);
    }
    execve(python[0], python, current);
    _exit(127);
}
