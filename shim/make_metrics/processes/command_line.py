"""What a make process was asked for: its goals, jobs and options, from its command line and MAKEFLAGS.

GNU make manual: section 9.7 for the options, 5.7.3 for MAKEFLAGS.
"""

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


def goals(words: Sequence[str]) -> tuple[str, ...]:
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


def _jobs_named(words: Sequence[str]) -> int:
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


def _given(makeflags: str) -> tuple[str, list[str]]:
    """The options in MAKEFLAGS (GNU make manual, 5.7.3): the single letters that come first, and all other words."""
    words = makeflags.split(" -- ")[0].split()
    first = words[0] if words and not words[0].startswith("-") and "=" not in words[0] else ""
    return first, words


def flags(makeflags: str) -> dict[str, bool]:
    """What MAKEFLAGS says of jobs, -k and -i."""
    letters, words = _given(makeflags)
    return {
        "parallel": any(word.startswith("-j") and word != "-j1" for word in words),
        "keep_going": "k" in letters or "--keep-going" in words,
        "ignore_errors": "i" in letters or "--ignore-errors" in words,
    }


def jobs(makeflags: str, command: list[str]) -> int:
    """How many jobs make runs at once: 0 for no limit, -1 where it is not known.

    Make before 4.2 tells recipes that there is a job server, and not of how many: then its command line may say it.
    """
    words = _given(makeflags)[1]
    given = [word[2:] for word in words if word.startswith("-j")]
    if not given:
        return 1
    if given[-1].isdecimal():
        return int(given[-1])
    return _jobs_named(command) if any(word.startswith("--jobserver") for word in words) else 0


def builds_nothing(makeflags: str) -> bool:
    """Whether make only says or asks what it would do (-n, -q, -t): what it runs even so is no target's work."""
    return bool(set("nqt") & set(_given(makeflags)[0]))
