/* What a line of a make need not find out again. A line that finds its make's marker leaves a file, by a name that make
 * can put together; make hands its content to the lines that follow. It is ended by a ";", and in front of that stand,
 * with ":" between them, the run, the make, its pid namespace and the offset of its time namespace. */

/* Take run and make from what make hands over; false if that is not about this make, or may be out of date: then the
 * line finds out all by itself. A program that make starts may be handed the words of another make's line. */
static bool knows_make(struct recorder *recorder, const struct arguments *arguments, char **environment)
{
    struct stat marker;
    char *parts[4]; /* run, make, namespace, offset */
    if (!WALKS || arguments->known == NULL || arguments->traced ||
        !split_at_colons(arguments->known, parts, COUNT(parts)))
        return false;
    const char *run = parts[0], *make = parts[1], *pid = strchr(make, '.');
    if (!is_process_key(run) || !is_process_key(make) || pid == NULL ||
        strtol(pid + 1, NULL, 10) != recorder->parent || strtoull(parts[2], NULL, 10) != own_namespace())
        return false;
    recorder->state = find_state_dir(arguments, environment);
    /* In another user's home each line looks at the directories (ensure_directory); there the marker is that user's. */
    if (recorder->state == NULL || !name_files(recorder, make) || lstat(recorder->marker, &marker) < 0 ||
        !S_ISREG(marker.st_mode) || marker.st_uid != geteuid() || !exists(recorder->records))
        return false;
    snprintf(recorder->run, sizeof recorder->run, "%s", run);
    snprintf(recorder->make, sizeof recorder->make, "%s", make);
    recorder->shown_parent = recorder->parent;
    know_boot_offset(strtoll(parts[3], NULL, 10));
    return true;
}

/* Leave that file, if this line knows all of it, and make can read it. */
static void leave_known(const struct recorder *recorder, const struct arguments *arguments)
{
    char text[2 * KEY_MAX + 64];
    if (!WALKS || recorder->unnamed || arguments->traced || arguments->number < VERSION_NUMBER(4, 2) ||
        !is_process_key(recorder->run) || !is_process_key(recorder->make) || own_pid() != getpid())
        return;
    uint64_t namespace = own_namespace();
    char *name = namespace == 0 ? NULL : name_of_make("known", recorder->parent);
    char *path = name == NULL ? NULL : join(recorder->makes, "/", name);
    int fd = path == NULL ? -1 : open_ours(path, recorder->makes, O_EXCL);
    if (fd < 0)
        return;
    int length = snprintf(text, sizeof text, "%s:%s:%llu:%lld ;\n", recorder->run, recorder->make,
                          (unsigned long long)namespace, (long long)boot_offset_ns());
    if (write(fd, text, (size_t)length) != length) /* make sees that the end is missing */
        unlink(path);
    close(fd);
}
