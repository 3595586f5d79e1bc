"""A library for LD_PRELOAD: it makes name look-ups hang, shifts the clock, and interrupts a program at a bad moment.

LOOKUP_HANGS names a file: look-ups hang while it exists, and say so by a file beside it, whose name ends in `.hangs`.
With any other value they hang for ever. With INTERRUPTS a program gets SIGINT once, as it begins to wait for its input.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOOKUP_HANGS, CLOCK, INTERRUPTS = "PRELOADED_LOOKUP_HANGS", "PRELOADED_CLOCK", "PRELOADED_INTERRUPTS"
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    const char *until = getenv("PRELOADED_LOOKUP_HANGS");
    while (until != NULL && (*until != '/' || access(until, F_OK) == 0)) {
        char name[4096];
        if (*until == '/' && snprintf(name, sizeof name, "%s.hangs", until) < (int)sizeof name)
            close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        usleep(20000);
    }
    return real(node, service, hints, found);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int status = real(clock, now);
    const char *name = getenv("PRELOADED_CLOCK");
    if (status == 0 && clock == CLOCK_REALTIME && name != NULL) {
        char text[32] = "";
        int fd = open(name, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
            now->tv_sec += atol(text);
        if (fd >= 0)
            close(fd);
    }
    return status;
}

static void interrupt(void)
{
    static int done;
    if (getenv("PRELOADED_INTERRUPTS") != NULL && !done++)
        raise(SIGINT);
}

ssize_t read(int fd, void *into, size_t size)
{
    ssize_t (*real)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    if (fd == 0)
        interrupt();
    return real(fd, into, size);
}

int select(int highest, fd_set *readable, fd_set *writable, fd_set *failed, struct timeval *limit)
{
    int (*real)(int, fd_set *, fd_set *, fd_set *, struct timeval *) = dlsym(RTLD_NEXT, "select");
    if (readable != NULL && FD_ISSET(0, readable))
        interrupt();
    return real(highest, readable, writable, failed, limit);
}
"""


def preload(folder: Path, **settings: str) -> dict[str, str]:
    """Build the library; the variables that load it. Skips the test where it cannot be built."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("needs Linux and a C compiler")
    source, library = folder / "preload.c", folder / "preload.so"
    source.write_text(_SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), **settings}
