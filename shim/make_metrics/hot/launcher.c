/*
 * The launcher: one recipe line, run and recorded as hot/line.py does it, without the start of an interpreter.
 *
 *     launcher PYTHON -I -S ENTRY mm1 t:... g:... m:... h:... e:... COUNT SHELL... FLAGS... LINE
 *
 * The words after the launcher's name are the command line of the Python shim (hot/arguments.py). The Python shim is
 * the reference: a line looks the same through either, in the build and in the record.
 *
 * Contents, in this order; behind each section the Python module (of make_metrics) that does the same:
 *
 *     constants            tests/hot/test_launcher_constants.py compares them with the modules
 *     text                 hot/record_format.py
 *     arguments            hot/arguments.py
 *     simple lines         hot/split_words.py
 *     environment          hot/line.py, hot/procfs.py
 *     command              hot/line.py, hot/exec_error.py
 *     process key          hot/procfs.py
 *     state directory      hot/state_dir.py
 *     marker               hot/recorder.py
 *     record               hot/append.py, hot/record_format.py
 *     start                hot/line.py
 *     walk and invitation  hot/recorder.py
 *     wait and end         hot/line.py
 *     main                 entry.py
 *
 * Invariants:
 *
 *  1. Rare cases are left to the Python shim: the launcher becomes it. These are: no state directory yet, a make that
 *     root runs below another user's make, no /proc, a program that cannot be started while make speaks another
 *     language, and words that the fragment does not write. The launcher decides before it starts or changes anything,
 *     so the Python shim finds signals, descriptors and environment as make left them. The launcher first asks the
 *     Python shim whether it runs: an interpreter may be gone, replaced, or half upgraded. Without Python the line runs
 *     and is not recorded. The walk of a make's first line (walk/walk.py) is Python too, in a process beside the line.
 *  2. No descriptor of ours is open while the line starts: it gets exactly the descriptors that make left open. All
 *     that the launcher opens is close-on-exec.
 *  3. Signals are blocked before the line starts and are then waited for one by one: none can arrive between a check
 *     and a wait.
 *  4. After the start no bookkeeping can fail the line, delay its end by more than the lock's patience, or print. The
 *     launcher prints only make's message for a program that cannot be started and, in a terminal after the line has
 *     ended, the invitation that the walk may have left in the marker (docs/decisions/0007).
 *  5. An entry is written with the record's lock held (flock(2) on <run>.lock), by one write that is undone if it was
 *     short; without the lock, into a record file of its own (hot/append.py).
 *  6. Memory is never freed: the process ends before that could matter.
 *
 * Built by ci/build_launcher.py, for Linux: without /proc every line would be left to Python. Functions give false,
 * NULL or -1 for "cannot"; main() and run_line() say what then happens.
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

/* ---- constants: compared with the Python modules by tests/hot/test_launcher_constants.py ------------------------- */

/* They stand here as values, for whoever reads this file, and are not generated at build time: a test is enough to keep
 * them true, and the build stays one call of the compiler. */
#define PROTOCOL "mm1"
#define ANSWER "mm1 runs" /* to the protocol alone: the shim runs here */
#define DEFAULT_SHELL "/bin/sh" /* it also runs scripts without "#!", as in make */
#define DEFAULT_PATH "/bin:/usr/bin"
#define RECORD_VERSION 1
#define ORPHAN 9 /* a fate: make was gone before the line ended */
#define NOT_A_MAKE "-" /* a verdict of the walk, in the marker in place of a run: nothing is recorded */
#define NO_MAKE_ABOVE "!" /* a verdict of the walk: the line is a run of its own */
#define ATTENDED "t" /* for the walk: somebody would see what this line prints at its end */
#define UNATTENDED "-"
#define LOCK_PATIENCE_NS INT64_C(250000000)
#define LOCK_PAUSE_NS INT64_C(500000)
#define LOCK_PARTS 10 /* see lock() */
#define STARTER_LOCK_PARTS 100 /* the line that started the walk mostly waits alone, so it looks more often */
#define WALK_PATIENCE_NS INT64_C(10000000000)
#define HOST_PRIME UINT64_C(4294967291)
#define SPECIAL_CHARACTERS "#;\"*?[]&|<>(){}$`^~!" /* a line that holds one of these is no simple line */
#define PLAIN_CHARACTERS "._/+,@:=-" /* besides letters and digits, these are not percent-encoded in a record */
static const char *const shell_builtins[] = {
    ".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "eval", "exec", "exit", "export", "fc",
    "fg", "for", "getopts", "hash", "if", "jobs", "login", "logout", "read", "readonly", "return", "set", "shift",
    "switch", "test", "times", "trap", "type", "ulimit", "umask", "unalias", "unset", "wait", "while",
};
/* The variables that the flags hook's intermediate shell changes. */
static const char *const changed_names[] = {"PWD", "OLDPWD", "_", "SHLVL"};
static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
static const int ends_make[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int waited_for[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT};

/* These have no counterpart in Python. */
#define KEY_MAX 128 /* bytes of a process key with its NUL; a longer one is left to the Python shim */
#define NUMBER_DIGITS_MAX 6 /* digits of a number in the arguments; a longer one is left to the Python shim */
#define OPEN_FLAGS (O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- text: hot/record_format.py ---------------------------------------------------------------------------------- */

static bool equal(const char *first, const char *second) { return strcmp(first, second) == 0; }

/* Three texts in one, in memory of its own. */
static char *join(const char *first, const char *second, const char *third)
{
    size_t size = strlen(first) + strlen(second) + strlen(third) + 1;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "%s%s%s", first, second, third);
    return text;
}

