"""Every property that may leave the machine, declared once: type, values, purpose, an example, and where it is made.

The notice, the page docs/transparency.md and the check of each outgoing message are made from this. It is an
allow-list: what is not declared here, or does not have the declared shape, is not sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_WORD = r"[\w.:+%-]{1,50}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_MICROSECONDS_UTC = _TIME + r"\.\d{6}\+00:00"
_MOST_MS = 2**43  # longer than clocks go


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One thing that an event may carry. `values` says in words what `pattern` (texts) or `least` to `most` allow.

    `kind` is a type of JSON: string, integer or boolean. `example` is a value that is allowed. `source` is the file
    that makes it. `always` is whether each event has it.
    """

    name: str
    kind: str
    values: str
    purpose: str
    example: str | int | bool
    source: str
    always: bool = True
    pattern: str = ""
    least: int = 0
    most: int = 0

    def allows(self, value: object) -> bool:
        """Whether a value may be sent."""
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        return isinstance(value, str) and re.fullmatch(self.pattern, value) is not None


PROPERTIES: tuple[Property, ...] = (
    Property(
        name="command",
        kind="string",
        values="the target's name: at most 50 letters, digits and . : + % _ -; never a command line",
        purpose="which targets are used most often",
        example="dev.pull",
        source="shim/event.py",
        pattern=_WORD,
    ),
    Property(
        name="command_type",
        kind="string",
        values="make",
        purpose="to tell targets from commands of other tools",
        example="make",
        source="shim/event.py",
        pattern="make",
    ),
    Property(
        name="duration_ms",
        kind="integer",
        values="milliseconds",
        purpose="which targets take up the most of people's time",
        example=12345,
        source="shim/combine.py",
        most=_MOST_MS,
    ),
    Property(
        name="exit_status",
        kind="integer",
        values="0 to 255, or the negative number of a signal (-2 for Ctrl-C)",
        purpose="which targets fail or are given up on",
        example=0,
        source="shim/combine.py",
        least=-127,
        most=255,
    ),
    Property(
        name="git_checked_out_master",
        kind="boolean",
        values="true or false; left out where it is not known",
        purpose="to tell work on the default branch from other work, without the branch's name",
        example=True,
        source="shim/git.py",
        always=False,
    ),
    Property(
        name="git_commit_time",
        kind="string",
        values="date and time (ISO 8601); left out where it is not known",
        purpose="whether a change to the project changed what people do",
        example="2021-05-17T19:44:09+00:00",
        source="shim/git.py",
        always=False,
        pattern=_TIME + r"(\.\d{1,6})?[+-]\d\d:\d\d",
    ),
    Property(
        name="is_test",
        kind="string",
        values="no, or what MAKE_METRICS_IS_TEST says: at most 50 letters, digits and . : + % _ -",
        purpose="to leave out test data",
        example="no",
        source="shim/ancestry.py",
        pattern=_WORD,
    ),
    Property(
        name="start_time",
        kind="string",
        values="date and time, UTC, to the microsecond (ISO 8601)",
        purpose="how use changes over time, and what is used after what",
        example="2021-05-17T19:44:09.105052+00:00",
        source="shim/event.py",
        pattern=_MICROSECONDS_UTC,
    ),
    Property(
        name="goal",
        kind="boolean",
        values="true or false",
        purpose="whether the target was asked for, or was needed by another",
        example=True,
        source="shim/combine.py",
    ),
    Property(
        name="recipe_ms",
        kind="integer",
        values="milliseconds",
        purpose="the time of the target itself, without what it needed",
        example=1200,
        source="shim/combine.py",
        most=_MOST_MS,
    ),
    Property(
        name="recipe_lines",
        kind="integer",
        values="a count",
        purpose="how many recipe lines the event was made from",
        example=3,
        source="shim/combine.py",
        most=_MOST_MS,
    ),
    Property(
        name="make_level",
        kind="integer",
        values="0 for a make that was started by hand, 1 for one that a recipe started, and so on",
        purpose="to tell a make from those that it starts",
        example=0,
        source="shim/ancestry.py",
        most=10_000,
    ),
    Property(
        name="parallel",
        kind="boolean",
        values="true or false",
        purpose="whether make ran several recipes at once",
        example=False,
        source="shim/ancestry.py",
    ),
    Property(
        name="event_version",
        kind="integer",
        values="a number",
        purpose="the version of this list",
        example=1,
        source="shim/event.py",
        least=1,
        most=1_000,
    ),
)

# A yes or a no is an event too; it has these, and nothing of a target.
CHOICE: tuple[Property, ...] = (
    Property(
        name="choice",
        kind="string",
        values="in or out",
        purpose="that you said yes; that you said no only if the notice says so",
        example="in",
        source="shim/choice.py",
        pattern="in|out",
    ),
    *(
        entry
        for entry in PROPERTIES
        if entry.name
        in ("command", "command_type", "is_test", "start_time", "git_checked_out_master", "git_commit_time")
    ),
)

# What is around the properties: the message of the Segment protocol.
ENVELOPE: tuple[Property, ...] = (
    Property(
        name="type",
        kind="string",
        values="track",
        purpose="the protocol's kind of message",
        example="track",
        source="shim/message.py",
        pattern="track",
    ),
    Property(
        name="event",
        kind="string",
        values="the name that the project gave its events",
        purpose="to find the events at the receiver",
        example="make.target.run",
        source="shim/settings.py",
        pattern=r"[A-Za-z0-9_.: -]{1,100}",
    ),
    Property(
        name="anonymousId",
        kind="string",
        values="a random number (UUID version 4), made when you say yes, for this project only",
        purpose="a pseudonym: to tell people's events apart without knowing who they are",
        example="2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1",
        source="shim/identity.py",
        pattern=_UUID,
    ),
    Property(
        name="messageId",
        kind="string",
        values="a number (UUID version 5) that is the same when the same event is sent again",
        purpose="to count an event once",
        example="5d0fdaef-0f4c-5b8e-8b61-7f7a6d1b2a3c",
        source="shim/event.py",
        pattern=_UUID,
    ),
    Property(
        name="timestamp",
        kind="string",
        values="date and time, UTC (ISO 8601)",
        purpose="when the target ended",
        example="2021-05-17T19:44:21.450052+00:00",
        source="shim/event.py",
        pattern=_MICROSECONDS_UTC,
    ),
)


def check(message: Mapping[str, object], *, paths: bool = False) -> list[str]:
    """What of a message may not be sent, a line each; empty for one that may. With `paths` a target may have a "/"."""
    properties = message.get("properties")
    if not isinstance(properties, Mapping):
        return ["properties: missing"]
    envelope = {name: value for name, value in message.items() if name != "properties"}
    declared = CHOICE if "choice" in properties else PROPERTIES
    return _check(envelope, ENVELOPE, paths=False) + _check(properties, declared, paths=paths)


def _check(given: Mapping[str, object], declared: tuple[Property, ...], *, paths: bool) -> list[str]:
    known = {entry.name: entry for entry in declared}
    wrong = [f"{name}: is not declared" for name in given if name not in known]
    wrong += [f"{name}: is missing" for name, entry in known.items() if entry.always and name not in given]
    for name, entry in known.items():
        value = given.get(name)
        if paths and name == "command" and isinstance(value, str) and "/" in value:
            # A path within the project only: others begin with a home, and with that a name.
            value = "" if value.startswith("/") or ".." in value.split("/") else value.replace("/", "-")
        if name in given and not entry.allows(value):
            wrong.append(f"{name}: {entry.values}")
    return wrong
