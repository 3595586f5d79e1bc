/*
 * The compiled fast path: one recipe line, as make_metrics/hot/line.py runs and records it, without an interpreter's start.
 *
 *     launcher PYTHON -I -S ENTRY mm1 t:... g:... m:... h:... e:... COUNT SHELL... FLAGS... LINE
 *
 * The words are those of the Python shim (make_metrics/hot/arguments.py) behind this program's own name. The Python shim is the
 * reference: whatever can be seen of a line, in the build or in the record, is the same through either. Invariants:
 *
 *  1. What is rare is left to the Python shim, by becoming it: no directory above ours, root for somebody else, no /proc,
 *     a program that cannot be started where make speaks another language, words
 *     that are not quite as the fragment writes them. That is decided before anything is started or changed: the Python
 *     shim finds signals, descriptors and environment as we found them. If there is no Python any more, the line is run
 *     and nothing is recorded. The walk of a make's first line (make_metrics/walk/walk.py) is Python too, beside the line.
 *  2. Nothing is opened across the start of the line, so it finds exactly the descriptors that make left open. All that
 *     we open is close-on-exec.
 *  3. Signals are blocked from before the start and then waited for one by one: none arrives between a check and a wait.
 *  4. After the start nothing in the bookkeeping can fail the line, hold it up by more than the lock's patience, or print.
 *     All that is ever printed is make's own message for a program that cannot be started, and in a terminal, when the
 *     line has ended, the invitation that the walk may have left in the marker (docs/decisions/0007).
 *  5. A record is only written with its lock held (flock(2) on <run>.lock), in one write that is undone if it was short;
 *     without the lock, to a file of our own. See make_metrics/hot/append.py for the protocol and make_metrics/hot/record_format.py for the format.
 *  6. Memory is never freed: the process is gone before that could matter.
 *
 * Built by ci/build_launcher.py, for Linux: elsewhere there is no /proc, and every line would be left to Python anyway.
 * Functions give false, NULL or -1 for "cannot"; what that means is said once, in main() and run().
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROTOCOL "mm1"
#define DEFAULT_SHELL "/bin/sh" /* also what make has run a script without "#!" */
#define RECORD_VERSION 1
#define ORPHAN 9 /* a fate: make was gone before the line ended */
#define NOT_A_MAKE "-"    /* verdicts of the walk, in place of a run: nothing is recorded */
#define NO_MAKE_ABOVE "!"
#define PATIENCE_NS INT64_C(250000000)
#define WALK_PATIENCE_NS INT64_C(10000000000)
#define PAUSE_NS 500000
#define PARTS 10 /* see lock() */
#define STARTERS_PARTS 100 /* the line that started a walk is the only one, and most often nothing else goes on */
#define HASH_PRIME UINT64_C(4294967291) /* as in make_metrics/hot/procfs.py */
#define KEY_MAX 128
#define OPEN_OURS (O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW)