static int hexadecimal_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* The text of a percent-encoded word; NULL for a word that the fragment does not write. */
static char *decode(const char *word)
{
    char *text = malloc(strlen(word) + 1), *end = text;
    if (text == NULL)
        return NULL;
    if (equal(word, "-"))
        word = "";
    while (*word != '\0') {
        if (*word != '%') {
            *end++ = *word++;
            continue;
        }
        int high = hexadecimal_value(word[1]);
        int low = high < 0 ? -1 : hexadecimal_value(word[2]);
        if (low < 0 || high + low == 0)
            return NULL;
        *end++ = (char)(high * 16 + low);
        word += 3;
    }
    *end = '\0';
    return text;
}

/* Write a text as one word of printable ASCII; gives the end. The buffer needs three bytes for each one of the text. */
static char *encode(char *end, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    if (*text == '\0') {
        *end++ = '-';
        return end;
    }
    bool is_dash = equal(text, "-"); /* a bare "-" means the empty text */
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (!is_dash && byte < 0x80 && (isalnum(byte) || strchr(PLAIN_CHARACTERS, byte) != NULL)) {
            *end++ = (char)byte;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return end;
}

/* The value of a text of decimal digits, -1 for any other text. */
static long parse_number(const char *text, const char *end)
{
    long value = 0;
    if (text == end || end - text > NUMBER_DIGITS_MAX)
        return -1;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
    }
    return value;
}

/* ---- arguments: hot/arguments.py --------------------------------------------------------------------------------- */

/* The words from the fragment, decoded. */
struct arguments {
    char *target, *goal, *version, *make, *state;
    const char *environment; /* still encoded; empty with the SHELL hook */
    long level;
    bool before_4_4; /* make is older than 4.4: $(shell) in it gets another MAKELEVEL than a recipe line */
    bool is_4_3; /* exactly 4.3, which searches PATH by its own rule */
    bool splits_lines; /* make itself would split a simple line: IFS is unchanged */
    char **command; /* the makefile's shell, flags and line, from main()'s words */
    char **shim; /* the command line of the Python shim, from main()'s words */
    int shell_words, words; /* the number of words of the shell, and of the whole command */
};

/* Decode the words; false if they are not exactly what the fragment writes. */
static bool parse_arguments(struct arguments *arguments, int count, char **words)
{
    static const char *const prefixes[] = {"t:", "g:", "m:", "h:", "e:"};
    if (count < 8 || !equal(words[0], PROTOCOL))
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
    long major = parse_number(part[1], dot), minor = parse_number(dot + 1, dot + 1 + strcspn(dot + 1, "."));
    arguments->level = *part[0] == '\0' ? 0 : parse_number(part[0], part[0] + strlen(part[0]));
    long shell = parse_number(words[6], words[6] + strlen(words[6]));
    if (major < 0 || minor < 0 || arguments->level < 0 || shell < 1 || shell > count - 7)
        return false;

    arguments->target = decode(words[1] + 2);
    arguments->goal = decode(words[2] + 2);
    arguments->version = part[1];
    arguments->before_4_4 = major < 4 || (major == 4 && minor < 4);
    arguments->is_4_3 = equal(part[1], "4.3");
    arguments->make = decode(part[2]);
    arguments->splits_lines = equal(part[3], "f");
    arguments->state = decode(words[4] + 2);
    arguments->environment = words[5] + 2;
    arguments->command = words + 7;
    arguments->shell_words = (int)shell;
    arguments->words = count - 7;
    return arguments->target != NULL && arguments->goal != NULL && arguments->make != NULL && arguments->state != NULL;
}

/* ---- simple lines: hot/split_words.py ---------------------------------------------------------------------------- */

static bool is_shell_builtin(const char *word)
{
    for (size_t at = 0; at < COUNT(shell_builtins); at++)
        if (equal(word, shell_builtins[at]))
            return true;
    return false;
}

static bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

