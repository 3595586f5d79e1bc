"""`make-metrics setup`: write the user's fragment, and put the include line into a Makefile or print it."""

from __future__ import annotations

import argparse
import sys

from make_metrics.commands.prose import show
from make_metrics.errors import UsageError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.setup import fragment, makefile
from make_metrics.setup.renewal import set_up


def run(given: argparse.Namespace) -> int:
    """Write the fragment; then add the line to a Makefile, or print it. With `remove`, only take the line out; 0.

    `given.add` and `given.remove` name a Makefile; an empty name is the one that make would choose; None is no option.
    Raises UserError if the fragment or the Makefile cannot be written, or there is no Makefile.
    """
    if given.add is not None and given.remove is not None:
        raise UsageError("--add and --remove exclude each other: give one of them")
    if given.remove is not None:
        path = makefile.find_makefile(given.remove)
        outcome = "removed the include line" if makefile.remove_line(path) else "has no include line"
        sys.stdout.write(f"{printable_path(path)}: {outcome}\n")
        return 0
    paths = Paths.from_environment()
    if given.add is not None:
        path = makefile.find_makefile(given.add)
        set_up(paths)
        added = makefile.add_line(path, fragment.include_line(paths))
        sys.stdout.write(f"{printable_path(path)}: {'added' if added else 'already has'} the include line\n")
        return 0
    set_up(paths)
    if sys.stdout.isatty():
        show("Add this line at the end of a Makefile. Where make-metrics is not set up, it does nothing:")
    # The empty line in front ends a Makefile's last line that lacks its newline.
    sys.stdout.write(f"\n{fragment.include_line(paths)}\n")
    return 0
