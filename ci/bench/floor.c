/* For comparison: the least that a recorder of lines can do. It starts the shell, waits, locks a file and appends. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **words)
{
    struct timespec wall, start, end;
    struct rusage usage = {0};
    char text[256];
    int status = 0;
    (void)count;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &start);
    words[0] = getenv("BENCH_SHELL");
    pid_t child = vfork();
    if (child == 0) {
        execve(words[0], words, environ);
        _exit(127);
    }
    wait4(child, &status, 0, &usage);
    clock_gettime(CLOCK_MONOTONIC, &end);
    snprintf(text, sizeof text, "%s/floor", getenv("BENCH_RESULTS"));
    int fd = open(text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) == 0) {
        int length = snprintf(text, sizeof text, "L %ld.%09ld %ld.%09ld %ld.%09ld %d %ld ;\n", (long)wall.tv_sec,
                              wall.tv_nsec, (long)start.tv_sec, start.tv_nsec, (long)end.tv_sec, end.tv_nsec, status,
                              usage.ru_maxrss);
        if (write(fd, text, (size_t)length) < 0)
            return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