static const int handed_on[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
static const int ends_make[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the fragment hands over, decoded. `command` is the user's shell with flags and line, as main() got them. */
struct handover {
    char *target, *goal, *version, *make, *state;
    const char *environment; /* still encoded; empty with the SHELL hook */
    long level;
    bool old_make;   /* older than 4.4 */
    bool make_4_3; /* exactly 4.3, which searches PATH by a rule of its own */
    bool splits;     /* make would split a simple line itself: IFS is its own */
    char **command;
    char **shim; /* the command of the Python shim, with these words */
    int shell_words, words;
};

/* Where the line is recorded. `run` is empty until the make's walk has named it. */
struct book {
    pid_t parent, walker;
    const char *python, *entry;
    char *state, *records, *makes, *marker;
    char run[KEY_MAX], make[KEY_MAX];
    bool seen;        /* somebody sees what this line, which started the walk, could say */
    char *invitation; /* what the walk has for that one; NULL for nothing */
};

struct line {
    int64_t wall, start, end;
    int status, fate; /* status: 0 to 255, or the negative number of a signal */
    int64_t cpu_us, peak_kib; /* below 0: not known */
};

/* ---- words and text --------------------------------------------------------------------------------------------- */

static bool same(const char *one, const char *other) { return strcmp(one, other) == 0; }

static char *join(const char *one, const char *two, const char *three)
{
    size_t size = strlen(one) + strlen(two) + strlen(three) + 1;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "%s%s%s", one, two, three);
    return text;
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* The text of a percent-encoded word; NULL for one that the fragment does not write. */
static char *decode(const char *word)
{
    char *text = malloc(strlen(word) + 1), *end = text;
    if (text == NULL)
        return NULL;
    if (same(word, "-"))
        word = "";
    while (*word != '\0') {
        if (*word != '%') {
            *end++ = *word++;
            continue;
        }
        int high = hexadecimal(word[1]);
        int low = high < 0 ? -1 : hexadecimal(word[2]);
        if (low < 0 || high + low == 0)
            return NULL;
        *end++ = (char)(high * 16 + low);
        word += 3;
    }
    *end = '\0';
    return text;
}

/* Append a text as one word of printable ASCII; gives the new end. Room for three bytes a byte must be there. */
static char *encode(char *end, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    if (*text == '\0') {
        *end++ = '-';
        return end;
    }
    bool dash = same(text, "-");
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (!dash && byte < 0x80 && (isalnum(byte) || strchr("._/+,@:=-", byte) != NULL)) {
            *end++ = (char)byte;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return end;
}

/* A number of at most six digits and nothing else; -1 for anything else. */
static long number(const char *text, const char *end)
{
    long value = 0;
    if (text == end || end - text > 6)
        return -1;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

/* Decode the words; false for any that the fragment would not write just so. */
static bool take(struct handover *handed, int count, char **words)
{
    static const char *const prefixes[] = {"t:", "g:", "m:", "h:", "e:"};
    if (count < 8 || !same(words[0], PROTOCOL))
        return false;
    for (size_t at = 0; at < COUNT(prefixes); at++)
        if (strncmp(words[at + 1], prefixes[at], 2) != 0)
            return false;

    char *part[4] = {join(words[3] + 2, "", ""), NULL, NULL, NULL}; /* LEVEL:VERSION:MAKE:IFS */
    if (part[0] == NULL)
        return false;
    for (size_t at = 1; at < COUNT(part); at++) {
        char *colon = strchr(part[at - 1], ':');
        if (colon == NULL)
            return false;
        *colon = '\0';
        part[at] = colon + 1;
    }
    if (strchr(part[3], ':') != NULL)
        return false;
    const char *dot = strchr(part[1], '.');
    if (dot == NULL)
        return false;
    long major = number(part[1], dot), minor = number(dot + 1, dot + 1 + strcspn(dot + 1, "."));
    handed->level = *part[0] == '\0' ? 0 : number(part[0], part[0] + strlen(part[0]));
    long shell = number(words[6], words[6] + strlen(words[6]));
    if (major < 0 || minor < 0 || handed->level < 0 || shell < 1 || shell > count - 7)
        return false;

    handed->target = decode(words[1] + 2);
    handed->goal = decode(words[2] + 2);
    handed->version = part[1];
    handed->old_make = major < 4 || (major == 4 && minor < 4);
    handed->make_4_3 = same(part[1], "4.3");
    handed->make = decode(part[2]);
    handed->splits = same(part[3], "f");
    handed->state = decode(words[4] + 2);
    handed->environment = words[5] + 2;
    handed->command = words + 7;
    handed->shell_words = (int)shell;
    handed->words = count - 7;
    return handed->target != NULL && handed->goal != NULL && handed->make != NULL && handed->state != NULL;
}

/* ---- simple lines: make_metrics/hot/split_words.py --------------------------------------------------------------------------- */

static bool builtin(const char *word)
{
    static const char *const names[] = {
        ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "eval", "exec", "exit", "export", "fc",
        "fg", "for", "getopts", "hash", "if", "jobs", "login", "logout", "read", "readonly", "return", "set", "shift",
        "switch", "test", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "wait", "while",
    };
    for (size_t at = 0; at < COUNT(names); at++)
        if (same(word, names[at]))
            return true;
    return false;
}

static bool blank(char byte) { return byte == ' ' || byte == '\t'; }

/* The words of a line that needs no shell, NULL for one that does (or if there is no memory: then a shell does it). */
static char **simple_words(const char *line, bool newline_is_text)
{
    size_t length = strlen(line), count = 0;
    char **words = calloc(length / 2 + 2, sizeof *words);
    char *end = malloc(length + 2), *word = end;
    bool begun = false; /* a word has begun, be it with an empty pair of quotes */
    if (words == NULL || end == NULL)
        return NULL;
    while (*line != '\0') {
        char byte = *line++;
        if (blank(byte)) {
            if (begun) {
                *end++ = '\0';
                if (count == 0 && builtin(word))
                    return NULL;
                words[count++] = word;
                word = end;
                begun = false;
            }
        } else if (strchr("#;\"*?[]&|<>(){}$`^~!", byte) != NULL || (byte == '=' && count == 0) ||
                   (byte == '\n' && !newline_is_text)) {
            return NULL;
        } else if (byte == '\'') {
            const char *close = strchr(line, '\'');
            if (close == NULL)
                return NULL;
            memcpy(end, line, (size_t)(close - line));
            end += close - line;
            line = close + 1;
            begun = true;
        } else if (byte != '\\') {
            *end++ = byte;
            begun = true;
        } else if (*line == '\n') {
            line++;
            while (!begun && blank(*line))
                line++;
        } else if (*line != '\0') {
            *end++ = *line++;
            begun = true;
        }
    }
    if (begun) {
        *end = '\0';
        words[count++] = word;
    }
    return count == 0 || (count == 1 && builtin(words[0])) ? NULL : words;
}

/* ---- the environment -------------------------------------------------------------------------------------------- */

/* Where an environment has a name; NULL if it has not. */
static char **entry_of(char **environment, const char *name, size_t length)
{
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return environment;
    return NULL;
}

static const char *value_of(char **environment, const char *name)
{
    char **found = entry_of(environment, name, strlen(name));
    return found == NULL ? NULL : *found + strlen(name) + 1;
}

/* A whole file with a NUL after it; NULL if it cannot be read. /proc's files tell no size beforehand. */
static char *contents(const char *path, size_t *length)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t room = 4096, size = 0;
    char *text = fd < 0 ? NULL : malloc(room);
    while (text != NULL) {
        ssize_t got = read(fd, text + size, room - size - 1);
        if (got <= 0) {
            text[size] = '\0';
            if (got < 0)
                text = NULL;
            break;
        }
        size += (size_t)got;
        if (room - size < 2)
            text = realloc(text, room *= 2);
    }
    if (fd >= 0)
        close(fd);
    if (length != NULL)
        *length = size;
    return text;
}

static bool identifier(const char *name, size_t length)
{
    for (size_t at = 0; at < length; at++)
        if ((unsigned char)name[at] >= 0x80 || (!isalnum((unsigned char)name[at]) && name[at] != '_'))
            return false;
    return length > 0;
}

/* The environment as make passed it on: put back what an intermediate shell changed or dropped. NULL for odd words. */
static char **repaired(char **given, const struct handover *handed, pid_t parent)
{
    static const char *const changed[] = {"PWD=", "OLDPWD=", "_=", "SHLVL="};
    if (*handed->environment == '\0')
        return given;
    char path[64];
    size_t length = 0, count = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)parent);
    char *makes_own = contents(path, &length);
    size_t room = COUNT(changed) + 1;
    for (char **one = given; *one != NULL; one++)
        room++;
    for (size_t at = 0; makes_own != NULL && at < length; at++)
        room += makes_own[at] == '\0' || at + 1 == length;
    char **list = calloc(room, sizeof *list);
    if (list == NULL)
        return NULL;
    for (; *given != NULL; given++)
        list[count++] = *given;

    char *said = join(handed->environment, "", "");
    for (size_t at = 0; at < COUNT(changed) && said != NULL; at++) {
        char *next = strchr(said, '/');
        if (next != NULL)
            *next++ = '\0';
        char **place = entry_of(list, changed[at], strlen(changed[at]) - 1);
        if (*said == '+' || (*said == '.' && place != NULL)) {
            const char *text = decode(said + 1);
            char *whole = text == NULL ? NULL : join(changed[at], text, "");
            if (whole == NULL)
                return NULL;
            if (place == NULL)
                place = &list[count++];
            *place = whole;
        } else if (*said == '-' && place != NULL) {
            memmove(place, place + 1, (size_t)(list + count - place) * sizeof *place);
            count--;
        }
        said = next;
    }

    size_t before = count; /* the last one of a name counts, as in a dictionary */
    for (char *one = makes_own; one != NULL && one < makes_own + length; one += strlen(one) + 1) {
        const char *mark = strchr(one, '=');
        if (mark == NULL || identifier(one, (size_t)(mark - one)))
            continue; /* sh drops names that are no identifiers, and only those */
        char **place = entry_of(list, one, (size_t)(mark - one));
        if (place == NULL)
            list[count++] = one;
        else if (place >= list + before)
            *place = one;
    }
    return list;
}

/* ---- what to run ------------------------------------------------------------------------------------------------ */

/* Whether make runs a recipe line, rather than $(shell) or somebody the SHELL they were given. */
static bool is_recipe_line(const struct handover *handed, char **environment, pid_t parent)
{
    int rest = handed->words - handed->shell_words;
    if (*handed->target == '\0' || rest < 2)
        return false;
    const char *flags = handed->command[handed->words - 2], *level = value_of(environment, "MAKELEVEL");
    if (*flags == '\0' || flags[strlen(flags) - 1] != 'c')
        return false;
    char expected[32];
    snprintf(expected, sizeof expected, "%ld", handed->level + 1);
    if (level == NULL || !same(level, expected))
        return false;
    if (handed->old_make)
        return true;
    /* From 4.4 $(shell) has the level of a recipe line: its output is a pipe that is not make's own output. */
    struct stat ours, theirs;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)parent);
    if (fstat(1, &ours) < 0 || !S_ISFIFO(ours.st_mode) || stat(path, &theirs) < 0)
        return true;
    return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* The words to execute: those of a simple line, else the user's shell with its flags and the line. */
