/* walk/header.py: the header of a make's record. */

static void add_text(struct builder *entry, const char *name, const char *text, char **environment)
{
    char *word = text == NULL ? NULL : malloc(3 * strlen(text) + 2);
    if (word == NULL) {
        odd = true;
        return;
    }
    odd = odd || !is_plain(text, environment);
    *encode(word, text) = '\0';
    add(entry, " ");
    add(entry, name);
    add(entry, "=");
    add(entry, word);
}

static void add_value(struct builder *entry, const char *name, long long value)
{
    add(entry, " ");
    add(entry, name);
    add(entry, "=");
    add_number(entry, value);
}

/* The trace that make was started in, in the form of version 0 (deliver/traceparent.py); empty if it is not valid. */
static const char *traceparent(const char *text)
{
    static const size_t lengths[] = {2, 32, 16, 2};
    const char *parts[COUNT(lengths)], *at = text;
    size_t part = 0;
    for (const char *byte = text; *byte != '\0'; byte++)
        odd = odd || (unsigned char)*byte >= 0x80; /* characters are counted, not bytes */
    if (strlen(text) > 512)
        return "";
    for (; part < COUNT(lengths); part++) {
        size_t length = strcspn(at, "-");
        parts[part] = at;
        if (length != lengths[part] || strspn(at, "0123456789abcdef") < length)
            return "";
        at += length;
        if (part + 1 < COUNT(lengths) && *at++ != '-')
            return "";
    }
    bool is_version_0 = strncmp(parts[0], "00", 2) == 0;
    if ((is_version_0 && *at != '\0') || strncmp(parts[0], "ff", 2) == 0 || strspn(parts[1], "0") >= 32 ||
        strspn(parts[2], "0") >= 16)
        return "";
    struct builder trace = {0};
    add(&trace, "00-");
    add_bytes(&trace, parts[1], (size_t)(at - parts[1]));
    return trace.text;
}

/* What the header of one of the walk's makes is made of. */
struct facts {
    const struct make *makes; /* the make and those above it, nearest first */
    int above;
    const char *directory, *default_goal, *makeflags, *version; /* no version: it does not include the fragment */
    struct options options;
    struct parsed_words words;
    char **initial, **current; /* environments */
};

/* Find the facts of a make, but for what MAKEFLAGS and the fragment say. */
static struct facts find_facts(const struct make *makes, int above, char **current)
{
    struct facts facts = {.makes = makes, .above = above, .default_goal = "", .makeflags = "", .version = ""};
    int count = 0;
    char **words = words_of(&makes->command, &count), *directory = directory_of(makes->process.pid);
    size_t length = directory == NULL ? 0 : strlen(directory);
    const char *removed = " (deleted)";
    if (length == 0 || *directory != '/' ||
        (length > strlen(removed) && equal(directory + length - strlen(removed), removed)))
        odd = true; /* hidden, unreachable, or removed */
    facts.directory = directory;
    facts.words = parse_words(words, count);
    facts.current = current;
    facts.initial = initial_environment(makes->process.pid);
    return facts;
}

/* The header of a make: an entry of its run's record. */
static char *make_entry(const struct facts *facts)
{
    const struct make *make = facts->makes;
    struct builder entry = {0};
    char **current = facts->current;
    struct head head = read_head(facts->directory);
    struct options options = parse_makeflags(facts->makeflags, &facts->words);
    const char *test = value_of(current, "MAKE_METRICS_IS_TEST");
    struct utsname system;
    add(&entry, "M");
    add_text(&entry, "key", make->key, current);
    add_text(&entry, "parent", facts->above > 0 ? make[1].key : "", current);
    add_text(&entry, "parent_target", facts->above > 0 ? make[1].target : "", current);
    add_value(&entry, "level", facts->above);
    add(&entry, " goals=");
    add_goals(&entry, &facts->words, facts->default_goal, current);
    add(&entry, " makefiles=");
    add_makefiles(&entry, &facts->words, current);
    add_value(&entry, "wall_ns", start_time_ns(&make->process));
    add_text(&entry, "directory", facts->directory, current);
    add_text(&entry, "version", facts->version, current);
    add_text(&entry, "is_test", *test == '\0' ? "no" : test, current);
    add_text(&entry, "repository", head.repository, current);
    add_text(&entry, "head", head.commit, current);
    add_text(&entry, "branch", head.branch, current);
    odd = odd || uname(&system) < 0 || *boot_id() == '\0';
    add_text(&entry, "boot", join(system.nodename, " ", boot_id()), current);
    if (odd)
        return NULL;
    add_text(&entry, "ceiling", ceiling_words[lower_ceiling(facts->initial, current)], current);
    add_text(&entry, "ci", ci_service(current), current);
    add_text(&entry, "driver", driver(current), current);
    add_value(&entry, "jobs", *facts->version == '\0' ? -1 : options.jobs);
    add_text(&entry, "traceparent", facts->above > 0 ? "" : traceparent(value_of(facts->initial, "TRACEPARENT")),
             current);
    add_value(&entry, "parallel", options.parallel);
    add_value(&entry, "keep_going", options.keep_going);
    add_value(&entry, "ignore_errors", options.ignore_errors);
    add(&entry, " ;\n");
    return odd ? NULL : entry.text;
}
