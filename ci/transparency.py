"""`python -m ci.transparency`: writes docs/transparency.md from the registry of what may be sent.

With `--check` nothing is written: it fails if the page is not what would be written.
"""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

from shim.notice import ADDRESS, FILES_KEPT, FILES_SENT, JOINS, NEVER
from shim.outbox import DAY_NS, KEEP_NS, KEEP_SENT_NS, LIMIT_BYTES, LIMIT_EVENTS
from shim.registry import CHOICE, ENVELOPE, PROPERTIES, Property
from shim.settings import NAME
from shim.trace_properties import RUN, TRACE

PAGE = Path(__file__).resolve().parent.parent / "docs" / "transparency.md"

_TOP = f"""# What make-metrics collects, and what becomes of it

<!-- Written by `python -m ci.transparency` from shim/registry.py. Change that, not this. -->

Everything stays on your machine until you say yes. A project can ask for a yes in a file `{NAME}` beside its Makefile;
neither that file nor any variable of the environment can say yes for you. Each project asks for itself.

## Why

A project that asks says why, who collects, and how long it is kept; `make-metrics opt-in` shows it before it asks, with
the list below. The yes holds for what was shown: if a property, a receiver or anything else of the notice changes,
sending pauses until you have said yes again. Nothing that was recorded before the yes is ever sent.

## What is sent

One event for each target that make runs, with these properties and no others:
"""

_BOTTOM = f"""
## What is never sent

{NEVER[0].upper()}{NEVER[1:]}. {FILES_KEPT} A project can ask to send their names, and its notice says then:
"{FILES_SENT}" A target counts as a file if it has a `/` or a backslash, begins with `~` or a dot, ends like files do
(`.o`, `.html`, ...), or if a file of its name lies beside the Makefile; `shim/message.py` has the rule. A name with
other characters than letters, digits and `. : + % _ -` is not sent either.

The id is a pseudonym, not anonymity: the receiver can tell that two events come from the same person. It is random,
made at your yes, of one project only, and deleted at your no. {ADDRESS}

## Who gets it

The receivers that the project's `{NAME}` names, and nobody else; `make-metrics status` shows them. Redirects are not
followed. A receiver of type `file` is a file on this machine, below make-metrics' own directory or the one that you
name; nothing carries it elsewhere by itself. What waits for a receiver is kept for {KEEP_NS // DAY_NS} days at most,
{LIMIT_EVENTS:,} events or {LIMIT_BYTES // 1_000_000} MB.

## See it for yourself

- `make-metrics preview` prints the exact bytes and the address, before or after a yes, and opens no connection.
- `make-metrics sent` prints what was sent in the last {KEEP_SENT_NS // DAY_NS} days, byte by byte.
- `make-metrics status` says whether anything is sent, and which rule decided that.
- `MAKE_METRICS=log make-metrics flush` prints instead of sending.

## How to stop

- `make-metrics opt-out`: ends the sending, deletes what waits and the id. Nothing is sent about that, unless the
  project's notice said that a last event would be.
- `DO_NOT_TRACK=1` or `MAKE_METRICS=local` in the environment: what make does then is never sent.
- `make-metrics off`, or `MAKE_METRICS=off` for one make: nothing is recorded at all.
- `make-metrics forget`: removes what was recorded on this machine.

## Where the code is

| what | file |
|---|---|
| which rule decides | `shim/mode.py`, `shim/ceiling.py` |
| what you decided | `shim/consent.py`, `shim/identity.py` |
| what the notice says | `shim/notice.py`, `shim/settings.py` |
| what may be sent | `shim/registry.py`, `shim/message.py`, `shim/outgoing.py` |
| what waits, and what was sent | `shim/outbox.py` |
| what a trace is made from | `shim/trace.py`, `shim/trace_properties.py`, `shim/traceparent.py` |
| the sending | `shim/delivery.py`, `shim/sinks/segment.py`, `shim/sinks/otlp.py`, `shim/sinks/file.py` |
"""


_TRACES = f"""
Receivers of type `otlp`, and no others, are also told of each run of make itself, with
{", ".join(f"`{entry.name}`" for entry in RUN)}, and get with each event its place in the trace of its run. They get
no other property than those above, as attributes of spans and of durations. {JOINS} Ids that are not given by it are
made from your id, so that two projects' collectors cannot match them:
"""


def page() -> str:
    """The page as it should be."""
    choice = tuple(entry for entry in CHOICE if entry not in PROPERTIES)
    text = (
        _TOP
        + _table(PROPERTIES)
        + "\nYour yes is an event as well: of those above it has "
        + ", ".join(f"`{entry.name}`" for entry in CHOICE if entry in PROPERTIES)
        + ", and\n"
        + _table(choice)
        + "\nAround each event is:\n"
        + _table(ENVELOPE)
        + "\nEach request to a receiver of type `segment` adds the time of sending (`sentAt`) and the project's public "
        + "key (`writeKey`).\n"
        + _TRACES
        + _table(TRACE)
        + _BOTTOM
    )
    return "\n\n".join(_wrapped(block) for block in text.split("\n\n"))


def _wrapped(block: str) -> str:
    """A paragraph in lines of even length, whatever was put into it; lists and tables stay."""
    if not block[:1].isalpha():
        return block
    end = "\n" if block.endswith("\n") else ""
    return textwrap.fill(block, 110, break_long_words=False, break_on_hyphens=False) + end


def _table(entries: tuple[Property, ...]) -> str:
    rows = [f"| {' | '.join(_cells(entry))} |" for entry in entries]
    return "\n".join(
        ["", "| property | type | values | why | example | code |", "|---|---|---|---|---|---|", *rows, ""]
    )


def _cells(entry: Property) -> tuple[str, ...]:
    example = str(entry.example).lower() if isinstance(entry.example, bool) else str(entry.example)
    return (f"`{entry.name}`", entry.kind, entry.values, entry.purpose, f"`{example}`", f"`{entry.source}`")


def main(arguments: list[str]) -> int:
    """Write the page, or check it; 1 if it is stale."""
    if arguments == ["--check"]:
        current = PAGE.read_text() if PAGE.exists() else ""
        if current != page():
            print(f"{PAGE} is stale: run python -m ci.transparency", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
