"""Who gives a yes: a person at a terminal, or a CI job that somebody wrote. A recipe cannot: others write Makefiles.

This keeps a Makefile from agreeing in passing. It is no wall: what runs as this user can also write the user's files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from make_metrics import environment
from make_metrics.errors import UserError

_MAKES = frozenset({"make", "gmake"})


def refuse_yes_of_a_recipe(environ: Mapping[str, str], command: str) -> None:
    """Raise UserError if a yes without a question would be a recipe's, or nobody's.

    It is a recipe's with MAKELEVEL in the environment, or below a make. It is nobody's without a controlling terminal
    (a daemon, a cron job) or in the background of one, except in CI. `command` is how to be asked instead.
    """
    if below_make(environ):
        raise UserError(
            f"a recipe cannot say yes for you, and this runs below make: run {command} in a terminal yourself"
        )
    if not environment.in_ci(environ) and not _is_at_terminal():
        raise UserError(
            f"without a terminal --yes is only for CI, since nobody here can have agreed: run {command} in a terminal"
        )


def refuse_answer_of_a_recipe(command: str) -> None:
    """Raise UserError if a recipe has opened the terminal in which a question would be asked, and could answer it.

    Below a make the terminal must be the one that this make was started in.
    """
    from make_metrics.processes.tree import make_among_ancestors, terminal_of

    make = make_among_ancestors(_MAKES)
    if make is not None and terminal_of(make) != os.ttyname(0):
        raise UserError(f"a recipe cannot say yes for you, and make runs in another terminal: run {command} yourself")


def below_make(environ: Mapping[str, str]) -> bool:
    """Whether this process was started by a make: MAKELEVEL says so, or make is among the ancestors."""
    from make_metrics.processes.tree import make_among_ancestors  # loads psutil

    return "MAKELEVEL" in environ or make_among_ancestors(_MAKES) is not None


def _is_at_terminal() -> bool:
    """Whether this process is in the foreground of a controlling terminal, whatever its standard streams are."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
