"""What a make process was asked for: its goals, jobs and options, from its command line and from MAKEFLAGS.

GNU make manual: "Summary of Options", and "Communicating Options to a Sub-make" for MAKEFLAGS.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from make_metrics.hot.command import EMULATORS

# Options that take an argument, with their long names. The argument is attached, or else the next word...
_WITH_WORD = {
    "C": ("directory",),
    "E": ("eval",),
    "I": ("include-dir",),
    "W": ("what-if", "new-file", "assume-new"),
    "f": ("file", "makefile"),
    "o": ("old-file", "assume-old"),
}
# ... or else the next word if it is a number...
_WITH_NUMBER = {"j": ("jobs",), "l": ("load-average", "max-load")}
# ... or is only ever attached. Long options of this kind need no entry.
_WITH_ATTACHED = "O"


# Options of qemu-user that take the next word; all of valgrind's have theirs attached.
_OF_QEMU = frozenset({
    "-0", "-B", "-D", "-E", "-L", "-R", "-U", "-cpu", "-d", "-dfilter", "-g", "-p", "-plugin", "-r",
    "-s", "-seed", "-trace",
})  # fmt: skip


def without_emulator(words: list[str]) -> list[str]:
    """A command line without valgrind or qemu-user in front: these show their own in place of their program's."""
    if not words or not os.fsencode(words[0].rpartition("/")[2]).startswith(EMULATORS):
        return words
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _OF_QEMU else 1
    return words[at:]


def goals(words: Sequence[str]) -> tuple[str, ...]:
    """The goals of a make command line, in order; its first word is make's own name."""
    plain, _ = _parse(words)
    return tuple(dict.fromkeys(word for word in plain if word and "=" not in word))


def makefiles(words: Sequence[str]) -> tuple[str, ...]:
    """The makefiles that a make command line names (-f), in order; none if make looks for its default ones."""
    return tuple(argument for letter, argument in _parse(words)[1] if letter == "f" and argument)


def flags(makeflags: str) -> dict[str, bool]:
    """What MAKEFLAGS says of jobs, -k and -i, by the names of fields of `combine.record.Make`."""
    letters, words = _parse_makeflags(makeflags)
    return {
        "parallel": any(word.startswith("-j") and word != "-j1" for word in words),
        "keep_going": "k" in letters or "--keep-going" in words,
        "ignore_errors": "i" in letters or "--ignore-errors" in words,
    }


def jobs(makeflags: str, command: Sequence[str]) -> int:
    """How many jobs make runs at once: 0 for no limit, -1 if unknown.

    Make before 4.2 hides the number from recipes and hands over a bare -j with the job server: then the number is read
    from make's command line, if it is there.
    """
    _, words = _parse_makeflags(makeflags)
    numbers = [word[2:] for word in words if word.startswith("-j")]
    if not numbers:
        return 1
    if numbers[-1].isdecimal():
        return int(numbers[-1])
    return _jobs_of_command(command) if any(word.startswith("--jobserver") for word in words) else 0


def builds_nothing(makeflags: str) -> bool:
    """Whether make only prints, asks or touches (-n, -q, -t). Lines that it runs nevertheless are no target's work."""
    letters, _ = _parse_makeflags(makeflags)
    return bool(set("nqt") & set(letters))


def _jobs_of_command(words: Sequence[str]) -> int:
    """The number of the last -j with one on a make command line, -1 if there is none."""
    _, options = _parse(words)
    numbers = [int(argument) for letter, argument in options if letter == "j" and argument.isdecimal()]
    return numbers[-1] if numbers else -1


def _parse_makeflags(makeflags: str) -> tuple[str, list[str]]:
    """The single letters that MAKEFLAGS begins with, and all its words up to the variables of the command line."""
    words = makeflags.split(" -- ")[0].split()
    letters = words[0] if words and not words[0].startswith("-") and "=" not in words[0] else ""
    return letters, words


def _parse(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The words of a make command line that are no options, and the options that take an argument, each with it.

    Options are named by their letter. The argument of a bare -j is empty.
    """
    plain: list[str] = []
    options: list[tuple[str, str]] = []
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        if word == "--":
            return plain + rest, options
        if not word.startswith("-") or word == "-":
            plain.append(word)
            continue
        option = _long_option(word[2:], rest) if word.startswith("--") else _letters(word[1:], rest)
        options.append(option)
    return plain, options


def _letters(cluster: str, rest: list[str]) -> tuple[str, str]:
    """The option of a word such as -kj4 that takes an argument, and that argument, removed from `rest` if apart."""
    for at, letter in enumerate(cluster):
        attached = cluster[at + 1 :]
        if letter in _WITH_WORD:
            return letter, attached or _next_word(rest)
        if letter in _WITH_NUMBER:
            return letter, attached or _next_number(rest)
        if letter in _WITH_ATTACHED:
            return letter, attached
    return "", ""


def _long_option(option: str, rest: list[str]) -> tuple[str, str]:
    """The same for a word after its `--`, by the option's letter. getopt_long(3) accepts shortened names."""
    name, equals, attached = option.partition("=")
    if letter := _letter_of(name, _WITH_WORD):
        return letter, attached if equals else _next_word(rest)
    if letter := _letter_of(name, _WITH_NUMBER):
        argument = attached if equals else _next_number(rest)
        return ("", "") if name == "j" else (letter, argument)  # --j is ambiguous: also the start of --just-print
    return "", ""


def _letter_of(shortened: str, options: dict[str, tuple[str, ...]]) -> str:
    return next((letter for letter, names in options.items() for name in names if name.startswith(shortened)), "")


def _next_word(rest: list[str]) -> str:
    return rest.pop(0) if rest else ""


def _next_number(rest: list[str]) -> str:
    return rest.pop(0) if rest and rest[0].replace(".", "", 1).isdigit() else ""