static char **command_of(const struct handover *handed, bool recipe)
{
    char **words = handed->command;
    if (handed->splits && handed->shell_words == 1 && handed->words == 3 && same(words[0], DEFAULT_SHELL) &&
        (same(words[1], "-c") || same(words[1], "-ec"))) {
        char **simple = simple_words(words[2], !recipe);
        if (simple != NULL)
            return simple;
    }
    return words;
}

/* The file that a command's name stands for, by PATH; NULL with errno as execvp(3) would set it. */
static const char *find(const struct handover *handed, const char *name, char **environment)
{
    const char *path = value_of(environment, "PATH");
    bool of_4_3 = handed->make_4_3;
    int missing = ENOENT;
    if (strchr(name, '/') != NULL || (path == NULL && of_4_3)) /* 4.3 does not look elsewhere then */
        return name;
    if (*name == '\0') { /* a pair of quotes */
        errno = of_4_3 ? EACCES : ENOENT;
        return NULL;
    }
    if (path == NULL)
        path = "/bin:/usr/bin";
    size_t size = strlen(path) + strlen(name) + 2;
    char *candidate = malloc(size);
    if (candidate == NULL)
        return NULL;
    for (;;) {
        int folder = (int)strcspn(path, ":");
        struct stat found;
        snprintf(candidate, size, "%.*s%s%s", folder, path, folder > 0 ? "/" : "", name);
        if (stat(candidate, &found) == 0) {
            /* 4.3 takes the first that may be executed, be it a directory. */
            if ((S_ISREG(found.st_mode) || of_4_3) && access(candidate, X_OK) == 0)
                return candidate;
            missing = EACCES;
        } else if (errno == EACCES) {
            missing = EACCES;
        }
        if (path[folder] == '\0')
            break;
        path += folder + 1;
    }
    errno = missing;
    return NULL;
}