/* The words of a simple line; NULL for a line that needs a shell, and without memory: the shell then runs the line. */
static char **simple_words(const char *line, bool newline_is_text)
{
    size_t length = strlen(line), count = 0;
    char **words = calloc(length / 2 + 2, sizeof *words);
    char *end = malloc(length + 2), *word = end;
    bool begun = false; /* whether a word has begun; an empty pair of quotes begins one */
    if (words == NULL || end == NULL)
        return NULL;
    while (*line != '\0') {
        char byte = *line++;
        if (is_blank(byte)) {
            if (begun) {
                *end++ = '\0';
                if (count == 0 && is_shell_builtin(word))
                    return NULL;
                words[count++] = word;
                word = end;
                begun = false;
            }
        } else if (strchr(SPECIAL_CHARACTERS, byte) != NULL || (byte == '=' && count == 0) ||
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
            while (!begun && is_blank(*line))
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
    return count == 0 || (count == 1 && is_shell_builtin(words[0])) ? NULL : words;
}

/* ---- environment: hot/line.py, hot/procfs.py --------------------------------------------------------------------- */

/* The place of a variable in an environment; NULL if it is not set. */
static char **find_variable(char **environment, const char *name, size_t length)
{
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
            return environment;
    return NULL;
}

/* The value of a variable; NULL if it is not set. */
static const char *variable(char **environment, const char *name)
{
    char **place = find_variable(environment, name, strlen(name));
    return place == NULL ? NULL : *place + strlen(name) + 1;
}

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
    return text;
}

/* Whether a shell keeps a variable of this name. */
static bool is_identifier(const char *name, size_t length)
{
    for (size_t at = 0; at < length; at++)
        if ((unsigned char)name[at] >= 0x80 || (!isalnum((unsigned char)name[at]) && name[at] != '_'))
            return false;
    return length > 0;
}

/* The environment as make passed it on: undoes what the intermediate shell changed and dropped. NULL for words that the
 * fragment does not write. */
static char **restored_environment(char **current, const struct arguments *arguments, pid_t parent)
{
    if (*arguments->environment == '\0')
        return current;
    char path[64];
    size_t length = 0, count = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)parent);
    char *of_make = read_file(path, &length);
    size_t room = COUNT(changed_names) + 1;
    for (char **variable = current; *variable != NULL; variable++)
        room++;
    for (size_t at = 0; of_make != NULL && at < length; at++)
        room += of_make[at] == '\0' || at + 1 == length;
    char **environment = calloc(room, sizeof *environment);
    if (environment == NULL)
        return NULL;
    for (; *current != NULL; current++)
        environment[count++] = *current;

    char *word = join(arguments->environment, "", "");
    for (size_t at = 0; at < COUNT(changed_names) && word != NULL; at++) {
        char *next = strchr(word, '/');
        if (next != NULL)
            *next++ = '\0';
        const char *name = changed_names[at];
        char **place = find_variable(environment, name, strlen(name));
        if (*word == '+' || (*word == '.' && place != NULL)) {
            const char *value = decode(word + 1);
            char *variable = value == NULL ? NULL : join(name, "=", value);
            if (variable == NULL)
                return NULL;
            if (place == NULL)
                place = &environment[count++];
            *place = variable;
        } else if (*word == '-' && place != NULL) {
            memmove(place, place + 1, (size_t)(environment + count - place) * sizeof *place);
            count--;
        }
        word = next;
    }

    size_t count_before = count; /* if make has a name twice, the last one counts, as in a dictionary */
    for (char *variable = of_make; variable != NULL && variable < of_make + length; variable += strlen(variable) + 1) {
        const char *mark = strchr(variable, '=');
        if (mark == NULL || is_identifier(variable, (size_t)(mark - variable)))
            continue; /* sh drops names that are no identifiers, and only those */
        char **place = find_variable(environment, variable, (size_t)(mark - variable));
        if (place == NULL)
            environment[count++] = variable;
        else if (place >= environment + count_before)
            *place = variable;
    }
    return environment;
}

/* ---- command: hot/line.py, hot/exec_error.py --------------------------------------------------------------------- */

/* Whether a shell takes the last of its words for a command, as with -c, -ceu or "-ceuo pipefail". "o" and bash's "O"
 * take the next word. A word that is no option ends the options; a script, or words behind the command, are what a
 * program passes that uses make's SHELL as a plain shell. */
static bool is_command(char **words, int count)
{
    int at = 0, last = count - 1;
    bool commanded = false;
    while (at < last && (*words[at] == '-' || *words[at] == '+')) {
        const char *word = words[at++];
        if (equal(word, "-") || equal(word, "--"))
            break;
        if (strncmp(word, "--", 2) == 0)
            continue;
        commanded = commanded || (*word == '-' && strchr(word, 'c') != NULL);
        for (; *word != '\0'; word++)
            at += *word == 'o' || *word == 'O';
    }
    return commanded && at == last;
}

/* Whether make runs a recipe line: not $(shell), and not a program that uses make's SHELL as a plain shell. */
static bool is_recipe_line(const struct arguments *arguments, char **environment, pid_t parent)
{
    int rest = arguments->words - arguments->shell_words;
    if (*arguments->target == '\0')
        return false;
    if (!is_command(arguments->command + arguments->shell_words, rest))
        return false;
    const char *level = variable(environment, "MAKELEVEL");
    char expected[32];
    snprintf(expected, sizeof expected, "%ld", arguments->level + 1);
    if (level == NULL || !equal(level, expected))
        return false;
    if (arguments->before_4_4)
        return true;
    /* From 4.4 $(shell) has a recipe line's level; but its output is a pipe that is not make's own output. */
    struct stat ours, theirs;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)parent);
    if (fstat(1, &ours) < 0 || !S_ISFIFO(ours.st_mode) || stat(path, &theirs) < 0)
        return true;
    return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* The command to execute: the words of a simple line, else the makefile's shell with its flags and the line. */
