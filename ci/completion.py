"""The completions for bash, zsh and fish, and the manual page, all made from the parser (make_metrics/cli.py).

`python -m ci.reference` writes them into the package. shtab and argparse-manpage are needed for that alone: whoever
installs or builds the package needs neither.
"""

from __future__ import annotations

import argparse
import os
import re
from typing import Any

import shtab
from argparse_manpage.manpage import Manpage

from make_metrics.cli import COMMANDS, parser

# A target that stands in the Makefile by its name. make is not started: reading a Makefile can run programs.
_NAMES = r"sed -n -e '/^[^:]*::*=/d' -e 's/^\([A-Za-z0-9][A-Za-z0-9_.+-]*\) *:.*/\1/p' GNUmakefile makefile Makefile"
_TARGET = {
    "bash": "_make_metrics_targets",
    "zsh": "_make_metrics_targets",
    "fish": f"({_NAMES} 2>/dev/null | sort -u)",
}
_PREAMBLE = {
    "bash": f'_make_metrics_targets() {{\n  compgen -W "$({_NAMES} 2>/dev/null)" -- "$1"\n}}',
    "zsh": "_make_metrics_targets() {\n"
    f'  local -a targets=(${{(f)"$({_NAMES} 2>/dev/null)"}})\n'
    "  compadd -a targets\n"
    "}",
}
_SINCE = ("1h", "1d", "7d", "30d")
STATUSES = (
    "## Exit statuses\n",
    "| status | meaning |",
    "|---|---|",
    "| 0 | done |",
    "| 1 | an error that you can mend: a line on standard error says how; from `doctor`: something is BAD; from "
    "`flush`: something still waits |",
    "| 2 | wrong usage: an unknown command, option or argument |",
    "| 3 | a bug in make-metrics: please report it |",
    "| 130 | stopped by Ctrl-C |",
    "| 141 | nobody reads the output any more (a closed pipe) |\n",
)


def _completing() -> argparse.ArgumentParser:
    """The parser with `help` as a command, and with what each argument completes to."""
    whole = parser()
    (commands,) = (action for action in whole._actions if isinstance(action, argparse._SubParsersAction))
    commands.add_parser("help", help="show what a command does").add_argument(
        "command", choices=[command.name for command in COMMANDS]
    )
    for each in commands.choices.values():
        for action in each._actions:
            _complete(action)
    return whole


def _complete(action: Any) -> None:
    if action.dest == "directory":
        action.complete = shtab.DIRECTORY
    elif action.metavar == "MAKEFILE":
        action.complete = shtab.FILE
    elif action.metavar == "TARGET":
        action.complete = _TARGET
    elif action.dest == "since":
        action.complete = {
            "bash": "_make_metrics_since",
            "zsh": f"({' '.join(_SINCE)})",
            "fish": " ".join(_SINCE),
        }


def _script(shell: str) -> str:
    preamble: Any = dict(_PREAMBLE)  # shtab's annotation says str
    preamble["bash"] += f'\n_make_metrics_since() {{\n  compgen -W "{" ".join(_SINCE)}" -- "$1"\n}}'
    return shtab.complete(_completing(), shell=shell, preamble=preamble).rstrip("\n") + "\n"


def _page() -> str:
    """The manual page. Its date and its lines do not depend on the day and on the terminal."""
    os.environ.update(SOURCE_DATE_EPOCH="0", COLUMNS="80")
    page = Manpage(parser(), format="single-commands-section")
    page.date, page.manual = "", "make-metrics"
    page.description = "time every target of a Makefile"
    page.add_section("exit status", ">", _statuses())
    return str(page).replace("\n.SH COMMENTS\n", "\n.SH ENVIRONMENT\n")


def _statuses() -> str:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", "\n".join(STATUSES), re.MULTILINE)
    return "\n".join(f".TP\n.B {status}\n{meaning.replace('`', '')}" for status, meaning in rows)


def texts() -> dict[str, str]:
    """The text of each file, by its name in the package."""
    return {
        **{f"make-metrics.{shell}": _script(shell) for shell in ("bash", "zsh", "fish")},
        "make-metrics.1": _page(),
    }