/* strerror(3), but with the words of the library that make itself was linked with. */
static const char *words_for(int error)
{
#ifdef WORDS_OF_GLIBC
    switch (error) {
    case EIO:
        return "Input/output error";
    case ELOOP:
        return "Too many levels of symbolic links";
    case EMFILE:
        return "Too many open files";
    case ENAMETOOLONG:
        return "File name too long";
    case ENOMEM:
        return "Cannot allocate memory";
    case ELIBBAD:
        return "Accessing a corrupted shared library";
    }
#endif
    return strerror(error);
}

/* Whether make speaks another language than this program does, going by what it was started with. */
static bool translated(pid_t make)
{
    static const char *const names[] = {"LC_ALL=", "LC_MESSAGES=", "LANG=", "LANGUAGE="};
    const char *values[COUNT(names)] = {"", "", "", ""};
    char path[64];
    size_t length = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)make);
    char *text = contents(path, &length);
    for (char *one = text; one != NULL && one < text + length; one += strlen(one) + 1)
        for (size_t at = 0; at < COUNT(names); at++)
            if (strncmp(one, names[at], strlen(names[at])) == 0)
                values[at] = one + strlen(names[at]);
    const char *locale = *values[0] != '\0' ? values[0] : *values[1] != '\0' ? values[1] : values[2];
    if (*locale == '\0' || same(locale, "C") || same(locale, "POSIX") || strncmp(locale, "C.", 2) == 0)
        return false;
    const char *language = *values[3] != '\0' ? values[3] : locale;
    return strncmp(language, "en", 2) != 0;
}

/* Say what make says of a program that cannot be started; gives the exit status for it. */
static int fail(const struct handover *handed, const char *name, int error)
{
    const char *words = words_for(error);
    char level[32] = "";
    if (error == ENOENT && strcmp(handed->version, "4.3") < 0)
        words = "Command not found";
    if (handed->level > 0)
        snprintf(level, sizeof level, "[%ld]", handed->level);
    size_t size = strlen(handed->make) + strlen(level) + strlen(name) + strlen(words) + 8;
    char *text = malloc(size);
    if (text != NULL) {
        int length = snprintf(text, size, "%s%s: %s: %s\n", handed->make, level, name, words);
        if (write(2, text, (size_t)length) < 0)
            return 127; /* nobody is there to read it */
    }
    return 127;
}

/* The words with which a script without "#!" is run, as execvp(3) and make do; NULL without memory. */
static char **as_script(const char *path, char **command)
{
    size_t count = 0;
    while (command[count] != NULL)
        count++;
    char **words = calloc(count + 2, sizeof *words);
    if (words != NULL) {
        words[0] = (char *)DEFAULT_SHELL;
        words[1] = (char *)path;
        memcpy(words + 2, command + 1, count * sizeof *words);
    }
    return words;
}

/* Turn into the command. */
static _Noreturn void become(const struct handover *handed, char **environment, bool recipe)
{
    char **command = command_of(handed, recipe);
    const char *path = find(handed, command[0], environment);
    if (path != NULL) {
        execve(path, command, environment);
        if (errno == ENOEXEC) {
            char **words = as_script(path, command);
            if (words != NULL)
                execve(DEFAULT_SHELL, words, environment);
        }
    }
    int error = errno;
    if (translated(getppid()))
        execv(handed->shim[0], handed->shim);
    _exit(fail(handed, command[0], error));
}

/* ---- which record: make_metrics/hot/procfs.py, home.py and book.py ------------------------------------------------------- */

