/* hot/line.py, hot/arguments.py: the environment as make passed it on. */

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

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text == '\0';
}

/* Whether a shell keeps a variable of this name. */
static bool is_identifier(const char *name, size_t length)
{
    if (length > 0 && isdigit((unsigned char)*name))
        return false;
    for (size_t at = 0; at < length; at++)
        if ((unsigned char)name[at] >= 0x80 || (!isalnum((unsigned char)name[at]) && name[at] != '_'))
            return false;
    return length > 0;
}

/* Whether a shell exports this PATH where there is none. */
static bool is_invented(const char *path)
{
    return is_among(invented_paths, COUNT(invented_paths), path);
}

/* Whether PATH is among variables with a NUL behind each. */
static bool has_path(const char *variables, size_t length)
{
    for (const char *variable = variables; variable < variables + length; variable += strlen(variable) + 1)
        if (strncmp(variable, "PATH=", 5) == 0)
            return true;
    return false;
}

/* Remove a variable from an environment of so many; gives how many are left. */
static size_t remove_variable(char **environment, size_t count, char **place)
{
    memmove(place, place + 1, (size_t)(environment + count - place) * sizeof *place);
    return count - 1;
}

/* Answer the shell between make and the line, which asks what make passed on and it does not. That shell is our parent:
 * what it was started with is compared with what it gives to us. hot/arguments.py has the form of the answer. Where the
 * system is asked nothing there is no answer, and the shell asks Python. */
static bool tell_changes(char **given, pid_t shell)
{
    size_t length = 0, room = strlen(ANSWER) + 2;
    char *of_shell = environment_of(shell, &length);
    if (of_shell == NULL && !ASKS)
        return false;
    char *end_of_shell = of_shell == NULL ? NULL : of_shell + length;
    for (char **variable = given; *variable != NULL; variable++)
        room += 3 * strlen(*variable) + 2;
    char *text = malloc(room + 5 * length), *end = text;
    if (text == NULL)
        return false;
    end += sprintf(end, "%s%s", ANSWER, of_shell == NULL ? "" : "|");
    size_t count = 0;
    char **theirs = calloc(length + 1, sizeof *theirs);
    if (theirs == NULL)
        return false;
    for (char *variable = of_shell; variable < end_of_shell; variable += strlen(variable) + 1) {
        const char *mark = strchr(variable, '=');
        if (mark == NULL)
            continue;
        char **place = find_variable(theirs, variable, (size_t)(mark - variable));
        *(place == NULL ? &theirs[count++] : place) = variable;
    }
    for (size_t at = 0; at < count; at++) {
        char **place = find_variable(given, theirs[at], (size_t)(strchr(theirs[at], '=') - theirs[at]));
        if (place == NULL || !equal(*place, theirs[at]))
            end = encode(end + sprintf(end, "%s+", end[-1] == '|' ? "" : "|"), theirs[at]);
    }
    for (; of_shell != NULL && *given != NULL; given++) {
        char *name = join(*given, "", "");
        if (name == NULL)
            return false;
        name[strcspn(name, "=")] = '\0';
        if (find_variable(theirs, name, strlen(name)) == NULL)
            end = encode(end + sprintf(end, "%s-", end[-1] == '|' ? "" : "|"), name);
    }
    for (ssize_t written; text < end; text += written)
        if ((written = write(1, text, (size_t)(end - text))) < 0)
            return false;
    return true;
}

/* The environment as make passed it on, from tell_changes()' answer. NULL for words that it does not write. */
static char **told_environment(char **current, const char *changes)
{
    size_t room = 1, count = 0;
    for (char **variable = current; *variable != NULL; variable++)
        room++;
    for (const char *mark = changes; *mark != '\0'; mark++)
        room += *mark == '|';
    char **environment = calloc(room, sizeof *environment);
    char *word = join(changes, "", "");
    if (environment == NULL || word == NULL)
        return NULL;
    for (; *current != NULL; current++)
        if (strncmp(*current, CHANGES "=", strlen(CHANGES "=")) != 0)
            environment[count++] = *current;
    for (char *next; word != NULL && *word != '\0'; word = next) {
        next = strchr(word, '|');
        if (next != NULL)
            *next++ = '\0';
        char *variable = decode(word + 1);
        if (variable == NULL || (*word != '+' && *word != '-'))
            return NULL;
        char **place = find_variable(environment, variable, strcspn(variable, "="));
        if (*word == '+')
            *(place == NULL ? &environment[count++] : place) = variable;
        else if (place != NULL)
            count = remove_variable(environment, count, place);
    }
    return environment;
}

/* The environment as make passed it on: undoes what the intermediate shell changed and dropped. NULL for words that the
 * fragment does not write, and where the system is asked nothing. */
static char **restored_environment(char **current, const struct arguments *arguments, pid_t parent)
{
    if (*arguments->environment == '\0')
        return current;
    const char *changes = variable(current, CHANGES);
    if (changes != NULL && *changes == '|')
        return told_environment(current, changes + 1);
    size_t length = 0, count = 0;
    char *of_make = environment_of(parent, &length);
    if (of_make == NULL && !ASKS)
        return NULL;
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
            count = remove_variable(environment, count, place);
        }
        word = next;
    }

    char **path = find_variable(environment, "PATH", 4);
    if (path != NULL && of_make != NULL && is_invented(*path + 5) && !has_path(of_make, length))
        count = remove_variable(environment, count, path);
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
