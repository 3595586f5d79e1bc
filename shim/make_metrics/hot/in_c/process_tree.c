/* processes/tree.py: the makes above a line. */

/* The words of a process's command line. `text` is NULL for a process that has none; `is_list` if a NUL is behind each
 * word, as the system writes it: a program that writes its own command line may part the words by blanks. */
struct command_line {
    char *text;
    size_t length;
    bool is_list;
};

/* A make: `target` is the one of its targets whose recipe has started the make below it, empty if unknown. */
struct make {
    struct process process;
    struct command_line command;
    char key[KEY_MAX];
    const char *target;
};

static struct command_line read_command_line(pid_t pid)
{
    struct command_line command = {.text = command_line_of(pid, &command.length)};
    if (command.text == NULL || command.length == 0) {
        odd = true; /* gone, hidden, or a zombie */
        command.length = 0;
        return command;
    }
    command.is_list = command.text[command.length - 1] == '\0' &&
                      (strlen(command.text) + 1 < command.length || strchr(command.text, ' ') == NULL);
    return command;
}

/* The name of the program that a command line starts with, without its directory; it is not terminated. */
static const char *program_of(const struct command_line *command, size_t *length)
{
    size_t end = command->is_list ? strlen(command->text) : strcspn(command->text, " ");
    const char *start = command->text;
    for (size_t at = 0; at < end; at++)
        if (command->text[at] == '/')
            start = command->text + at + 1;
    *length = end - (size_t)(start - command->text);
    return start;
}

/* Whether a process is valgrind or qemu-user, whose command line stands in place of their program's. */
static bool is_emulator(const struct command_line *command)
{
    size_t length;
    const char *start = command->length > 0 ? program_of(command, &length) : "";
    return starts_with(start, "valgrind") || starts_with(start, "qemu-");
}

/* Whether a command line's first word is the name of a make. */
static bool is_make(const struct command_line *command, const char *name)
{
    size_t length;
    const char *start = program_of(command, &length);
    const char *const names[] = {"make", "gmake", name};
    for (size_t at = 0; at < COUNT(names); at++)
        if (strlen(names[at]) == length && memcmp(start, names[at], length) == 0) {
            odd = odd || !command->is_list;
            return true;
        }
    return false;
}

/* The words of a command line that is a list, NULL behind the last. */
static char **words_of(const struct command_line *command, int *count)
{
    char **words = calloc(command->length + 1, sizeof *words);
    *count = 0;
    for (char *word = command->text; words != NULL && word < command->text + command->length; word += strlen(word) + 1)
        words[(*count)++] = word;
    if (words == NULL)
        _exit(127);
    return words;
}

/* The place of a word among words; -1 if it is not there. */
static int find_word(char **words, const char *wanted)
{
    for (int at = 0; words[at] != NULL; at++)
        if (equal(words[at], wanted))
            return at;
    return -1;
}

/* The target whose recipe a process runs; empty if it is no shim. */
static const char *target_of(pid_t pid, const struct command_line *command)
{
    if (command->length > strlen(TITLE) && starts_with(command->text, TITLE)) {
        char *target = shown_target(pid);
        odd = odd || target == NULL;
        return target == NULL ? "" : target;
    }
    if (!command->is_list) {
        odd = odd || memmem(command->text, command->length, PROTOCOL, strlen(PROTOCOL)) != NULL;
        return "";
    }
    int count;
    char **words = words_of(command, &count);
    int at = find_word(words, PROTOCOL);
    if (at < 0)
        return "";
    struct arguments arguments;
    if (!parse_arguments(&arguments, count - at, words + at)) {
        odd = true;
        return "";
    }
    return arguments.target;
}

static bool below_sender; /* a sender runs git, which may run anything, also make */

/* Take the run of a make from its marker, if its walk has ended. */
static void learn_run(const char *markers, const char *key, char run[KEY_MAX])
{
    const char *path = join(markers, "/", key), *text = path == NULL ? NULL : read_file(path, NULL);
    size_t length = text == NULL ? 0 : strcspn(text, " ");
    if (length > 0 && length < KEY_MAX && text[length] == ' ')
        snprintf(run, KEY_MAX, "%.*s", (int)length, text);
}

/* The make `pid` and the makes above it, nearest first; gives their number. A run is named after its highest make:
 * above that one nothing is looked at, if a make below it has a marker in the folder `markers`. */
static int find_makes(pid_t pid, const char *name, const char *markers, struct make **makes)
{
    char run[KEY_MAX] = "";
    struct process process;
    struct command_line below = {0};
    pid_t below_pid = 0;
    int count = 0, room = 0;
    *makes = NULL;
    odd = odd || !find_process(pid, &process);
    for (int steps = 0; !odd; steps++) {
        struct command_line command = read_command_line(process.pid);
        if (odd || steps == PROCESSES_MAX) {
            odd = true;
            break;
        }
        odd = odd || is_emulator(&command); /* it may run a make */
        below_sender = below_sender || memmem(command.text, command.length, SENDER_PROGRAM, strlen(SENDER_PROGRAM));
        bool found = is_make(&command, name);
        if (steps == 0 && !found)
            odd = true;
        if (found) {
            if (count == room && (*makes = realloc(*makes, (size_t)(room += 16) * sizeof **makes)) == NULL)
                _exit(127);
            struct make *make = &(*makes)[count++];
            *make = (struct make){.process = process, .command = command, .target = ""};
            odd = odd || !write_key(&process, make->key);
            if (steps > 0)
                make->target = target_of(below_pid, &below);
            if (steps > 0 && *run == '\0' && !odd)
                learn_run(markers, make->key, run);
            if (equal(make->key, run))
                break;
        }
        below = command;
        below_pid = process.pid;
        struct process parent;
        if (process.parent == 0)
            break;
        if (!find_process(process.parent, &parent)) {
            odd = true; /* hidden, or gone meanwhile */
            break;
        }
        if (parent.start > process.start)
            break; /* the parent has ended, and its pid is another process's */
        process = parent;
    }
    return count;
}
