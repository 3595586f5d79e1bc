"""Errors that the user can put right. Every other exception is a bug of ours."""

from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str], *, prefix: str = "") -> str:
    """A hint in brackets, after a blank, at the name that a misspelt word may stand for; empty if none is like it.

    `prefix` stands before the name there.
    """
    import difflib  # only here: every command imports this module

    close = difflib.get_close_matches(word, list(names), n=1)
    return f" (did you mean {prefix}{close[0]}?)" if close else ""


class UserError(Exception):
    """The message is one line that says what to do. The command ends with status 1."""


class UsageError(UserError):
    """The command line itself is wrong: an unknown command, option or argument. The command ends with status 2."""
