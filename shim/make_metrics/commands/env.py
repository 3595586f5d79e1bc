"""`make-metrics env`: the variable with which every make reads the fragment, without a line in a Makefile."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import sys

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths

# What make would not take for one name in a list: MAKEFILES has no way to quote.
_UNLISTABLE = re.compile(r"[\s:;=%$#|&*?\[\]~\\'\"]")


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Print a line that a shell evaluates: `eval "$(make-metrics env)"`. MAKEFILES keeps what it has; 0.

    Raises UserError if set-up has not run, or if MAKEFILES cannot name the fragment.
    """
    path = Paths.from_environment().fragment
    fragment = str(path)
    if not path.exists():
        raise UserError("not set up yet: run make-metrics setup first")
    if _UNLISTABLE.search(fragment):
        raise UserError(
            f"make's variable MAKEFILES cannot name {fragment}: add the include line to the Makefiles instead"
        )
    names = os.environ.get("MAKEFILES", "").split()
    value = " ".join(names if fragment in names else [fragment, *names])
    sys.stdout.write(f"export MAKEFILES={shlex.quote(value)}\n")
    return 0
