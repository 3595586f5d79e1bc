"""A make process's goals, read from its command line (GNU make manual, section 9.7 for the options)."""

from __future__ import annotations

from collections.abc import Sequence

# Options that take the next word as their argument when none is attached to them.
_LETTERS_WITH_WORD = frozenset("CfIoWE")
# Options whose argument, if any, is attached; the rest of the word belongs to them. -j and -l also take a number
# from the next word.
_LETTERS_WITH_REST = frozenset("jlO")
_LONG_WITH_WORD = ("directory", "eval", "file", "makefile", "include-dir", "old-file", "assume-old", "what-if",
                   "new-file", "assume-new")  # fmt: skip
_LONG_WITH_NUMBER = ("jobs", "load-average", "max-load")


def from_command_line(words: Sequence[str]) -> tuple[str, ...]:
    """The goals named on a make command line (its first word being make's own name), in order; empty for none."""
    found: list[str] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word == "--":
            found += [goal for goal in rest if goal and "=" not in goal]
            break
        if word.startswith("--"):
            _skip_long(word[2:], rest)
        elif word.startswith("-") and len(word) > 1:
            _skip_letters(word[1:], rest)
        elif word and "=" not in word:
            found.append(word)
    return tuple(dict.fromkeys(found))


def jobs(words: Sequence[str]) -> int:
    """The number of jobs that a make command line names, -1 if it names none."""
    found, rest = -1, list(words[1:])
    while rest and (word := rest.pop(0)) != "--":
        attached = _jobs(word)
        if attached is None:
            _skip(word, rest)
            continue
        number = attached or (rest[0] if rest else "")
        found = int(number) if number.isdecimal() else found
    return found


def _jobs(word: str) -> str | None:
    """What is attached to -j or --jobs in a word, None for another word."""
    if word.startswith("--"):
        name, _, attached = word[2:].partition("=")
        return attached if len(name) > 1 and "jobs".startswith(name) else None
    letters, found, attached = word[1:].partition("j")
    if not word.startswith("-") or not found or set(letters) & (_LETTERS_WITH_WORD | _LETTERS_WITH_REST):
        return None
    return attached


def _skip(word: str, rest: list[str]) -> None:
    if word.startswith("--"):
        _skip_long(word[2:], rest)
    elif word.startswith("-"):
        _skip_letters(word[1:], rest)


def _skip_long(option: str, rest: list[str]) -> None:
    name, attached, _ = option.partition("=")
    if attached:
        return
    if any(known.startswith(name) for known in _LONG_WITH_WORD):  # getopt_long(3) takes unambiguous beginnings
        del rest[:1]
    elif any(known.startswith(name) for known in _LONG_WITH_NUMBER):
        _skip_number(rest)


def _skip_letters(letters: str, rest: list[str]) -> None:
    for at, letter in enumerate(letters):
        if letter in _LETTERS_WITH_WORD:
            if at + 1 == len(letters):
                del rest[:1]
            return
        if letter in _LETTERS_WITH_REST:
            if letter != "O" and at + 1 == len(letters):
                _skip_number(rest)
            return


def _skip_number(rest: list[str]) -> None:
    if rest and rest[0].replace(".", "", 1).isdigit():
        del rest[:1]
