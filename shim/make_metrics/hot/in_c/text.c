/* Texts for the walk in C. What Python might read otherwise is left to it: see `odd`. */

/* Whether the walk has met something that is left to the Python walk. Once it is true, nothing more is written. */
static bool odd;

static char *odd_text(void)
{
    odd = true;
    return NULL;
}

/* The bytes that str.strip() and str.split() take away, besides those beyond ASCII. */
#define BLANKS "\t\n\v\f\r\x1c\x1d\x1e\x1f "

static bool starts_with(const char *text, const char *start) { return strncmp(text, start, strlen(start)) == 0; }

/* A text that grows; a NUL is always behind it. */
struct builder {
    char *text;
    size_t length, room;
};

static void add_bytes(struct builder *builder, const char *bytes, size_t length)
{
    if (builder->room - builder->length <= length) {
        builder->room = (builder->length + length) * 2 + 1024;
        char *text = realloc(builder->text, builder->room);
        if (text == NULL)
            _exit(127); /* without memory there is no walk: the make becomes a run of its own */
        builder->text = text;
    }
    memcpy(builder->text + builder->length, bytes, length);
    builder->length += length;
    builder->text[builder->length] = '\0';
}

static void add(struct builder *builder, const char *text) { add_bytes(builder, text, strlen(text)); }

static void add_number(struct builder *builder, long long number)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", number);
    add(builder, digits);
}

/* Whether Python, in this process's locale, reads and writes a text's bytes as they are: all of ASCII but a carriage
 * return, which psutil takes for a newline; what is beyond ASCII if it is UTF-8 and the locale's encoding is too. */
static bool is_plain(const char *text, char **environment)
{
    const unsigned char *byte = (const unsigned char *)text;
    bool ascii = true;
    while (*byte != '\0') {
        static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (*byte == '\r')
            return false;
        if (*byte < 0x80) {
            byte++;
            continue;
        }
        int size = *byte >= 0xF0 ? 4 : *byte >= 0xE0 ? 3 : *byte >= 0xC0 ? 2 : 0;
        unsigned long character = *byte & (0xFFU >> (size + 1));
        for (int at = 1; at < size; at++) {
            if ((byte[at] & 0xC0) != 0x80)
                return false;
            character = character << 6 | (byte[at] & 0x3F);
        }
        if (size == 0 || character < least[size] || character > 0x10FFFF || (character >= 0xD800 && character < 0xE000))
            return false;
        byte += size;
        ascii = false;
    }
    if (ascii)
        return true;
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t at = 0; at < COUNT(names); at++) {
        const char *locale = variable(environment, names[at]);
        if (locale == NULL || *locale == '\0')
            continue;
        size_t length = strlen(locale);
        return equal(locale, "C") || equal(locale, "POSIX") || (length > 5 && equal(locale + length - 5, "UTF-8")) ||
               (length > 4 && equal(locale + length - 4, "utf8"));
    }
    return true;
}

/* A path below a directory, as os.path.join. */
static char *join_path(const char *directory, const char *path)
{
    size_t length = strlen(directory);
    if (*path == '/')
        return join(path, "", "");
    return join(directory, length > 0 && directory[length - 1] != '/' ? "/" : "", path);
}

/* Turn a path into that of the directory above, as os.path.dirname; false if there is none. */
static bool to_parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || path[1] == '\0')
        return false;
    if (slash == path)
        slash++;
    *slash = '\0';
    return true;
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

/* Whether nothing is at a path; not if we may not look. */
static bool is_missing(const char *path)
{
    struct stat status;
    return lstat(path, &status) < 0 && errno == ENOENT;
}

/* The kind of file at a path, links followed; 0 without one. */
static mode_t kind_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/* Up to `limit` bytes of a regular file; NULL with errno set if there is none. */
static char *read_regular(const char *path, size_t limit, int flags, size_t *length, struct stat *status)
{
    int fd = kind_of(path) == S_IFREG ? open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags) : -1;
    if (fd < 0)
        return NULL;
    char *text = NULL;
    if (fstat(fd, status) == 0 && S_ISREG(status->st_mode)) {
        size_t room = (size_t)status->st_size < limit ? (size_t)status->st_size : limit;
        text = malloc(room + 1);
        ssize_t count = text == NULL ? -1 : read(fd, text, room);
        if (count < 0 || (size_t)count != room)
            text = NULL; /* somebody is changing it */
        else
            text[*length = room] = '\0';
    }
    close(fd);
    return text;
}
