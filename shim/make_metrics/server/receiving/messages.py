"""From a message of Segment's protocol to a row: only what the registry declares is kept. Pure.

A property that is not declared, or has another value than declared, is refused and counted; the rest of the event is
kept. A message without a usable id, person, target or time is refused as a whole.
"""

from __future__ import annotations

import json
import re
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from make_metrics.server.receiving.checks import (
    ENVELOPE_TESTS,
    NOT_DECLARED,
    TESTS,
    Test,
    commit_time,
    countable,
    is_label,
    is_shown,
    reason,
)
from make_metrics.server.storage.buckets import bucket
from make_metrics.server.storage.rows import Batch, ChoiceRow, Cut, Row
from make_metrics.server.storage.tables import DAY_US

MESSAGE_BYTES = 32_768
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_AHEAD_US = 2 * DAY_US  # a clock may be wrong, or in another zone
_MOST_JOBS = 64
_MESSAGE_ID = re.compile(r"[!-~]{1,100}")
_NAMESPACE = uuid.UUID("5f0c4d0b-7d35-5b0a-9a53-1d9a5b1d3c11")
# What the protocol's libraries add around every message. It says nothing about a target, and is not kept.
_OF_PROTOCOL = frozenset(
    """
    _metadata channel context integrations originalTimestamp properties receivedAt rudderId sentAt version writeKey
    """.split()  # noqa: SIM905
)
_IS_PERSON, _IS_EVENT, _IS_MESSAGE_ID = (ENVELOPE_TESTS[name] for name in ("anonymousId", "event", "messageId"))
_EXPECTED = ENVELOPE_TESTS.keys() | _OF_PROTOCOL
_SHORT = ENVELOPE_TESTS.keys() | {"properties", "sentAt"}
# Properties that have a column of their own, or say the same for every event; all others are in `rest`.
_COLUMNS = frozenset(
    """
    choice command command_type driver duration_ms event_version exit_status git_checked_out_master git_commit_time goal
    is_test jobs make_level os parallel parent_id recipe_lines recipe_ms run_id start_time
    """.split()  # noqa: SIM905
)
_CHOICE_REST = ("command", "git_checked_out_master", "git_commit_time")


class Limits(NamedTuple):
    """Between which times an event may have begun, in microseconds since 1970."""

    oldest_us: int
    newest_us: int


