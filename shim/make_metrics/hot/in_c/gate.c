/* consent/gate.py, consent/decision_file.py: what was decided about a project. Only the form in which our commands
 * write a file is read here; any other is left to Python. */

enum decision { UNDECIDED, YES, NO };

/* Our file at a path, empty if there is none. Whatever Python would not take for a file of ours is odd. */
static const char *read_own_file(const char *path, bool any_owner)
{
    size_t length;
    struct stat status;
    errno = 0;
    if (!exists(path))
        return errno == ENOENT ? "" : odd_text();
    char *text = read_regular(path, OWN_FILE_BYTES, O_NOFOLLOW, &length, &status);
    if (text == NULL || strlen(text) != length || (status.st_uid != geteuid() && !any_owner))
        return odd_text();
    return text;
}

/* Go past a text; NULL if another stands there. */
static const char *skip(const char *at, const char *expected)
{
    return at != NULL && starts_with(at, expected) ? at + strlen(expected) : NULL;
}

/* Go past a JSON text of plain ASCII, which is `expected` if that is not NULL. */
static const char *skip_string(const char *at, const char *expected)
{
    at = skip(at, "\"");
    const char *start = at;
    while (at != NULL && *at >= ' ' && *at < 0x7F && *at != '"' && *at != '\\')
        at++;
    if (at == NULL || *at != '"' || (expected != NULL && (strncmp(start, expected, (size_t)(at - start)) != 0 ||
                                                          expected[at - start] != '\0')))
        return NULL;
    return at + 1;
}

/* The decision about a project, by its file at `path`. */
static enum decision read_decision(const char *path, const char *project)
{
    const char *text = read_own_file(path, geteuid() == 0);
    if (text == NULL)
        return UNDECIDED;
    if (*text == '\0' && !exists(path))
        return UNDECIDED;
    const char *at = skip(text, "{\n  \"format\": 1,\n  \"decision\": \"");
    const char *yes = skip(at, "yes"), *no = skip(at, "no");
    at = skip(skip_string(skip(yes == NULL ? no : yes, "\",\n  \"project\": "), project), ",\n  \"decided_ns\": ");
    size_t digits = at == NULL ? 0 : strspn(at, "0123456789");
    if (digits == 0 || digits > 19 || *at == '0')
        at = NULL;
    at = skip(skip_string(skip(at == NULL ? NULL : at + digits, ",\n  \"notice\": "), NULL), ",\n  \"sinks\": [");
    const char *sink = skip(at, "\n    ");
    while (sink != NULL) {
        at = skip_string(sink, NULL);
        sink = skip(at, ",\n    ");
        if (sink == NULL)
            at = skip(at, "\n  ");
    }
    at = skip(at, "]\n}\n");
    if (at == NULL || *at != '\0') {
        odd = true;
        return UNDECIDED;
    }
    return yes != NULL ? YES : NO;
}

/* Whether a directory has entries. */
static bool has_entries(const char *path)
{
    errno = 0;
    DIR *directory = opendir(path);
    if (directory == NULL) {
        odd = odd || errno != ENOENT;
        return false;
    }
    struct dirent *entry = readdir(directory);
    while (entry != NULL && (equal(entry->d_name, ".") || equal(entry->d_name, "..")))
        entry = readdir(directory);
    closedir(directory);
    return entry != NULL;
}

/* A project, and what the developer's environment says about it. */
struct gate {
    struct root project;
    char key[33]; /* of the project; empty if nobody has decided anything */
    char *data, *config;
    enum decision decision;
};

static struct gate open_gate(const char *directory, char **initial)
{
    struct gate gate = {.project = find_root(directory), .data = data_dir(initial), .config = config_dir(initial)};
    char *decisions = gate.config == NULL ? NULL : join_path(gate.config, "consent");
    if (gate.data == NULL || decisions == NULL)
        return gate;
    bool anybody = has_entries(decisions);
    if (anybody || gate.project.settings)
        project_key(gate.project.directory, gate.key);
    if (anybody) {
        char *path = join(decisions, "/", gate.key);
        path = path == NULL ? NULL : join(path, ".json", "");
        gate.decision = path == NULL ? UNDECIDED : read_decision(path, gate.project.directory);
    }
    return gate;
}

/* Whether recording is forbidden: nothing is decided, in CI. (A damaged decision is odd already.) */
static bool recording_forbidden(const struct gate *gate, char **initial)
{
    char *on_this_machine = gate->data == NULL ? NULL : join_path(gate->data, "on-this-machine");
    return gate->decision == UNDECIDED && in_ci(initial) && on_this_machine != NULL && !exists(on_this_machine);
}

/* Whether an invitation may be due: Python then looks closer. */
static bool may_invite(const struct gate *gate, char **initial)
{
    if (!gate->project.settings || gate->decision != UNDECIDED || in_ci(initial) || ceiling_of(initial) != ON)
        return false;
    char *times = join_path(gate->config, "invitations"), *settings = join_path(gate->project.directory, SETTINGS);
    char *path = times == NULL ? NULL : join(times, "/", gate->key);
    const char *text = path == NULL ? NULL : read_own_file(path, false);
    if (text == NULL || settings == NULL)
        return true;
    int64_t last = 0;
    int count = 0;
    for (; *text != '\0'; count++) {
        size_t digits = strspn(text, "0123456789");
        if (digits == 0 || digits > 18 || text[digits] != '\n')
            return true;
        int64_t shown = strtoll(text, NULL, 10);
        last = shown > last ? shown : last;
        text += digits + 1;
    }
    if (count >= INVITATIONS_MAX || (count > 0 && nanoseconds(CLOCK_REALTIME) - last < WEEK_NS))
        return false;
    size_t length;
    struct stat status;
    const char *content = read_regular(settings, OWN_FILE_BYTES, O_NOFOLLOW, &length, &status);
    return content == NULL || memmem(content, length, "sinks", strlen("sinks")) != NULL;
}
