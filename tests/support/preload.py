"""A library for LD_PRELOAD: it makes name look-ups hang, and shifts the clock."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LOOKUP_HANGS, CLOCK = "PRELOADED_LOOKUP_HANGS", "PRELOADED_CLOCK"
_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    while (getenv("PRELOADED_LOOKUP_HANGS") != NULL)
        pause();
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
"""


def preload(folder: Path, **settings: str) -> dict[str, str]:
    """Build the library; the variables that load it. Skips the test where it cannot be built."""
    if sys.platform != "linux" or not shutil.which("cc"):
        pytest.skip("needs Linux and a C compiler")
    source, library = folder / "preload.c", folder / "preload.so"
    source.write_text(_SOURCE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), **settings}
