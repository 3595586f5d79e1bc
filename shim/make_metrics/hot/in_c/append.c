/* hot/append.py: appending to a record, under its lock. */

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Open a file of ours for reading and writing, which is created if missing; -1 if it cannot be.
 *
 * As root in another user's directory (a nested make under sudo): give what we have created to that user, and nothing
 * else. A link or a file of somebody else that they have put there is not opened. */
static int open_ours(const char *path, const char *folder, int flags)
{
    struct stat owner = {0}, status;
    if (geteuid() == 0 && stat(folder, &owner) < 0)
        return -1;
    if (owner.st_uid == 0)
        return open(path, OPEN_FLAGS | flags, 0600);
    for (;;) {
        int fd = open(path, OPEN_FLAGS | O_EXCL | flags, 0600);
        if (fd >= 0) {
            if (fchown(fd, owner.st_uid, owner.st_gid) == 0)
                return fd;
        } else if (errno != EEXIST || (flags & O_EXCL) != 0) {
            return -1;
        } else {
            fd = open(path, (OPEN_FLAGS & ~O_CREAT) | flags);
            if (fd < 0 && errno == ENOENT)
                continue; /* removed meanwhile */
            if (fd < 0)
                return -1;
            if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink < 2 &&
                status.st_uid == owner.st_uid)
                return fd;
        }
        close(fd);
        errno = EPERM;
        return -1;
    }
}

/* Lock a file, which is created if missing; gives the descriptor that holds the lock, -1 if it is not free in time.
 *
 * Tries again after 1/parts of the time waited so far: many lines may wait on few cores, so each tries less often the
 * longer it waits. */
static int lock(const char *path, const char *folder, int operation, int64_t patience_ns, int parts)
{
    int64_t begin = nanoseconds(CLOCK_MONOTONIC);
    for (;;) {
        int fd = open_ours(path, folder, 0);
        struct stat status;
        if (fd < 0)
            return -1;
        if (flock(fd, operation | LOCK_NB) == 0) {
            if (fstat(fd, &status) == 0 && status.st_nlink > 0)
                return fd;
            close(fd); /* its holder combined the record and removed the lock while we waited */
            continue;
        }
        int error = errno;
        int64_t waited = nanoseconds(CLOCK_MONOTONIC) - begin;
        close(fd);
        errno = error;
        if (error != EWOULDBLOCK || waited >= patience_ns)
            return -1;
        const struct timespec pause = {0, waited / parts > LOCK_PAUSE_NS ? waited / parts : LOCK_PAUSE_NS};
        nanosleep(&pause, NULL);
    }
}

static bool random_digits(char digits[17])
{
    unsigned char bytes[8];
    if (getentropy(bytes, sizeof bytes) < 0)
        return false;
    for (size_t at = 0; at < sizeof bytes; at++)
        sprintf(digits + 2 * at, "%02x", bytes[at]);
    return true;
}

/* Append to a record file, all or nothing; false if nothing could be written. */
static bool append(const char *path, const char *folder, const char *run, const char *text, int flags)
{
    int fd = open_ours(path, folder, O_APPEND | flags);
    struct stat status;
    char last, digits[17], preamble[KEY_MAX + 32] = "";
    bool done = false;
    if (fd < 0)
        return false;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        bool ready = true;
        if (status.st_size == 0) {
            ready = random_digits(digits);
            snprintf(preamble, sizeof preamble, "R %d %s %s ;\n", RECORD_VERSION, run, digits);
        } else {
            ready = pread(fd, &last, 1, status.st_size - 1) == 1;
            if (last != '\n')
                strcpy(preamble, "\n"); /* end the torn entry before ours: it must not cost ours too */
        }
        const char *whole = ready ? join(preamble, text, "") : NULL;
        if (whole != NULL) {
            ssize_t written = write(fd, whole, strlen(whole));
            /* The disk is full: remove the half entry. If that fails too, readers skip a torn entry. */
            if (written >= 0 && (size_t)written != strlen(whole) && ftruncate(fd, status.st_size) < 0)
                preamble[0] = '\0';
            done = written >= 0;
        }
    }
    close(fd);
    return done;
}

/* Append an entry to a run's record in the directory `records`, or to a record file of its own; false if neither can be
 * written. */
static bool append_entry(const char *records, const char *run, const char *text)
{
    char *base = join(records, "/", run);
    char *lock_path = base == NULL ? NULL : join(base, ".lock", "");
    if (lock_path == NULL || text == NULL)
        return false;
    char *path = join(base, ".rec", "");
    int lock_fd = lock(lock_path, records, LOCK_EX, LOCK_PATIENCE_NS, LOCK_PARTS);
    if (lock_fd >= 0) {
        bool done = path != NULL && append(path, records, run, text, 0);
        close(lock_fd);
        if (done)
            return true;
    }
    char digits[17];
    char *name = random_digits(digits) ? join("~", digits, ".rec") : NULL;
    path = name == NULL ? NULL : join(base, name, "");
    return path != NULL && append(path, records, run, text, O_EXCL);
}
