/* hot/exec_error.py: make's message for a program that cannot be started. */

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
    size_t length = 0;
    char *text = environment_of(make, &length);
    if (text == NULL && !ASKS)
        return true;
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

/* Whether make itself would lose its message: 4.0 and 4.1 do if they collect what the line prints (-O), which they do
 * in a file without a name. */
static bool is_message_lost(const struct arguments *arguments)
{
    struct stat errors;
    return (arguments->number == VERSION_NUMBER(4, 0) || arguments->number == VERSION_NUMBER(4, 1)) &&
           fstat(2, &errors) == 0 && S_ISREG(errors.st_mode) && errors.st_nlink == 0;
}

/* Print make's message for a program that cannot be started; gives the exit status for it. */
static int report_exec_error(const struct arguments *arguments, const char *name, int error, bool recipe)
{
    const char *words = error_text(error), *function = "";
    char level[32] = "";
    bool of_apple = arguments->of_apple && recipe; /* it starts $(shell) as GNU make does */
    int status = of_apple ? 1 : 127; /* Apple's make runs /usr/bin/false in place of the program */
    if (is_message_lost(arguments))
        return status;
    if (arguments->number < VERSION_NUMBER(4, 3) && !of_apple) {
        if (error == ENOENT)
            words = "Command not found";
        else
            function = "execvp: ";
    }
    if (arguments->level > 0)
        snprintf(level, sizeof level, "[%ld]", arguments->level);
    size_t size = strlen(arguments->make) + strlen(level) + strlen(name) + strlen(words) + 16;
    char *text = malloc(size);
    if (text != NULL) {
        int length = snprintf(text, size, "%s%s: %s%s: %s\n", arguments->make, level, function, name, words);
        if (write(2, text, (size_t)length) < 0)
            return status; /* nobody reads standard error */
    }
    return status;
}
