/* The words and the environment in what macOS keeps of a process's start: sysctl(3), KERN_PROCARGS2.
 *
 * The buffer holds the number of words (an int), the program's path, NULs up to an aligned place, the words, and the
 * environment, each with a NUL behind it. An empty text ends the environment. A protected program, such as Apple's own
 * make, shows no environment. Nothing here is macOS' own, so that it is tested everywhere. */

/* Find the words and the environment; false for a buffer that was cut short. Both stay in the buffer. */
static bool parse_process_arguments(char *buffer, size_t size, char **words, size_t *words_length, char **environment,
                                    size_t *environment_length)
{
    int count;
    if (size <= sizeof count)
        return false;
    memcpy(&count, buffer, sizeof count);
    char *end = buffer + size, *at = memchr(buffer + sizeof count, '\0', size - sizeof count);
    while (at != NULL && at < end && *at == '\0')
        at++;
    if (at == NULL || count < 1)
        return false;
    *words = at;
    for (; count > 0; count--) {
        char *next = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
        if (next == NULL)
            return false;
        at = next + 1;
    }
    *words_length = (size_t)(at - *words);
    *environment = at;
    while (at < end && *at != '\0') {
        char *next = memchr(at, '\0', (size_t)(end - at));
        if (next == NULL)
            break; /* the last variable was cut short */
        at = next + 1;
    }
    *environment_length = (size_t)(at - *environment);
    return true;
}
