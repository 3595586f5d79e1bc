/* hot/arguments.py: the words from the fragment. */

#define VERSION_NUMBER(major, minor) ((major) * 1000 + (minor))

/* The words from the fragment, decoded. */
struct arguments {
    char *target, *goal, *version, *make, *state;
    char *known; /* what another line of this make has found out, for knows_make(); NULL for nothing */
    const char *environment; /* still encoded; empty with the SHELL hook */
    const char *needs; /* still encoded, as it goes into the record; empty if unknown */
    long level;
    long number; /* VERSION_NUMBER of make */
    bool is_4_3; /* exactly 4.3, which searches PATH by its own rule */
    bool splits_lines; /* make itself would split a simple line: IFS is unchanged */
    bool traced; /* the line gets its TRACEPARENT */
    bool of_apple; /* it is Apple's make 3.81, which does so with more shells */
    char **command; /* the makefile's shell, flags and line, from main()'s words */
    char **shim; /* the command line of the Python shim, from main()'s words */
    int shell_words, words; /* the number of words of the shell, and of the whole command */
};

/* The parts of a text, which has a ":" between them, in memory of their own; false if it has not so many. */
static bool split_at_colons(const char *text, char **parts, size_t count)
{
    char *rest = join(text, "", "");
    for (size_t at = 0; at < count; at++) {
        parts[at] = rest;
        if (rest == NULL)
            return false;
        rest = strchr(rest, ':');
        if (rest != NULL)
            *rest++ = '\0';
    }
    return rest == NULL;
}

/* Decode the words; false if they are not exactly what the fragment writes. */
static bool parse_arguments(struct arguments *arguments, int count, char **words)
{
    static const char *const prefixes[] = {"t:", "g:", "m:", "h:", "e:"};
    if (count < 8 || !equal(words[0], PROTOCOL))
        return false;
    for (size_t at = 0; at < COUNT(prefixes); at++)
        if (strncmp(words[at + 1], prefixes[at], 2) != 0)
            return false;

    char *part[4]; /* LEVEL:VERSION:MAKE:IFS */
    if (!split_at_colons(words[3] + 2, part, COUNT(part)))
        return false;
    const char *dot = strchr(part[1], '.');
    if (dot == NULL)
        return false;
    long major = parse_number(part[1], dot), minor = parse_number(dot + 1, dot + 1 + strcspn(dot + 1, "."));
    arguments->level = *part[0] == '\0' ? 0 : parse_number(part[0], part[0] + strlen(part[0]));
    arguments->traced = *words[6] == '+';
    const char *shell_count = words[6] + arguments->traced;
    long shell = parse_number(shell_count, shell_count + strlen(shell_count));
    if (major < 0 || minor < 0 || arguments->level < 0 || shell < 1 || shell > count - 7)
        return false;

    arguments->target = decode(words[1] + 2);
    arguments->goal = decode(words[2] + 2);
    arguments->version = part[1];
    arguments->number = VERSION_NUMBER(major, minor);
    arguments->is_4_3 = equal(part[1], "4.3");
    arguments->make = decode(part[2]);
    arguments->of_apple = equal(part[3], "a");
    arguments->splits_lines = arguments->of_apple || equal(part[3], "f");
    char *state = join(words[4] + 2, "", "");
    arguments->known = state == NULL ? NULL : strchr(state, ':');
    if (arguments->known != NULL)
        *arguments->known++ = '\0';
    arguments->state = state == NULL ? NULL : decode(state);
    char *environment = join(words[5] + 2, "", ""), *needs = environment;
    for (int at = 0; at < 4 && needs != NULL; at++) /* earlier fragments write no fourth "/" */
        needs = strchr(needs + (at > 0), '/');
    if (needs != NULL)
        *needs++ = '\0';
    arguments->environment = environment != NULL && equal(environment, "///") ? "" : environment;
    /* No word of make's has these characters: they would end the entry. */
    bool is_known = needs != NULL && !equal(needs, "-") && strpbrk(needs, " \t\n\v\f\r") == NULL;
    arguments->needs = is_known ? needs : "";
    arguments->command = words + 7;
    arguments->shell_words = (int)shell;
    arguments->words = count - 7;
    return environment != NULL && arguments->target != NULL && arguments->goal != NULL && arguments->make != NULL &&
           arguments->state != NULL;
}