static char **command_for(const struct arguments *arguments, bool recipe)
{
    char **words = arguments->command;
    if (arguments->splits_lines && arguments->shell_words == 1 && arguments->words == 3 &&
        equal(words[0], DEFAULT_SHELL) && (equal(words[1], "-c") || equal(words[1], "-ec"))) {
        char **simple = simple_words(words[2], !recipe);
        if (simple != NULL)
            return simple;
    }
    return words;
}

/* Whether the program that a process runs imports a function by this name; true if unknown. */
static bool imports(pid_t pid, const char *name)
{
    char path[64];
    size_t length = 0, size = strlen(name) + 1; /* with its NUL */
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    const char *program = read_file(path, &length);
    for (size_t at = 1; program != NULL && at + size <= length; at++)
        if (program[at - 1] == '\0' && memcmp(program + at, name, size) == 0)
            return true;
    return program == NULL;
}

/* The errno for an empty name of a make that searches PATH by itself: it finds the directories of PATH. */
static int empty_name_error(const char *path)
{
    int missing = ENOENT;
    char *candidate = malloc(strlen(path) + 2);
    for (; candidate != NULL; path++) {
        int folder = (int)strcspn(path, ":");
        struct stat status;
        sprintf(candidate, "%.*s%s", folder, path, folder > 0 ? "/" : "");
        if (stat(candidate, &status) == 0 || errno == EACCES)
            return EACCES;
        if (errno != ENOENT)
            missing = errno;
        path += folder;
        if (*path == '\0')
            break;
    }
    return missing;
}