/* The key of a process, `<host>.<pid>.<start>`; false if /proc does not tell it. */
static bool identity(pid_t pid, char key[KEY_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *text = contents(path, NULL);
    const char *at = text == NULL ? NULL : strrchr(text, ')'); /* a program's name may hold anything, this too */
    if (at == NULL)
        return false;
    at++;
    for (int field = 3; field < 22 && at != NULL; field++) {
        at += strspn(at, " ");
        at = strchr(at, ' ');
    }
    if (at == NULL)
        return false;
    char *end;
    unsigned long long start = strtoull(at, &end, 10);
    if (end == at)
        return false;

    uint64_t host = 0;
    struct stat namespace;
    int digits = 0;
    text = contents("/proc/sys/kernel/random/boot_id", NULL);
    for (; text != NULL && hexadecimal(*text) + (*text == '-') >= 0; text++)
        if (*text != '-') {
            host = (host * 16 + (uint64_t)hexadecimal(*text)) % HASH_PRIME;
            digits++;
        }
    if (digits == 0 || (*text != '\0' && *text != '\n') || stat("/proc/self/ns/pid", &namespace) < 0)
        host = 0;
    else
        host = (host + (uint64_t)namespace.st_ino % HASH_PRIME) % HASH_PRIME;
    return snprintf(key, KEY_MAX, "%08llx.%d.%llu", (unsigned long long)host, (int)pid, start) < KEY_MAX;
}

/* The state directory; NULL for what is left to the Python shim. */
static char *state_directory(const struct handover *handed, char **environment)
{
    const char *sudo = value_of(environment, "SUDO_UID"), *moved = value_of(environment, "MAKE_METRICS_HOME");
    const char *home = value_of(environment, "HOME"), *base = value_of(environment, "XDG_STATE_HOME");
    if (geteuid() == 0 && sudo != NULL && !same(sudo, "0"))
        return NULL;
    if (moved != NULL && *moved != '\0') {
        char *root = *moved == '/' ? join(moved, "", "") : NULL;
        for (size_t end = root == NULL ? 0 : strlen(root); end > 0 && root[end - 1] == '/'; end--)
            root[end - 1] = '\0';
        return root == NULL ? NULL : join(root, "/state", "");
    }
    if (*handed->state == '/')
        return handed->state;
    if (home == NULL || *home == '\0')
        return NULL;
    if (base != NULL && *base == '/')
        return join(base, "/make-metrics", "");
    return join(home, "/.local/state/make-metrics", "");
}

/* Whether a text is a process key, which becomes a file's name. */
static bool is_key(const char *text)
{
    size_t length = strlen(text);
    return length > 4 && length < KEY_MAX - 1 && length == strspn(text, "0123456789abcdef.") && *text != '.';
}

/* A directory of ours, made if it is missing; the one above it must be there. */
static bool private_directory(const char *path)
{
    struct stat found;
    bool there = path != NULL && lstat(path, &found) == 0;
    if (path != NULL && !there && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST))
        there = lstat(path, &found) == 0;
    return there && S_ISDIR(found.st_mode) && (found.st_uid == geteuid() || geteuid() == 0);
}

/* Take run and make from the marker that the walk leaves; they stay if no walk has ended. False for an odd marker. */
static bool know(struct book *book)
{
    char *said = contents(book->marker, NULL);
    if (said == NULL)
        return errno == ENOENT;
    char *rest = strchr(said, '\n');
    if (rest != NULL) {
        *rest++ = '\0';
        book->invitation = rest;
    }
    const char *run = strtok(said, " "), *make = run == NULL ? NULL : strtok(NULL, " ");
    if (run == NULL)
        return true;
    bool verdict = make == NULL && (same(run, NOT_A_MAKE) || same(run, NO_MAKE_ABOVE));
    if (!verdict && (make == NULL || strtok(NULL, " ") != NULL || !is_key(run) || !is_key(make)))
        return false;
    snprintf(book->run, sizeof book->run, "%s", run);
    if (!verdict)
        snprintf(book->make, sizeof book->make, "%s", make);
    return true;
}

/* Find the place to record in, and the run if it is known; false for what is left to the Python shim. */
static bool open_book(struct book *book, const struct handover *handed, char **environment)
{
    book->state = state_directory(handed, environment);
    if (book->state == NULL || !identity(book->parent, book->make))
        return false;
    book->records = join(book->state, "/records", "");
    book->makes = join(book->state, "/makes", "");
    book->marker = book->makes == NULL ? NULL : join(book->makes, "/", book->make);
    return book->marker != NULL && private_directory(book->state) && private_directory(book->records) &&
           private_directory(book->makes) && know(book);
}

/* ---- the record: make_metrics/hot/append.py and wire.py ------------------------------------------------------------------- */

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The entry of one recipe line; NULL without memory. */
static char *entry_text(const char *make, const char *target, const char *goal, long level, const struct line *line)
{
    char *text = malloc(strlen(make) + 3 * strlen(target) + 3 * strlen(goal) + 256), *end = text;
    if (text == NULL)
        return NULL;
    end += sprintf(end, "L %s ", make);
    end = encode(end, target);
    *end++ = ' ';
    end = encode(end, goal);
    end += sprintf(end, " %ld %lld %lld %lld %d %d", level, (long long)line->wall, (long long)line->start,
                   (long long)line->end, line->status, line->fate);
    if (line->cpu_us >= 0)
        end += sprintf(end, " %lld %lld", (long long)line->cpu_us, (long long)line->peak_kib);
    strcpy(end, " ;\n");
    return text;
}

