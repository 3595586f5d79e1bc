/* hot/command.py: which command a line is, and where its program is. */

/* Whether a shell takes the last of its words for a command, as with -c, -ceu or "-ceuo pipefail". "o" and bash's "O"
 * take the next word. A word that is no option ends the options; a script, or words behind the command, are what a
 * program passes that uses make's SHELL as a plain shell. Asked of make 3.81, where $(SHELL) in a recipe names the
 * shim: later makes run it with flags and a line only. */
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

/* Whether our parent is no make, and somebody still reads our output: make was killed while we started. Only make
 * itself reads what $(shell) writes. */
static bool has_lost_make(const struct arguments *arguments, pid_t parent)
{
    struct command_line command;
    struct pollfd output = {.fd = 1};
    command.text = command_line_of(parent, &command.length);
    command.is_list = true;
    if (command.text != NULL && command.length > 0 && (is_emulator(&command) || is_make(&command, arguments->make)))
        return false;
    return poll(&output, 1, 0) == 0; /* without a reader: POLLERR */
}

/* Whether make runs a recipe line: not $(shell), and not a program that uses make's SHELL as a plain shell. */
static bool is_recipe_line(const struct arguments *arguments, char **environment, pid_t parent)
{
    int rest = arguments->words - arguments->shell_words;
    if (*arguments->target == '\0')
        return false;
    if (rest == 0)
        return false;
    if (arguments->number < VERSION_NUMBER(4, 0) && !is_command(arguments->command + arguments->shell_words, rest))
        return false;
    const char *level = variable(environment, "MAKELEVEL");
    char expected[32];
    snprintf(expected, sizeof expected, "%ld", arguments->level + 1);
    if (level == NULL || !equal(level, expected))
        return false;
    if (arguments->number < VERSION_NUMBER(4, 4)) /* $(shell) has another MAKELEVEL */
        return true;
    /* From 4.4 $(shell) has a recipe line's level; but its output is a pipe that is not make's own output. */
    struct stat ours, theirs;
    if (fstat(1, &ours) < 0 || !S_ISFIFO(ours.st_mode) || !output_of(parent, &theirs))
        return true;
    return (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino) || has_lost_make(arguments, parent);
}

/* The command to execute: the words of a simple line, else the makefile's shell with its flags and the line. */
static char **command_for(const struct arguments *arguments, bool recipe)
{
    char **words = arguments->command;
    size_t shells = arguments->of_apple ? COUNT(apple_shells) : 1; /* the first is DEFAULT_SHELL */
    if (arguments->splits_lines && arguments->shell_words == 1 && arguments->words == 3 &&
        (equal(words[1], "-c") || equal(words[1], "-ec")) && is_among(apple_shells, shells, words[0])) {
        char **simple = simple_words(words[2], arguments->number, !recipe);
        if (simple != NULL)
            return simple;
    }
    return words;
}

/* Whether the line is ":" alone, for which make starts no shell (job.c, start_job_command). */
static bool starts_nothing(const struct arguments *arguments)
{
    char **words = arguments->command;
    if (arguments->shell_words != 1 || arguments->words != 3 || !equal(words[2], ":"))
        return false;
    if (arguments->number < VERSION_NUMBER(3, 82))
        return equal(words[0], DEFAULT_SHELL) && equal(words[1], "-c");
    const char *slash = strrchr(words[0], '/');
    return (equal(words[1], "-c") || equal(words[1], "-ec")) &&
           is_among(bourne_shells, COUNT(bourne_shells), slash == NULL ? words[0] : slash + 1);
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
        bool searches = arguments->number >= VERSION_NUMBER(4, 3) && imports(parent_pid(), "posix_spawn");
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
