"""`make-metrics off`: nothing is recorded any more; recipes run with the Makefile's own shell."""

from __future__ import annotations

import sys

from shim.errors import UserError
from shim.paths import Paths, private, shown


def run() -> int:
    """Turn recording off for this user; raises UserError if that cannot be written down."""
    paths = Paths.from_environment()
    private(paths.data)
    try:
        paths.off_file.touch(mode=0o600)
    except OSError as error:
        raise UserError(f"cannot write {shown(paths.off_file)}: {error.strerror}") from error
    sys.stdout.write("recording is off; make-metrics on-this-machine turns it on again\n")
    return 0
