"""Whether there are pseudo-terminals here: a minimal chroot or container has no /dev/pts."""

from __future__ import annotations

import os

NONE = "no pseudo-terminals here (root: mount -t devpts devpts /dev/pts)"


def has_terminals() -> bool:
    """Whether a pseudo-terminal can be opened."""
    try:
        descriptors = os.openpty()
    except OSError:
        return False
    for descriptor in descriptors:
        os.close(descriptor)
    return True
