/* make_metrics/environment.py and files/user_dirs.py: what an environment allows, and where it has our directories. */

enum ceiling { OFF, LOCAL, ON };
static const char *const ceiling_words[] = {"off", "local", "on"};

/* The value of a variable; empty if it is not set. */
static const char *value_of(char **environment, const char *name)
{
    const char *value = variable(environment, name);
    return value == NULL ? "" : value;
}

/* The environment that a process was started with, as psutil reads it: of a name that is there twice the last. */
static char **initial_environment(pid_t pid)
{
    size_t length = 0, count = 0, kept = 0;
    char *text = environment_of(pid, &length);
    if (text == NULL || length == 0 || text[length - 1] != '\0') {
        odd = true; /* another user's; or overwritten by the program */
        return NULL;
    }
    for (size_t at = 0; at < length; at++)
        count += text[at] == '\0';
    char **environment = calloc(count + 1, sizeof *environment);
    if (environment == NULL)
        _exit(127);
    for (char *variable = text; variable < text + length; variable += strlen(variable) + 1) {
        const char *mark = strchr(variable, '=');
        if (*variable == '\0' || mark == NULL)
            odd = true;
        environment[kept++] = variable;
    }
    for (size_t at = 0; at < kept / 2; at++) { /* the last first: variable() then finds it */
        char *variable = environment[at];
        environment[at] = environment[kept - 1 - at];
        environment[kept - 1 - at] = variable;
    }
    return environment;
}

static bool is_set(const char *value) { return *value != '\0' && !equal(value, "0") && !equal(value, "false"); }

static bool in_ci(char **environment)
{
    bool is_ci = is_set(value_of(environment, "CI"));
    for (size_t at = 0; at < COUNT(ci_services) && !is_ci; at += 2)
        is_ci = *value_of(environment, ci_services[at]) != '\0';
    return is_ci;
}

/* Who started make. */
static const char *driver(char **environment)
{
    for (size_t at = 0; at < COUNT(agent_variables); at++)
        if (is_set(value_of(environment, agent_variables[at])))
            return "agent";
    return in_ci(environment) ? "ci" : "person";
}

static const char *ci_service(char **environment)
{
    for (size_t at = 0; at < COUNT(ci_services); at += 2)
        if (*value_of(environment, ci_services[at]) != '\0')
            return ci_services[at + 1];
    return in_ci(environment) ? "other" : "none";
}

/* The most that DO_NOT_TRACK and MAKE_METRICS allow. */
static enum ceiling ceiling_of(char **environment)
{
    const char *track = value_of(environment, "DO_NOT_TRACK"), *value = value_of(environment, "MAKE_METRICS");
    if (equal(value, "off"))
        return OFF;
    if ((*track != '\0' && !equal(track, "0")) || (*value != '\0' && !equal(value, "on") && !equal(value, "log")))
        return LOCAL;
    return ON;
}

/* The most that a make's environment allows: see walk/header.py. */
static enum ceiling lower_ceiling(char **initial, char **current)
{
    enum ceiling first = ceiling_of(initial), second = ceiling_of(current);
    enum ceiling ceiling = first < second ? first : second;
    for (size_t at = 0; at < COUNT(dir_variables); at++) {
        const char *before = variable(initial, dir_variables[at]), *now = variable(current, dir_variables[at]);
        odd = odd || (before != NULL && strchr(before, '\r') != NULL);
        if ((before == NULL) != (now == NULL) || (before != NULL && !equal(before, now)))
            ceiling = ceiling < LOCAL ? ceiling : LOCAL;
    }
    return ceiling;
}

/* A directory of the user: `kind` is data or config, `name` the variable for it, `fallback` its place in the home. */
static char *user_dir(char **environment, const char *kind, const char *name, const char *fallback)
{
    const char *root = value_of(environment, "MAKE_METRICS_HOME"), *home = value_of(environment, "HOME");
    const char *base = value_of(environment, name);
    if (*root != '\0')
        return *root == '/' ? join_path(root, kind) : odd_text();
    if (*home != '/')
        return odd_text();
    char *path = *base == '/' ? join(base, "", "") : join_path(home, fallback);
    return path == NULL ? odd_text() : join_path(path, "make-metrics");
}

static char *data_dir(char **environment)
{
    return user_dir(environment, "data", "XDG_DATA_HOME", DATA_BELOW_HOME);
}

static char *config_dir(char **environment)
{
    return user_dir(environment, "config", "XDG_CONFIG_HOME", CONFIG_BELOW_HOME);
}
