"""The properties that every event has: type, values, purpose, an example, and the files that compute them.

All other properties are metrics (see `metrics`). `properties.registry` puts both together.
"""

from __future__ import annotations

from make_metrics.properties.property import Property

_WORD = r"[\w.:+%-]{1,50}"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MICROSECONDS_UTC = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+00:00"
_MOST_MS = 2**43  # 278 years

# Properties of a target.
TARGET: tuple[Property, ...] = (
    Property(
        name="command",
        kind="string",
        values="the target's name if a rule in the project's makefiles spells it, else as much as they spell (ssh-%), "
        "or other; at most 50 letters, digits and . : + % _ -; never a command line, nor what only you have typed",
        purpose="which targets are used most often",
        example="dev.pull",
        sources=("make_metrics/combine/event.py", "make_metrics/project/target_names.py"),
        pattern=_WORD,
    ),
    Property(
        name="command_type",
        kind="string",
        values="make",
        purpose="to tell targets from commands of other tools",
        example="make",
        sources=("make_metrics/combine/event.py",),
        choices=("make",),
    ),
    Property(
        name="duration_ms",
        kind="integer",
        values="milliseconds",
        purpose="which targets take up the most of people's time",
        example=12345,
        sources=("make_metrics/combine/run.py",),
        most=_MOST_MS,
    ),
    Property(
        name="exit_status",
        kind="integer",
        values="0 to 255, or the negative number of a signal (-2 for Ctrl-C)",
        purpose="which targets fail or are given up on",
        example=0,
        sources=("make_metrics/combine/run.py",),
        least=-127,
        most=255,
    ),
    Property(
        name="is_test",
        kind="string",
        values="no, or what MAKE_METRICS_IS_TEST says: at most 50 letters, digits and . : + % _ -",
        purpose="to leave out test data",
        example="no",
        sources=("make_metrics/walk/header.py",),
        pattern=_WORD,
    ),
    Property(
        name="start_time",
        kind="string",
        values="date and time, UTC, to the microsecond (ISO 8601)",
        purpose="how use changes over time, and what is used after what",
        example="2021-05-17T19:44:09.105052+00:00",
        sources=("make_metrics/combine/event.py",),
        pattern=_MICROSECONDS_UTC,
    ),
    Property(
        name="goal",
        kind="boolean",
        values="true or false",
        purpose="whether the target was asked for, or was needed by another",
        example=True,
        sources=("make_metrics/combine/run.py",),
    ),
    Property(
        name="recipe_ms",
        kind="integer",
        values="milliseconds",
        purpose="the time of the target itself, without what it needed",
        example=1200,
        sources=("make_metrics/combine/run.py",),
        most=_MOST_MS,
    ),
    Property(
        name="recipe_lines",
        kind="integer",
        values="a count",
        purpose="how many recipe lines the event was made from",
        example=3,
        sources=("make_metrics/combine/run.py",),
        most=_MOST_MS,
    ),
    Property(
        name="make_level",
        kind="integer",
        values="0 for a make that was started by hand, 1 for one that a recipe started, and so on",
        purpose="to tell a make from those that it starts",
        example=0,
        sources=("make_metrics/walk/header.py", "make_metrics/combine/run.py"),
        most=10_000,
    ),
    Property(
        name="parallel",
        kind="boolean",
        values="true or false",
        purpose="whether make ran several recipes at once",
        example=False,
        sources=("make_metrics/processes/command_line.py",),
    ),
    Property(
        name="run_id",
        kind="string",
        values="a number (UUID version 5) made from the run and your id, so that it means nothing in other projects",
        purpose="which events are of one run of make",
        example="b0f7f4c8-2f1e-5a5c-9d7e-6f0f4d1a8c3b",
        sources=("make_metrics/combine/event.py",),
        pattern=_UUID,
    ),
    Property(
        name="parent_id",
        kind="string",
        values="the messageId of an event of this project: the target whose recipe started this make; left out where "
        "there is none",
        purpose="which target a make was started from",
        example="9a4d1c5e-7c1b-5e8f-8b55-0b6d5a2c4f10",
        sources=("make_metrics/combine/event.py", "make_metrics/deliver/outgoing.py"),
        always=False,
        pattern=_UUID,
    ),
    Property(
        name="event_version",
        kind="integer",
        values="a number",
        purpose="the version of this list",
        example=2,
        sources=("make_metrics/combine/event.py",),
        least=1,
        most=1_000,
    ),
)

# Property of a yes or a no.
CHOICE: tuple[Property, ...] = (
    Property(
        name="choice",
        kind="string",
        values="in or out",
        purpose="that you said yes; that you said no only if the notice says so",
        example="in",
        sources=("make_metrics/deliver/choice_event.py",),
        choices=("in", "out"),
    ),
)

# The envelope around the properties: the message of the Segment protocol.
ENVELOPE: tuple[Property, ...] = (
    Property(
        name="type",
        kind="string",
        values="track",
        purpose="the protocol's kind of message",
        example="track",
        sources=("make_metrics/deliver/message.py",),
        choices=("track",),
    ),
    Property(
        name="event",
        kind="string",
        values="the name that the project gave its events",
        purpose="to find the events at the receiver",
        example="make.target.run",
        sources=("make_metrics/project/settings.py",),
        pattern=r"[A-Za-z0-9_.: -]{1,100}",
    ),
    Property(
        name="anonymousId",
        kind="string",
        values="a random number (UUID version 4), made when you say yes, for this project only",
        purpose="a pseudonym: to tell people's events apart without knowing who they are",
        example="2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1",
        sources=("make_metrics/consent/anonymous_id.py", "make_metrics/combine/event.py"),
        pattern=_UUID,
    ),
    Property(
        name="messageId",
        kind="string",
        values="a number (UUID version 5) that is the same when the same event is sent again",
        purpose="to count an event once",
        example="5d0fdaef-0f4c-5b8e-8b61-7f7a6d1b2a3c",
        sources=("make_metrics/combine/event.py",),
        pattern=_UUID,
    ),
    Property(
        name="timestamp",
        kind="string",
        values="date and time, UTC (ISO 8601)",
        purpose="when the target ended",
        example="2021-05-17T19:44:21.450052+00:00",
        sources=("make_metrics/combine/event.py",),
        pattern=_MICROSECONDS_UTC,
    ),
)

NAMES = frozenset(entry.name for entry in (*TARGET, *CHOICE))
