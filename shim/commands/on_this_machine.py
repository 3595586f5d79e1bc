"""`make-metrics on-this-machine`: what make does is recorded here, and stays here."""

from __future__ import annotations

import sys

from shim.errors import UserError
from shim.paths import Paths, private, shown


def run() -> int:
    """Turn recording on again for this user; raises UserError if it cannot be."""
    paths = Paths.from_environment()
    try:
        paths.off_file.unlink(missing_ok=True)
        private(paths.data)
        paths.here_file.touch(mode=0o600)
    except OSError as error:
        raise UserError(f"cannot change {shown(paths.data)}: {error.strerror}") from error
    sys.stdout.write("recording on this machine, nothing is sent\n")
    return 0
