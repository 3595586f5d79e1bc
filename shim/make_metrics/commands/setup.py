"""`make-metrics setup`: write the user's fragment, and say which line to add to a Makefile."""

from __future__ import annotations

import argparse
import os
import sys

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.setup import bundle, fragment


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Write the fragment and print the line on standard output; 0. Raises UserError if it cannot be written."""
    paths = Paths.from_environment()
    text = fragment.render(paths)
    try:
        private_directory(paths.fragment.parent)
        scratch = paths.fragment.with_suffix(f".{os.getpid()}")
        scratch.write_text(text)
        scratch.chmod(0o644)
        scratch.replace(paths.fragment)
    except OSError as error:
        raise UserError(f"cannot write {paths.fragment}: {error.strerror}") from error
    bundle.write()  # where that cannot be, all is a little slower; doctor says why
    sys.stderr.write("This line at the end of a Makefile has its targets measured, and does nothing for others:\n")
    sys.stdout.write(f"{fragment.include_line(paths)}\n")
    return 0
