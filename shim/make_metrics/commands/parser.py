"""The parser of our command lines: argparse's, with our messages, and without what takes long to load."""

from __future__ import annotations

import argparse
import os
import re
import sys

from make_metrics.errors import UsageError, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_INVALID_CHOICE = re.compile(r"argument (\S+): invalid choice: '(.*)' \(choose from (.*)\)", re.DOTALL)


class _HelpFormatter(argparse.HelpFormatter):
    """As argparse's; that one loads shutil, and with it three libraries for archives, only to know the width."""

    def __init__(self, prog: str) -> None:
        columns = os.environ.get("COLUMNS", "")
        width = int(columns) if columns.isascii() and columns.isdigit() else 0
        if width <= 0:
            try:
                width = os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0
            except (ValueError, OSError):
                width = 0
        super().__init__(prog, width=(width or 80) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ours: one line, with what may have been meant."""

    def __init__(self, **keywords: Any) -> None:
        """A parser with argparse's keywords."""
        super().__init__(**{"formatter_class": _HelpFormatter, **keywords})

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        if match := _INVALID_CHOICE.match(message):
            hint = did_you_mean(match[2], re.findall(r"[\w-]+", match[3]))
            message = f"{match[1].lower()} {match[2]!r} is not known{hint}"
            if hint:
                raise UsageError(message)
        raise UsageError(f"{message} (try: {self.prog} --help)")


class Unused:
    """In place of a parser that parses nothing."""

    def __init__(self, **_: Any) -> None:
        """Nothing."""


def refuse(command: str | None, names: list[str], word: str) -> NoReturn:
    """Raise UsageError for an option or an argument that a command does not have; `names` are those that it has."""
    long = [name.removeprefix("--") for name in names if name.startswith("--")]
    hint = did_you_mean(word.lstrip("-"), long, prefix="--") if word.startswith("-") else ""
    what = "option" if word.startswith("-") else "argument"
    where = f"make-metrics {command}" if command else "make-metrics"
    raise UsageError(f"{where} has no {what} {word!r}{hint or f' (try: {where} --help)'}")
