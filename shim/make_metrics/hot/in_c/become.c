/* entry.py, hot/line.py, hot/command.py: becoming the Python shim, or the command itself. */

/* Become the Python shim; returns if that does not run here. */
static void become_python(char **shim)
{
    char answer[sizeof ANSWER + 1] = "", *words[] = {shim[0], "-I", "-S", shim[3], PROTOCOL, NULL};
    int fds[2];
    if (open_pipe(fds) < 0)
        return;
    pid_t child = vfork();
    if (child == 0) {
        if (dup2(fds[1], 1) == 1 && fcntl(1, F_SETFD, 0) == 0) {
            int null_fd = open("/dev/null", O_RDWR);
            dup2(null_fd, 0);
            dup2(null_fd, 2);
            if (null_fd > 2)
                close(null_fd);
            execve(shim[0], words, environ);
        }
        _exit(127);
    }
    close(fds[1]);
    size_t length = 0;
    while (child > 0 && length < sizeof answer - 1) {
        ssize_t count = read(fds[0], answer + length, sizeof answer - 1 - length);
        if (count > 0)
            length += (size_t)count;
        else if (count == 0 || errno != EINTR)
            break;
    }
    close(fds[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (equal(answer, ANSWER))
        execv(shim[0], shim);
}

/* Replace this process by the command. */
static _Noreturn void become(const struct arguments *arguments, char **environment, bool recipe)
{
    char **command = command_for(arguments, recipe);
    const char *path = find_program(arguments, command[0], environment);
    if (path != NULL) {
        execve(path, command, environment);
        if (errno == ENOEXEC) {
            char **words = script_command(path, command);
            if (words != NULL)
                execve(DEFAULT_SHELL, words, environment);
        }
    }
    int error = errno;
    if (speaks_other_language(parent_pid()))
        become_python(arguments->shim);
    _exit(report_exec_error(arguments, command[0], error, recipe));
}