/* As root: leave a file to the owner of the directory that it is in. */
static bool give(int fd, const char *folder)
{
    struct stat owner, ours;
    if (geteuid() != 0)
        return true;
    if (stat(folder, &owner) < 0 || fstat(fd, &ours) < 0)
        return false;
    return ours.st_uid == owner.st_uid || fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

/* A descriptor that holds a lock; -1 if it cannot be had, or not soon. Many may wait, on few cores: the longer it takes,
 * the less often each of them looks, again after one of so many parts of the time that it has waited. */
static int lock(const char *path, const char *folder, int operation, int64_t patience_ns, int parts)
{
    int64_t begun = nanoseconds(CLOCK_MONOTONIC);
    for (;;) {
        int fd = open(path, OPEN_OURS, 0600);
        struct stat found;
        if (fd < 0)
            return -1;
        if (give(fd, folder)) {
            if (flock(fd, operation | LOCK_NB) == 0) {
                if (fstat(fd, &found) == 0 && found.st_nlink > 0)
                    return fd;
                close(fd); /* removed while we waited: its holder combined the record */
                continue;
            }
            int64_t waited = nanoseconds(CLOCK_MONOTONIC) - begun;
            if (errno == EWOULDBLOCK && waited < patience_ns) {
                const struct timespec pause = {0, waited / parts > PAUSE_NS ? waited / parts : PAUSE_NS};
                close(fd);
                nanosleep(&pause, NULL);
                continue;
            }
        }
        close(fd);
        return -1;
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

/* Append to a record file, whole or not at all. */
static void append(const char *path, const char *folder, const char *run, const char *text, int flags)
{
    int fd = open(path, OPEN_OURS | O_APPEND | flags, 0600);
    struct stat found;
    char last, digits[17], preamble[KEY_MAX + 32] = "";
    if (fd < 0)
        return;
    if (give(fd, folder) && fstat(fd, &found) == 0) {
        bool ready = true;
        if (found.st_size == 0) {
            ready = random_digits(digits);
            snprintf(preamble, sizeof preamble, "R %d %s %s ;\n", RECORD_VERSION, run, digits);
        } else {
            ready = pread(fd, &last, 1, found.st_size - 1) == 1;
            if (last != '\n')
                strcpy(preamble, "\n"); /* a torn entry before us must not cost ours */
        }
        const char *whole = ready ? join(preamble, text, "") : NULL;
        if (whole != NULL) {
            ssize_t written = write(fd, whole, strlen(whole));
            /* The disk is full: leave no half of an entry. Should that fail too, readers know a torn entry. */
            if (written >= 0 && (size_t)written != strlen(whole) && ftruncate(fd, found.st_size) < 0)
                preamble[0] = '\0';
        }
    }
    close(fd);
}

static void record(const struct book *book, const struct handover *handed, const struct line *line)
{
    const char *text = entry_text(book->make, handed->target, handed->goal, handed->level, line);
    const char *folder = book->records, *base = join(folder, "/", book->run);
    const char *lock_path = base == NULL ? NULL : join(base, ".lock", "");
    char digits[17];
    if (text == NULL || lock_path == NULL)
        return;
    int held = lock(lock_path, folder, LOCK_EX, PATIENCE_NS, PARTS);
    if (held >= 0) {
        const char *path = join(base, ".rec", "");
        if (path != NULL)
            append(path, folder, book->run, text, 0);
        close(held);
    } else if (random_digits(digits)) {
        const char *name = join("~", digits, ".rec"), *path = name == NULL ? NULL : join(base, name, "");
        if (path != NULL)
            append(path, folder, book->run, text, O_EXCL);
    }
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static void nothing(int signal_number) { (void)signal_number; }

/* Start a program with the signal mask that we were started with; gives its pid, or -1 with errno set.
 *
 * vfork(2) rather than posix_spawn(3), which asks for the disposition of every signal there is, twice our own cost. The
 * child borrows our memory and does nothing there but set `error`. All signals that have a handler are blocked, but for
 * SIGCHLD just before execve, and its handler does nothing. */
static pid_t spawn(const char *path, char **command, char **environment, const sigset_t *mask)
{
    volatile int error = 0;
    pid_t child = vfork();
    if (child == 0) {
        sigprocmask(SIG_SETMASK, mask, NULL);
        execve(path, command, environment);
        error = errno;
        _exit(127);
    }
    if (child > 0 && error != 0) {
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
        child = -1;
        errno = error;
    }
    return child;
}

static pid_t start(const struct handover *handed, char **command, char **environment, const sigset_t *mask)
{
    const char *path = find(handed, command[0], environment);
    if (path == NULL)
        return -1;
    pid_t child = spawn(path, command, environment, mask);
    if (child < 0 && errno == ENOEXEC) {
        char **words = as_script(path, command);
        if (words != NULL)
            child = spawn(DEFAULT_SHELL, words, environment, mask);
    }
    return child;
}

/* Whether standard error is this process's terminal, and it is not in its background. */
static bool in_front(void) { return isatty(2) && tcgetpgrp(2) == getpgrp(); }

/* Show what the walk has for the developer, once the line has ended; never waits for the terminal. */
static void invite(const struct book *book)
{
    struct pollfd terminal = {.fd = 2, .events = POLLOUT};
    if (!book->seen || book->invitation == NULL || *book->invitation == '\0' || !in_front())
        return;
    if (poll(&terminal, 1, 0) != 1 || terminal.revents != POLLOUT)
        return;
    const char *text = join(book->invitation, "\n", "");
    signal(SIGTTOU, SIG_IGN); /* should we be put in the background just now */
    if (text != NULL && write(2, text, strlen(text)) < 0)
        return; /* nobody is there to read it */
}

/* Start the walk up the process tree, unless another line of this make has; it holds the marker's lock until it ends. */
static void walk(struct book *book, const struct handover *handed, char **environment)
{
    char parent[16], make[KEY_MAX];
    int held = lock(book->marker, book->makes, LOCK_EX, 0, PARTS);
    if (held < 0 && errno != EWOULDBLOCK)
        held = open(book->marker, OPEN_OURS, 0600); /* no locks here: two lines may walk, and find the same */
    if (held < 0)
        return;
    if (know(book) && *book->run == '\0') {
        snprintf(parent, sizeof parent, "%d", (int)book->parent);
        snprintf(make, sizeof make, "%s", book->make);
        book->seen = handed->level == 0 && in_front();
        char *words[] = {(char *)book->python, "-I", "-S", (char *)book->entry, "walk", parent, make, book->state,
                         handed->make, handed->version, handed->goal, book->seen ? "t" : "-", NULL};
        /* It inherits our signal mask, and is in no group that a terminal signals. Here vfork's child only makes system
         * calls, on descriptors of its own. */
        sigset_t stop, mask;
        sigemptyset(&stop);
        sigaddset(&stop, SIGTSTP); /* stopped before it is in its own group, it would not be told to go on */
        sigprocmask(SIG_BLOCK, &stop, &mask);
        pid_t walker = vfork();
        if (walker == 0) {
            setpgid(0, 0);
            if (dup2(held, 1) == 1 && fcntl(1, F_SETFD, 0) == 0) { /* it may be 1 already, and be close-on-exec */
                int nowhere = open("/dev/null", O_RDWR); /* may become 0 or 2 itself */
                if (nowhere != 0)
                    dup2(nowhere, 0);
                if (nowhere != 2)
                    dup2(nowhere, 2);
                if (nowhere > 2)
                    close(nowhere);
                execve(book->python, words, environment);
            }
            _exit(127);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
        book->walker = walker;
    }
    close(held); /* the walk's standard output holds the lock */
}

/* Without locks only the line that started the walk can tell when it has ended. */
static void await_walker(struct book *book)
{
    const struct timespec pause = {0, 1000000};
    int64_t give_up = nanoseconds(CLOCK_MONOTONIC) + WALK_PATIENCE_NS;
    while (book->walker > 0 && nanoseconds(CLOCK_MONOTONIC) < give_up) {
        if (waitpid(book->walker, NULL, WNOHANG) != 0)
            book->walker = 0;
        else
            nanosleep(&pause, NULL);
    }
}

/* Wait for the walk if the run is not known yet; false if there is nothing to record. */
static bool walked(struct book *book, struct line *line)
{
    if (*book->run == '\0') {
        int held = lock(book->marker, book->makes, LOCK_SH, WALK_PATIENCE_NS, book->walker > 0 ? STARTERS_PARTS : PARTS);
        if (held >= 0)
            close(held);
        else if (errno != EWOULDBLOCK)
            await_walker(book);
        know(book); /* if not even now, its make counts as a run of its own, which it most often is */
    }
    if (book->walker > 0)
        kill(book->walker, SIGKILL); /* what it does after the walk may be done by anyone, any time */
    if (same(book->run, NOT_A_MAKE))
        return false;
    if (same(book->run, NO_MAKE_ABOVE)) {
        *book->run = '\0';
        if (!identity(getpid(), book->make))
            return false;
        if (line->fate == 0)
            line->fate = ORPHAN;
    }
    if (*book->run == '\0')
        snprintf(book->run, sizeof book->run, "%s", book->make);
    if (line->fate == 0 && getppid() != book->parent)
        line->fate = ORPHAN;
    return true;
}

static bool one_of(int wanted, const int *numbers, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (numbers[at] == wanted)
            return true;
    return false;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

/* Make our own words illegible where others read them: a recipe's `pkill -f NAME` must not find us, who are not there
 * without the include line. Letters are turned by 13, digits by 5; twice gives them back (make_metrics/walk/walk.py). */
static void turn(int count, char **words)
{
    for (int at = 0; at < count; at++)
        for (char *byte = words[at]; *byte != '\0'; byte++)
            if ((unsigned char)*byte < 0x80 && isalnum((unsigned char)*byte)) {
                char first = isdigit((unsigned char)*byte) ? '0' : isupper((unsigned char)*byte) ? 'A' : 'a';
                int range = first == '0' ? 10 : 26;
                *byte = (char)(first + (*byte - first + range / 2) % range);
            }
}

/* The same words in memory of their own; NULL if there is none. */
static char **copied(char **words)
{
    size_t count = 0;
    while (words[count] != NULL)
        count++;
    char **copies = calloc(count + 1, sizeof *copies);
    for (size_t at = 0; copies != NULL && at < count; at++)
        if ((copies[at] = join(words[at], "", "")) == NULL)
            return NULL;
    return copies;
}

/* Wait for the child, through Ctrl-C and handing on what make sends; then see to what came while we were busy elsewhere.
 *
 * What others send to the whole process group the child has as well, and only once. A shell that signals its parent means
 * make; any other program has found us by our name. */
static void wait_for(pid_t child, bool shell, pid_t parent, const sigset_t *waited, struct line *line)
{
    const struct timespec no_time = {0, 0};
    bool running = true;
    for (;;) {
        int status;
        struct rusage used;
        siginfo_t told;
        pid_t ended = running ? wait4(child, &status, WNOHANG, &used) : 0;
        if (ended > 0) {
            line->cpu_us = microseconds(used.ru_utime) + microseconds(used.ru_stime);
            line->peak_kib = used.ru_maxrss;
        }
        if (ended != 0) {
            line->status = ended < 0 ? 127 : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
            running = false;
        }
        int caught = running ? sigwaitinfo(waited, &told) : sigtimedwait(waited, &told, &no_time);
        if (caught < 0 && running)
            continue; /* we were stopped and go on */
        if (caught < 0)
            return;
        if (caught != SIGCHLD && told.si_pid == child) {
            if (shell)
                kill(parent, caught); /* `kill $PPID` in a recipe means make */
            continue;
        }
        if (line->fate == 0 && one_of(caught, ends_make, COUNT(ends_make)))
            line->fate = caught;
        if (running && told.si_pid == parent && one_of(caught, handed_on, COUNT(handed_on)))
            kill(child, caught);
    }
}

/* End as the line ended: with its exit status, or dead of the same signal. */
static _Noreturn void end_as(int status)
{
    if (status < 0) {
        const struct rlimit none = {0, 0};
        sigset_t only;
        setrlimit(RLIMIT_CORE, &none); /* the line has left its own core file */
        signal(-status, SIG_DFL);
        sigemptyset(&only);
        sigaddset(&only, -status);
        kill(getpid(), -status);
        sigprocmask(SIG_UNBLOCK, &only, NULL);
        status = 128 - status;
    }
    _exit(status);
}

/* Run the line and record it. */
static _Noreturn void run(const struct handover *handed, char **environment, struct book *book, int count, char **words)
{
    static const int waited_for[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};
    char **command = command_of(handed, true), **own = copied(command);
    bool shell = command == handed->command;
    struct line line = {0};
    if (own != NULL) { /* before the line starts: it may look at once */
        command = own;
        turn(count, words);
    }
    sigset_t waited, mask;
    sigemptyset(&waited);
    for (size_t at = 0; at < COUNT(waited_for); at++) {
        struct sigaction found;
        if (sigaction(waited_for[at], NULL, &found) == 0 && found.sa_handler != SIG_IGN)
            sigaddset(&waited, waited_for[at]); /* one that we were told to ignore stays ignored, here and in the line */
    }
    sigaddset(&waited, SIGCHLD);
    signal(SIGCHLD, nothing); /* a signal that is ignored by default need not be kept for us, nor a child's status */
    sigprocmask(SIG_BLOCK, &waited, &mask);

    line.wall = nanoseconds(CLOCK_REALTIME);
    line.start = nanoseconds(CLOCK_MONOTONIC);
    pid_t child = start(handed, command, environment, &mask);
    int error = errno;
    /* No room for one more process: make's own, and no record. Or words that the Python shim can say. */
    bool full = error == EAGAIN || error == ENOMEM;
    if (child < 0 && (full || translated(book->parent))) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (own != NULL)
            turn(count, words); /* back again */
        if (full)
            become(handed, environment, true);
        execv(handed->shim[0], handed->shim);
    }
    signal(SIGPIPE, SIG_IGN); /* nor may what we write kill us: a message nobody reads, a record beyond a size limit */
    signal(SIGXFSZ, SIG_IGN);
    if (child < 0)
        line.status = fail(handed, command[0], error);
    if (*book->run == '\0')
        walk(book, handed, environment);
    if (child > 0) {
        line.cpu_us = -1;
        wait_for(child, shell, book->parent, &waited, &line);
    }
    line.end = nanoseconds(CLOCK_MONOTONIC);
    if (walked(book, &line))
        record(book, handed, &line);
    if (line.fate == 0 && line.status >= 0)
        invite(book);
    if (book->walker > 0) /* it takes a while to fall apart */
        while (waitpid(book->walker, NULL, 0) < 0 && errno == EINTR)
            continue;
    end_as(line.status);
}

#ifndef LAUNCHER_WITHOUT_MAIN
int main(int count, char **words)
{
    struct handover handed;
    struct book book = {.parent = getppid()};
    if (count == 2 && same(words[1], PROTOCOL))
        return 0; /* set-up asks whether this program can run here, and speaks its protocol */
    bool taken = count > 5 && take(&handed, count - 5, words + 5);
    if (taken) {
        book.python = join(words[1], "", "");
        book.entry = join(words[4], "", "");
        taken = book.python != NULL && book.entry != NULL;
        handed.shim = words + 1;
    }
    char **environment = taken ? repaired(environ, &handed, book.parent) : NULL;
    if (environment != NULL) {
        if (!is_recipe_line(&handed, environment, book.parent))
            become(&handed, environment, false);
        if (open_book(&book, &handed, environment))
            run(&handed, environment, &book, count, words);
    }
    if (count > 1)
        execv(words[1], words + 1);
    if (taken) /* the Python shim is gone; the line must still be run */
        become(&handed, environment == NULL ? environ : environment, true);
    return 127;
}
#endif
