/* Reading a file. */

/* musl's open(3) makes a second system call for O_CLOEXEC, openat(3) does not. */
#define open(...) openat(AT_FDCWD, __VA_ARGS__)

/* A whole file with a NUL after it; NULL if it cannot be read. Files in /proc have no size. */
static char *read_file(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t room = 4096, size = 0;
    char *text = fd < 0 ? NULL : malloc(room);
    while (text != NULL) {
        ssize_t count = read(fd, text + size, room - size - 1);
        if (count <= 0) {
            text[size] = '\0';
            if (count < 0)
                text = NULL;
            break;
        }
        size += (size_t)count;
        if (room - size < 2)
            text = realloc(text, room *= 2);
    }
    if (fd >= 0)
        close(fd);
    if (length != NULL)
        *length = size;
    return text == NULL ? NULL : realloc(text, size + 1);
}
