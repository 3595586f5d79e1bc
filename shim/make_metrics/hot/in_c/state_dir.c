/* hot/state_dir.py: the state directory. */

/* The state directory; NULL for a case that is left to the Python shim. */
static char *find_state_dir(const struct arguments *arguments, char **environment)
{
    const char *sudo = variable(environment, "SUDO_UID"), *root = variable(environment, "MAKE_METRICS_HOME");
    const char *home = variable(environment, "HOME");
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
    const char *base = variable(environment, "XDG_STATE_HOME");
    if (base != NULL && *base == '/')
        return join(base, "/make-metrics", "");
    return join(home, STATE_BELOW_HOME, "");
}

/* Whether the Python shim could not record either: root for somebody else or in somebody else's home, or no directory
 * above the state directory. */
static bool records_nothing(const struct arguments *arguments, char **environment)
{
    const char *sudo = variable(environment, "SUDO_UID"), *home = variable(environment, "HOME");
    struct stat status;
    if (geteuid() == 0 && sudo != NULL && !equal(sudo, "0"))
        return arguments->level == 0;
    char *state = find_state_dir(arguments, environment);
    bool is_root = geteuid() == 0, exists = state != NULL && lstat(state, &status) == 0;
    if (state == NULL || (exists && !is_root))
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
    if (stat(*above == '\0' ? "/" : above, &status) < 0)
        return !exists;
    return is_root && status.st_uid != 0 && (arguments->level == 0 || !exists);
}