def limits(now_us: int, retention_days: int) -> Limits:
    """The limits of a project: what it would delete at once, and what lies in the future, is refused."""
    return Limits((now_us // DAY_US - retention_days) * DAY_US, now_us + _AHEAD_US)


def check(project: int, messages: Sequence[object], bounds: Limits, *, any_command: bool = False) -> Batch:
    """The rows of messages, and what was refused of them. Never raises.

    With `any_command` a target may have any name that can be shown: a local store has names that are never sent.
    """
    batch = Batch(project, [], [], Counter())
    tests = {**TESTS, "command": is_shown} if any_command else TESTS
    for message in messages:
        why = _add(batch, message, bounds, tests)
        if why:
            batch.refused["", why] += 1
    return batch


def _add(batch: Batch, message: object, bounds: Limits, tests: Mapping[str, Test]) -> str:
    """Add a message's row, and what was refused of it; why it is refused as a whole, else an empty text."""
    if not isinstance(message, dict):
        return "is no object"
    if message.get("type", "track") != "track":
        return "is no track message"
    properties = message.get("properties")
    if not isinstance(properties, dict):
        return "has no properties"
    kept, refused = _allowed(properties, tests)
    if not message.keys() <= _EXPECTED:
        refused += [
            (countable(name), NOT_DECLARED)
            for name, value in message.items()
            if name not in _EXPECTED and value is not None
        ]
    if (refused or not message.keys() <= _SHORT) and not _is_short(message):
        return f"is longer than {MESSAGE_BYTES // 1024} KiB"
    person: Any = message.get("anonymousId")
    if not _IS_PERSON(person):
        return "anonymousId: must be a UUID in small letters"
    message_id = _message_id(message.get("messageId"))
    if message_id is None:
        return "messageId: must be 1 to 100 characters of ASCII"
    event: Any = message.get("event")
    if not _IS_EVENT(event):
        return "event: must be a name of at most 100 characters"
    started_us = _microseconds(kept.get("start_time") or message.get("timestamp"))
    if started_us is None:
        return "start_time and timestamp: one must be a time"
    if not bounds.oldest_us <= started_us <= bounds.newest_us:
        return (
            "start_time: is in the future"
            if started_us > bounds.newest_us
            else "start_time: is older than what is kept"
        )
    if "choice" in kept:
        is_test = kept.get("is_test", "no")
        rest = _text({name: kept[name] for name in kept if name in _CHOICE_REST or name not in _COLUMNS})
        batch.choices.append(ChoiceRow(message_id, started_us, person, kept["choice"], event, is_test, rest))
    elif "command" not in kept:
        batch.refused.update(refused)
        return "command: is missing, or is no target's name"
    else:
        batch.rows.append(_row(kept, message_id, started_us, person, event))
    if refused:
        batch.refused.update(refused)
    return ""


def _allowed(
    properties: Mapping[str, object], tests: Mapping[str, Test]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The properties that may be kept; and name and reason of each other one."""
    kept: dict[str, Any] = {}
    refused = []
    for name, value in properties.items():
        test = tests.get(name)
        if test is not None:
            if test(value):
                kept[name] = value
            else:
                refused.append((name, reason(name)))
        elif is_label(name, value):
            kept[name] = value
        else:
            refused.append((countable(name), reason(name)))
    return kept, refused


def _row(kept: dict[str, Any], message_id: str, started_us: int, person: str, event: str) -> Row:
    get = kept.get
    own_ms, whole_ms = get("recipe_ms"), get("duration_ms")
    jobs, on_default, goal = get("jobs"), get("git_checked_out_master"), get("goal")
    commit = get("git_commit_time")
    commit_s, commit_offset_min = (commit and commit_time(commit)) or (None, None)
    cut = Cut(
        get("os", ""),
        get("driver", ""),
        -1 if jobs is None else min(1 << jobs.bit_length() >> 1, _MOST_JOBS),
        -1 if on_default is None else int(on_default),
        -1 if goal is None else int(goal),
    )
    rest = {} if kept.keys() <= _COLUMNS else {name: value for name, value in kept.items() if name not in _COLUMNS}
    return Row(
        message_id,
        started_us,
        person,
        kept["command"],
        cut,
        event,
        own_ms,
        whole_ms,
        None if own_ms is None else bucket(own_ms),
        None if whole_ms is None else bucket(whole_ms),
        get("exit_status"),
        goal,
        get("recipe_lines"),
        get("make_level"),
        get("parallel"),
        jobs,
        on_default,
        commit_s,
        commit_offset_min,
        get("run_id"),
        get("parent_id"),
        get("event_version"),
        get("is_test", "no"),
        _text(rest),
    )


def _is_short(message: dict[str, Any]) -> bool:
    """Whether a message is no longer than that; what the registry declares is always short."""
    try:
        return len(json.dumps(message)) <= MESSAGE_BYTES
    except RecursionError:
        return False


def _text(rest: Mapping[str, Any]) -> str | None:
    return json.dumps(rest, separators=(",", ":"), sort_keys=True) if rest else None


def _message_id(value: object) -> str | None:
    """An id as a UUID: other clients have ids of other forms, and the same id always gives the same UUID."""
    if _IS_MESSAGE_ID(value):
        return str(value)
    if type(value) is str and _MESSAGE_ID.fullmatch(value):
        return str(uuid.uuid5(_NAMESPACE, value))
    return None


def _microseconds(value: object) -> int | None:
    """A time in microseconds since 1970; None if it is none. One without an offset is in UTC."""
    if type(value) is not str:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _US
    except (ValueError, OverflowError):
        return None
