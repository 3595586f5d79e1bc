/* processes/command_line.py: what a make was asked for. */

struct options {
    bool builds_nothing, parallel, keep_going, ignore_errors;
    int jobs;
};

/* Whether a word is digits alone; `dotted` allows one dot among them. What only Python's isdigit() takes is odd. */
static bool is_number(const char *word, bool dotted)
{
    int digits = 0;
    for (; *word != '\0'; word++) {
        if ((unsigned char)*word >= 0x80)
            odd = true;
        if (*word == '.' && dotted)
            dotted = false;
        else if (*word >= '0' && *word <= '9')
            digits++;
        else
            return false;
    }
    return digits > 0;
}

/* The value of a word of digits; one with more than nine is odd. */
static int number_of(const char *word)
{
    odd = odd || strlen(word) > 9;
    return odd ? 0 : atoi(word);
}

/* Whether one of some long options begins with a text. */
static bool shortens(const char *text, size_t length, const char *const *options)
{
    for (; *options != NULL; options++)
        if (strncmp(*options, text, length) == 0)
            return true;
    return false;
}

/* What is read from a make's command line: words that are no options, makefiles (-f), and the last number behind a -j,
 * -1 for none. */
struct parsed_words {
    char **plain, **makefiles;
    int count, makefile_count, jobs;
};

static void note_jobs(struct parsed_words *parsed, const char *argument)
{
    for (const char *byte = argument; *byte != '\0'; byte++)
        odd = odd || (unsigned char)*byte >= 0x80;
    if (is_number(argument, false))
        parsed->jobs = number_of(argument);
}

static struct parsed_words parse_words(char **words, int count)
{
    static const char *const with_word[] = {"directory",  "eval", "include-dir", "what-if",  "new-file",
                                            "assume-new", "file", "makefile",    "old-file", "assume-old", NULL};
    static const char *const with_file[] = {"file", "makefile", NULL}, *const with_jobs[] = {"jobs", NULL};
    static const char *const with_load[] = {"load-average", "max-load", NULL};
    struct parsed_words parsed = {.jobs = -1};
    parsed.plain = calloc((size_t)count + 1, sizeof(char *));
    parsed.makefiles = calloc((size_t)count + 1, sizeof(char *));
    if (parsed.plain == NULL || parsed.makefiles == NULL)
        _exit(127);
    for (int at = 1; at < count; at++) {
        char *word = words[at];
        const char *next = at + 1 < count ? words[at + 1] : "";
        if (equal(word, "--")) {
            while (++at < count)
                parsed.plain[parsed.count++] = words[at];
        } else if (*word != '-' || equal(word, "-")) {
            parsed.plain[parsed.count++] = word;
        } else if (starts_with(word, "--")) {
            const char *name = word + 2, *attached = strchr(name, '=');
            size_t length = attached == NULL ? strlen(name) : (size_t)(attached - name);
            if (shortens(name, length, with_word)) {
                if (length > 0 && shortens(name, length, with_file))
                    parsed.makefiles[parsed.makefile_count++] = (char *)(attached == NULL ? next : attached + 1);
                at += attached == NULL;
            } else if (shortens(name, length, with_jobs) || shortens(name, length, with_load)) {
                bool is_jobs = shortens(name, length, with_jobs);
                bool takes_next = attached == NULL && is_number(next, true);
                if (is_jobs && length != 1) /* --j is ambiguous: also the start of --just-print */
                    note_jobs(&parsed, attached != NULL ? attached + 1 : takes_next ? next : "");
                at += takes_next;
            }
        } else {
            for (const char *letter = word + 1; *letter != '\0'; letter++) {
                if (strchr("CEIWfo", *letter) != NULL) {
                    if (*letter == 'f')
                        parsed.makefiles[parsed.makefile_count++] = (char *)(letter[1] == '\0' ? next : letter + 1);
                    at += letter[1] == '\0';
                    break;
                }
                if (strchr("jl", *letter) != NULL) {
                    bool takes_next = letter[1] == '\0' && is_number(next, true);
                    if (*letter == 'j')
                        note_jobs(&parsed, letter[1] != '\0' ? letter + 1 : takes_next ? next : "");
                    at += takes_next;
                    break;
                }
                if (*letter == 'O')
                    break;
            }
        }
    }
    return parsed;
}

/* What MAKEFLAGS says; `command` is make's command line. */
static struct options parse_makeflags(const char *makeflags, const struct parsed_words *command)
{
    struct options options = {.jobs = 1};
    char *text = join(makeflags, "", "");
    if (text == NULL)
        _exit(127);
    char *variables = strstr(text, " -- ");
    if (variables != NULL)
        *variables = '\0';
    for (const char *byte = text; *byte != '\0'; byte++)
        odd = odd || (unsigned char)*byte >= 0x80; /* maybe a blank for Python */
    const char *jobs = NULL;
    bool has_server = false, first = true;
    for (char *word = strtok(text, BLANKS); word != NULL; word = strtok(NULL, BLANKS), first = false) {
        if (first && *word != '-' && strchr(word, '=') == NULL) {
            options.keep_going = strchr(word, 'k') != NULL;
            options.ignore_errors = strchr(word, 'i') != NULL;
            options.builds_nothing = strpbrk(word, "nqt") != NULL;
        }
        if (starts_with(word, "-j")) {
            jobs = word + 2;
            options.parallel = options.parallel || !equal(word, "-j1");
        }
        has_server = has_server || starts_with(word, "--jobserver");
        options.keep_going = options.keep_going || equal(word, "--keep-going");
        options.ignore_errors = options.ignore_errors || equal(word, "--ignore-errors");
    }
    if (jobs != NULL)
        options.jobs = is_number(jobs, false) ? number_of(jobs) : has_server ? command->jobs : 0;
    return options;
}

/* Add a text to a list of texts, the `count`th; gives the new count. */
static int add_listed(struct builder *entry, int count, const char *text, char **environment)
{
    char *word = malloc(3 * strlen(text) + 2);
    if (word == NULL)
        _exit(127);
    *encode(word, text) = '\0';
    odd = odd || !is_plain(text, environment);
    if (count > 0)
        add(entry, "&");
    add(entry, word);
    return count + 1;
}

/* Add the goals of a command line, each once; `default_goal` if there are none. */
static void add_goals(struct builder *entry, const struct parsed_words *command, const char *default_goal,
                      char **environment)
{
    int count = 0;
    for (int at = 0; at < command->count; at++) {
        const char *goal = command->plain[at];
        bool known = *goal == '\0' || strchr(goal, '=') != NULL;
        for (int before = 0; before < at; before++)
            known = known || equal(command->plain[before], goal);
        if (!known)
            count = add_listed(entry, count, goal, environment);
    }
    if (count == 0 && *default_goal != '\0')
        add_listed(entry, 0, default_goal, environment);
}

/* Add the makefiles that a command line names. */
static void add_makefiles(struct builder *entry, const struct parsed_words *command, char **environment)
{
    int count = 0;
    for (int at = 0; at < command->makefile_count; at++)
        if (*command->makefiles[at] != '\0')
            count = add_listed(entry, count, command->makefiles[at], environment);
}
