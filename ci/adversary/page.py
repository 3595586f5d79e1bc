"""Writes the figures as a page."""

from __future__ import annotations

from collections.abc import Mapping

from ci.adversary.kept import Attack
from ci.build_launcher import ROOT

PAGE = ROOT / "docs/reliability.md"
FIGURES = PAGE.with_suffix(".json")
_HEAD = """\
# What was tried to break it

Written by `{command}`.

The three promises: the build is never changed; nothing leaves the machine without a yes; what was to be recorded is
neither lost nor recorded twice. Each row attacks them, names the commit that it attacked (what takes hours is not
repeated for each: `--keep FOLDER`, `--page`), and counts what went wrong:

- lost: recipe lines that ended and are not in the store, or events that no receiver got;
- doubled: targets with two events, or events with two ids. A receiver may get an event twice, always with the same id;
- leaked: planted texts found in a request, or requests that followed a redirect;
- builds: those whose output or exit status is not plain make's;
- commands: those that ended with another status than 0 or 1, or with a traceback.

| attack | commit | tried | lost | doubled | leaked | builds | commands |
|---|---|---|--:|--:|--:|--:|--:|
"""
_WINDOW = """
## What dies with the recorder

A line's entry is written by its recorder, the shim, when the line has ended. A `kill -9` of the shim itself between
the end and the entry loses this one entry, and a shim that is killed while its line runs records nothing of it.
Measured by the same command, while a watcher looks at the record without a pause, in microseconds: the median, and in
brackets what one line in ten is below, because a busy machine runs something else within many of them.

| shim | lines | from the program's last instructions | from when the shim saw the end |
|---|--:|--:|--:|
"""
_AFTER = """
A make's first line may have to wait for the walk up the process tree before it knows its record: its window is as long
as the walk takes beyond the line (some milliseconds, [performance](performance.md)).
"""


def page(attacks: Mapping[tuple[str, str], Attack]) -> str:
    """The page as Markdown, from the figures of each attack with each shim."""
    rows, notes = [], []
    for attack in attacks.values():
        for each in attack.figures:
            counts = (each.lost, each.doubled, each.leaked, each.differing, each.failed)
            rows.append(f"| {each.name} | {attack.commit} | {each.tried} | {' | '.join(map(str, counts))} |\n")
            notes += [f"- {note.splitlines()[0]}\n" for note in each.notes]
    commands = dict.fromkeys(attack.command for attack in attacks.values())
    text = _HEAD.format(command="`, `".join(commands)) + "".join(rows) + ("\n" if notes else "") + "".join(notes)
    windows = {shim: attack.window for (_, shim), attack in attacks.items() if attack.window}
    if windows:
        text += _WINDOW + "".join(
            f"| {shim} | {each.lines} | {each.from_exit_us:.0f} ({each.from_exit_tenth_us:.0f}) | "
            f"{each.from_seen_us:.0f} ({each.from_seen_tenth_us:.0f}) |\n"
            for shim, each in windows.items()
        )
        text += _AFTER
    return text