/* Search PATH for a program; NULL with the errno of execvp(3). */
static const char *find_program(const struct arguments *arguments, const char *name, char **environment)
{
    const char *path = variable(environment, "PATH");
    bool is_4_3 = arguments->is_4_3;
    int missing = ENOENT;
    if (strchr(name, '/') != NULL || (path == NULL && is_4_3)) /* without PATH 4.3 does not search */
        return name;
    if (*name == '\0') { /* the line begins with an empty pair of quotes */
        bool searches = strcmp(arguments->version, "4.3") >= 0 && imports(getppid(), "posix_spawn");
        errno = searches ? empty_name_error(path == NULL ? DEFAULT_PATH : path) : ENOENT;
        return NULL;
    }
    if (path == NULL)
        path = DEFAULT_PATH;
    size_t size = strlen(path) + strlen(name) + 2;
    char *candidate = malloc(size);
    if (candidate == NULL)
        return NULL;
    for (;;) {
        int folder = (int)strcspn(path, ":");
        struct stat status;
        snprintf(candidate, size, "%.*s%s%s", folder, path, folder > 0 ? "/" : "", name);
        if (stat(candidate, &status) == 0) {
            /* 4.3 takes the first executable, also a directory. */
            if ((S_ISREG(status.st_mode) || is_4_3) && access(candidate, X_OK) == 0)
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

/* strerror(3) with the words of glibc, which make is linked with; another C library has other words. */
static const char *error_text(int error)
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

/* Whether make prints its messages in another language than English, judged by its initial environment. */
static bool speaks_other_language(pid_t make)
{
    static const char *const names[] = {"LC_ALL=", "LC_MESSAGES=", "LANG=", "LANGUAGE="};
    const char *values[COUNT(names)] = {"", "", "", ""};
    char path[64];
    size_t length = 0;
    snprintf(path, sizeof path, "/proc/%d/environ", (int)make);
    char *text = read_file(path, &length);
    for (char *variable = text; variable != NULL && variable < text + length; variable += strlen(variable) + 1)
        for (size_t at = 0; at < COUNT(names); at++)
            if (strncmp(variable, names[at], strlen(names[at])) == 0)
                values[at] = variable + strlen(names[at]);
    const char *locale = *values[0] != '\0' ? values[0] : *values[1] != '\0' ? values[1] : values[2];
    if (*locale == '\0' || equal(locale, "C") || equal(locale, "POSIX") || strncmp(locale, "C.", 2) == 0)
        return false;
    const char *language = *values[3] != '\0' ? values[3] : locale;
    return strncmp(language, "en", 2) != 0;
}

/* Print make's message for a program that cannot be started; gives the exit status for it. */
static int report_exec_error(const struct arguments *arguments, const char *name, int error)
{
    const char *words = error_text(error);
    char level[32] = "";
    if (error == ENOENT && strcmp(arguments->version, "4.3") < 0)
        words = "Command not found";
    if (arguments->level > 0)
        snprintf(level, sizeof level, "[%ld]", arguments->level);
    size_t size = strlen(arguments->make) + strlen(level) + strlen(name) + strlen(words) + 8;
    char *text = malloc(size);
    if (text != NULL) {
        int length = snprintf(text, size, "%s%s: %s: %s\n", arguments->make, level, name, words);
        if (write(2, text, (size_t)length) < 0)
            return 127; /* nobody reads standard error */
    }
    return 127;
}

/* The command that runs a script without "#!", as execvp(3) and make do; NULL without memory. */
static char **script_command(const char *path, char **command)
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

/* Become the Python shim; returns if that does not run here. */
static void become_python(char **shim)
{
    char answer[sizeof ANSWER + 1] = "", *words[] = {shim[0], "-I", "-S", shim[3], PROTOCOL, NULL};
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return;
    pid_t child = vfork();
    if (child == 0) {
        if (dup2(fds[1], 1) == 1 && fcntl(1, F_SETFD, 0) == 0) {
            int null_fd = open("/dev/null", O_RDWR);
            dup2(null_fd, 0);
            dup2(null_fd, 2);
            if (null_fd > 2)
                close(null_fd);
            execve(shim[0], words, environ);
        }
        _exit(127);
    }
    close(fds[1]);
    size_t length = 0;
    while (child > 0 && length < sizeof answer - 1) {
        ssize_t count = read(fds[0], answer + length, sizeof answer - 1 - length);
        if (count > 0)
            length += (size_t)count;
        else if (count == 0 || errno != EINTR)
            break;
    }
    close(fds[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (equal(answer, ANSWER))
        execv(shim[0], shim);
}

/* Replace this process by the command. */
static _Noreturn void become(const struct arguments *arguments, char **environment, bool recipe)
{
    char **command = command_for(arguments, recipe);
    const char *path = find_program(arguments, command[0], environment);
    if (path != NULL) {
        execve(path, command, environment);
        if (errno == ENOEXEC) {
            char **words = script_command(path, command);
            if (words != NULL)
                execve(DEFAULT_SHELL, words, environment);
        }
    }
    int error = errno;
    if (speaks_other_language(getppid()))
        become_python(arguments->shim);
    _exit(report_exec_error(arguments, command[0], error));
}

/* ---- process key: hot/procfs.py ---------------------------------------------------------------------------------- */

/* The key of a process, `<host>.<pid>.<start>`; false without /proc. */
static bool process_key(pid_t pid, char key[KEY_MAX])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    const char *text = read_file(path, NULL);
    const char *at = text == NULL ? NULL : strrchr(text, ')'); /* the last one: a program's name may hold one too */
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
    text = read_file("/proc/sys/kernel/random/boot_id", NULL);
    for (; text != NULL && hexadecimal_value(*text) + (*text == '-') >= 0; text++)
        if (*text != '-') {
            host = (host * 16 + (uint64_t)hexadecimal_value(*text)) % HOST_PRIME;
            digits++;
        }
    if (digits == 0 || (*text != '\0' && *text != '\n') || stat("/proc/self/ns/pid", &namespace) < 0)
        host = 0;
    else
        host = (host + (uint64_t)namespace.st_ino % HOST_PRIME) % HOST_PRIME;
    return snprintf(key, KEY_MAX, "%08llx.%d.%llu", (unsigned long long)host, (int)pid, start) < KEY_MAX;
}

/* ---- state directory: hot/state_dir.py --------------------------------------------------------------------------- */

/* The state directory; NULL for a case that is left to the Python shim. */
static char *find_state_dir(const struct arguments *arguments, char **environment)
{
    const char *sudo = variable(environment, "SUDO_UID"), *root = variable(environment, "MAKE_METRICS_HOME");
    const char *home = variable(environment, "HOME"), *base = variable(environment, "XDG_STATE_HOME");
    if (geteuid() == 0 && sudo != NULL && !equal(sudo, "0"))
        return NULL;
    if (root != NULL && *root != '\0') {
        char *path = *root == '/' ? join(root, "", "") : NULL;
        for (size_t end = path == NULL ? 0 : strlen(path); end > 0 && path[end - 1] == '/'; end--)
            path[end - 1] = '\0';
        return path == NULL ? NULL : join(path, "/state", "");
    }
    if (*arguments->state == '/')
        return arguments->state;
    if (home == NULL || *home != '/')
        return NULL;
    if (base != NULL && *base == '/')
        return join(base, "/make-metrics", "");
    return join(home, "/.local/state/make-metrics", "");
}

/* Whether the Python shim could not record either: root for somebody else, or no directory above the state
 * directory. */
static bool records_nothing(const struct arguments *arguments, char **environment)
{
    const char *sudo = variable(environment, "SUDO_UID"), *home = variable(environment, "HOME");
    struct stat status;
    if (geteuid() == 0 && sudo != NULL && !equal(sudo, "0"))
        return arguments->level == 0;
    char *state = find_state_dir(arguments, environment);
    if (state == NULL || lstat(state, &status) == 0)
        return false;
    const char *root = variable(environment, "MAKE_METRICS_HOME");
    bool has_root = root != NULL && *root != '\0';
    size_t length = home == NULL || has_root ? 0 : strlen(home);
    while (length > 0 && home[length - 1] == '/')
        length--;
    char *above = join(state, "", "");
    if (above == NULL)
        return false;
    if (length > 0 && strncmp(state, home, length) == 0 && state[length] == '/')
        above[length] = '\0';
    else
        for (int levels = has_root ? 2 : 1; levels > 0; levels--) {
            char *slash = strrchr(above, '/');
            if (slash != NULL)
                *slash = '\0';
        }
    return stat(*above == '\0' ? "/" : above, &status) < 0;
}

/* ---- marker: hot/recorder.py ------------------------------------------------------------------------------------- */

/* The bookkeeping of one line. `run` is empty until the walk has named it. */
struct recorder {
    pid_t parent, walk_pid;
    const char *python, *entry;
    char *state, *records, *makes, *marker;
    char run[KEY_MAX], make[KEY_MAX];
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
    if (path != NULL && !exists && errno == ENOENT && (mkdir(path, 0700) == 0 || errno == EEXIST))
        exists = lstat(path, &status) == 0;
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
    const char *run = strtok(text, " "), *make = run == NULL ? NULL : strtok(NULL, " ");
    if (run == NULL)
        return true;
    bool is_verdict = make == NULL && (equal(run, NOT_A_MAKE) || equal(run, NO_MAKE_ABOVE));
    if (!is_verdict && (make == NULL || strtok(NULL, " ") != NULL || !is_process_key(run) || !is_process_key(make)))
        return false;
    snprintf(recorder->run, sizeof recorder->run, "%s", run);
    if (!is_verdict)
        snprintf(recorder->make, sizeof recorder->make, "%s", make);
    return true;
}

/* Prepare the state directory, and read the run if it is known; false for a case that is left to the Python shim. */
static bool open_recorder(struct recorder *recorder, const struct arguments *arguments, char **environment)
{
    recorder->state = find_state_dir(arguments, environment);
    if (recorder->state == NULL || !process_key(recorder->parent, recorder->make))
        return false;
    recorder->records = join(recorder->state, "/records", "");
    recorder->makes = join(recorder->state, "/makes", "");
    recorder->marker = recorder->makes == NULL ? NULL : join(recorder->makes, "/", recorder->make);
    return recorder->marker != NULL && ensure_directory(recorder->state) && ensure_directory(recorder->records) &&
           ensure_directory(recorder->makes) && read_marker(recorder);
}

/* ---- record: hot/append.py, hot/record_format.py ----------------------------------------------------------------- */

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The values of one line's entry; hot/record_format.py gives their meaning. */
struct line {
    int64_t wall, start, end; /* nanoseconds */
    int status, fate;
    int64_t cpu_us, peak_kib; /* below 0: unknown */
};

/* The entry of one recipe line; NULL without memory. */
static char *line_entry(const char *make, const char *target, const char *goal, long level, const struct line *line)
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

/* As root (a nested make under sudo), give a file to the owner of its directory. */
static bool give_to_owner(int fd, const char *folder)
{
    struct stat owner, status;
    if (geteuid() != 0)
        return true;
    if (stat(folder, &owner) < 0 || fstat(fd, &status) < 0)
        return false;
    return status.st_uid == owner.st_uid || fchown(fd, owner.st_uid, owner.st_gid) == 0;
}

/* Lock a file, which is created if missing; gives the descriptor that holds the lock, -1 if it is not free in time.
 *
 * Tries again after 1/parts of the time waited so far: many lines may wait on few cores, so each tries less often the
 * longer it waits. */
static int lock(const char *path, const char *folder, int operation, int64_t patience_ns, int parts)
{
    int64_t begin = nanoseconds(CLOCK_MONOTONIC);
    for (;;) {
        int fd = open(path, OPEN_FLAGS, 0600);
        struct stat status;
        if (fd < 0)
            return -1;
        if (give_to_owner(fd, folder)) {
            if (flock(fd, operation | LOCK_NB) == 0) {
                if (fstat(fd, &status) == 0 && status.st_nlink > 0)
                    return fd;
                close(fd); /* its holder combined the record and removed the lock while we waited */
                continue;
            }
            int64_t waited = nanoseconds(CLOCK_MONOTONIC) - begin;
            if (errno == EWOULDBLOCK && waited < patience_ns) {
                const struct timespec pause = {0, waited / parts > LOCK_PAUSE_NS ? waited / parts : LOCK_PAUSE_NS};
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

/* Append to a record file, all or nothing. */
static void append(const char *path, const char *folder, const char *run, const char *text, int flags)
{
    int fd = open(path, OPEN_FLAGS | O_APPEND | flags, 0600);
    struct stat status;
    char last, digits[17], preamble[KEY_MAX + 32] = "";
    if (fd < 0)
        return;
    if (give_to_owner(fd, folder) && fstat(fd, &status) == 0) {
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
        }
    }
    close(fd);
}

/* Append the line's entry to its run's record, or without the lock to a record file of its own. */
static void append_line(const struct recorder *recorder, const struct arguments *arguments, const struct line *line)
{
    const char *text = line_entry(recorder->make, arguments->target, arguments->goal, arguments->level, line);
    const char *folder = recorder->records, *base = join(folder, "/", recorder->run);
    const char *lock_path = base == NULL ? NULL : join(base, ".lock", "");
    char digits[17];
    if (text == NULL || lock_path == NULL)
        return;
    int lock_fd = lock(lock_path, folder, LOCK_EX, LOCK_PATIENCE_NS, LOCK_PARTS);
    if (lock_fd >= 0) {
        const char *path = join(base, ".rec", "");
        if (path != NULL)
            append(path, folder, recorder->run, text, 0);
        close(lock_fd);
    } else if (random_digits(digits)) {
        const char *name = join("~", digits, ".rec"), *path = name == NULL ? NULL : join(base, name, "");
        if (path != NULL)
            append(path, folder, recorder->run, text, O_EXCL);
    }
}

/* ---- start: hot/line.py ------------------------------------------------------------------------------------------ */

static void ignore(int signal_number) { (void)signal_number; }

/* Start a program with our initial signal mask; gives its pid, or -1 with errno set.
 *
 * By vfork(2): posix_spawn(3) asks for the disposition of every signal, which doubles the launcher's cost. The child
 * shares our memory and only sets `error` in it. Signals with a handler are blocked, except SIGCHLD just before execve;
 * its handler does nothing. */
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

/* ---- walk and invitation: hot/recorder.py ------------------------------------------------------------------------ */

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

/* Start the walk up the process tree, unless another line of this make has started it.
 *
 * The walk's standard output is the locked marker: it unlocks the marker when the run stands there, or by ending. */
static void start_walk(struct recorder *recorder, const struct arguments *arguments, char **environment)
{
    char parent[16], make[KEY_MAX];
    int marker_fd = lock(recorder->marker, recorder->makes, LOCK_EX, 0, LOCK_PARTS);
    if (marker_fd < 0 && errno != EWOULDBLOCK)
        marker_fd = open(recorder->marker, OPEN_FLAGS, 0600); /* without locks two lines may walk: both find the same */
    if (marker_fd < 0)
        return;
    if (read_marker(recorder) && *recorder->run == '\0') {
        snprintf(parent, sizeof parent, "%d", (int)recorder->parent);
        snprintf(make, sizeof make, "%s", recorder->make);
        recorder->attended = arguments->level == 0 && is_foreground();
        char *words[] = {(char *)recorder->python, "-I", "-S", (char *)recorder->entry, "walk", parent, make,
                         recorder->state, arguments->make, arguments->version, arguments->goal,
                         recorder->attended ? ATTENDED : UNATTENDED, NULL};
        /* The walk inherits our signal mask and gets a process group that no terminal signals. Block SIGTSTP until it
         * has that group: Ctrl-Z before that would stop it, and `fg` would not continue it. The child of vfork only
         * makes system calls, on its own descriptors. */
        sigset_t stop, mask;
        sigemptyset(&stop);
        sigaddset(&stop, SIGTSTP);
        sigprocmask(SIG_BLOCK, &stop, &mask);
        pid_t child = vfork();
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
                execve(recorder->python, words, environment);
            }
            _exit(127);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
        recorder->walk_pid = child;
    }
    close(marker_fd); /* the walk's standard output holds the lock */
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

/* Know the run, if need be by waiting for the walk; false if nothing is recorded. */
static bool resolve_run(struct recorder *recorder, struct line *line)
{
    if (*recorder->run == '\0') {
        int parts = recorder->walk_pid > 0 ? STARTER_LOCK_PARTS : LOCK_PARTS;
        int lock_fd = lock(recorder->marker, recorder->makes, LOCK_SH, WALK_PATIENCE_NS, parts);
        if (lock_fd >= 0)
            close(lock_fd);
        else if (errno != EWOULDBLOCK)
            wait_for_walk(recorder);
        read_marker(recorder); /* if it is still empty, this make becomes a run of its own, which it most often is */
    }
    if (recorder->walk_pid > 0)
        kill(recorder->walk_pid, SIGKILL); /* what it does after the walk can be done by others, later */
    if (equal(recorder->run, NOT_A_MAKE))
        return false;
    if (equal(recorder->run, NO_MAKE_ABOVE)) {
        *recorder->run = '\0';
        if (!process_key(getpid(), recorder->make))
            return false;
        if (line->fate == 0)
            line->fate = ORPHAN;
    }
    if (*recorder->run == '\0')
        snprintf(recorder->run, sizeof recorder->run, "%s", recorder->make);
    if (line->fate == 0 && getppid() != recorder->parent)
        line->fate = ORPHAN;
    return true;
}

/* ---- wait and end: hot/line.py ----------------------------------------------------------------------------------- */

static bool contains(const int *numbers, size_t count, int wanted)
{
    for (size_t at = 0; at < count; at++)
        if (numbers[at] == wanted)
            return true;
    return false;
}

static int64_t microseconds(struct timeval time) { return (int64_t)time.tv_sec * 1000000 + time.tv_usec; }

/* Hide our command line: a recipe's `pkill -f NAME` must not find the launcher, which does not exist without the
 * include line. ROT13 for letters, ROT5 for digits; a second call restores the words. processes/tree.py reads them. */
static void rot18(int count, char **words)
{
    for (int at = 0; at < count; at++)
        for (char *byte = words[at]; *byte != '\0'; byte++)
            if ((unsigned char)*byte < 0x80 && isalnum((unsigned char)*byte)) {
                char first = isdigit((unsigned char)*byte) ? '0' : isupper((unsigned char)*byte) ? 'A' : 'a';
                int range = first == '0' ? 10 : 26;
                *byte = (char)(first + (*byte - first + range / 2) % range);
            }
}

/* The words in memory of their own; NULL without memory. */
static char **copy_words(char **words)
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

/* Wait for the child to end, through Ctrl-C; forward make's signals to it; then take the signals that are pending.
 *
 * Group signals reach the child directly: only signals that make itself sent are forwarded. If the child is a shell and
 * signals us, it means its parent, make: pass the signal up. Any other child (pkill) found us by name, and would find
 * nobody without us: drop the signal. */
static void wait_for_child(pid_t child, bool is_shell, pid_t parent, const sigset_t *signals, struct line *line)
{
    const struct timespec no_time = {0, 0};
    bool running = true;
    for (;;) {
        int status;
        struct rusage usage;
        siginfo_t info;
        pid_t ended = running ? wait4(child, &status, WNOHANG, &usage) : 0;
        if (ended > 0) {
            line->cpu_us = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
            line->peak_kib = usage.ru_maxrss;
        }
        if (ended != 0) {
            line->status = ended < 0 ? 127 : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
            running = false;
        }
        int caught = running ? sigwaitinfo(signals, &info) : sigtimedwait(signals, &info, &no_time);
        if (caught < 0 && running)
            continue; /* EINTR: we were stopped and continued */
        if (caught < 0)
            return;
        if (caught != SIGCHLD && info.si_pid == child) {
            if (is_shell)
                kill(parent, caught); /* `kill $PPID` in a recipe means make */
            continue;
        }
        if (line->fate == 0 && contains(ends_make, COUNT(ends_make), caught))
            line->fate = caught;
        if (running && info.si_pid == parent && contains(forwarded, COUNT(forwarded), caught))
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

/* Run the line and record it, and end as it ended. */
static _Noreturn void run_line(const struct arguments *arguments, char **environment, struct recorder *recorder,
                               int count, char **words)
{
    char **command = command_for(arguments, true), **copy = copy_words(command);
    bool is_shell = command == arguments->command;
    struct line line = {0};
    if (copy != NULL) { /* before the line starts: it may look for us at once */
        command = copy;
        rot18(count, words);
    }
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
    line.start = nanoseconds(CLOCK_MONOTONIC);
    pid_t child = start(arguments, command, environment, &mask);
    int error = errno;
    /* No room for a second process: run the line in this one, unrecorded. Other language: the Python shim speaks it. */
    bool full = error == EAGAIN || error == ENOMEM;
    if (child < 0 && (full || speaks_other_language(recorder->parent))) {
        signal(SIGCHLD, SIG_DFL);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (copy != NULL)
            rot18(count, words);
        if (full)
            become(arguments, environment, true);
        become_python(arguments->shim);
        sigprocmask(SIG_BLOCK, &signals, NULL);
    }
    signal(SIGPIPE, SIG_IGN); /* our own writes must not kill us: a message without reader, a record over a limit */
    signal(SIGXFSZ, SIG_IGN);
    if (child < 0)
        line.status = report_exec_error(arguments, command[0], error);
    if (*recorder->run == '\0')
        start_walk(recorder, arguments, environment);
    if (child > 0) {
        line.cpu_us = -1;
        wait_for_child(child, is_shell, recorder->parent, &signals, &line);
    }
    line.end = nanoseconds(CLOCK_MONOTONIC);
    if (resolve_run(recorder, &line))
        append_line(recorder, arguments, &line);
    if (line.fate == 0 && line.status >= 0)
        invite(recorder);
    if (recorder->walk_pid > 0) /* reap it: its exit takes a while */
        while (waitpid(recorder->walk_pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    exit_like(line.status);
}

/* ---- main: entry.py ---------------------------------------------------------------------------------------------- */

#ifndef LAUNCHER_WITHOUT_MAIN
int main(int count, char **words)
{
    struct arguments arguments;
    struct recorder recorder = {.parent = getppid()};
    if (count == 2 && equal(words[1], PROTOCOL)) /* set-up or trampoline.sh asks whether this program runs here */
        return write(1, ANSWER, strlen(ANSWER)) < 0;
    bool parsed = count > 5 && parse_arguments(&arguments, count - 5, words + 5);
    if (parsed) {
        recorder.python = join(words[1], "", "");
        recorder.entry = join(words[4], "", "");
        parsed = recorder.python != NULL && recorder.entry != NULL;
        arguments.shim = words + 1;
    }
    char **environment = parsed ? restored_environment(environ, &arguments, recorder.parent) : NULL;
    if (environment != NULL) {
        if (!is_recipe_line(&arguments, environment, recorder.parent))
            become(&arguments, environment, false);
        if (records_nothing(&arguments, environment))
            become(&arguments, environment, true);
        if (open_recorder(&recorder, &arguments, environment))
            run_line(&arguments, environment, &recorder, count, words);
    }
    if (count > 4)
        become_python(words + 1);
    if (parsed) /* the Python shim does not run: run the line, unrecorded */
        become(&arguments, environment == NULL ? environ : environment, true);
    return 127;
}
#endif
