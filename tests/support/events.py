"""Events and messages, made without a make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from make_metrics.combine.event import Event
from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import events_of, gather
from make_metrics.deliver import trace
from make_metrics.deliver.message import message
from tests.support.records import WALL_NS, line

ID = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"
EVENT = Event(
    message_id="5d0fdaef-0f4c-5b8e-8b61-7f7a6d1b2a3c",
    parent_id="",
    run="r",
    make="m",
    target="dev.pull",
    start_wall_ns=WALL_NS,
    duration_ms=12,
    exit_status=0,
    goal=True,
    recipe_ms=10,
    recipe_lines=1,
    make_level=0,
    parallel=False,
    git_checked_out_master=True,
    git_commit_time="2021-05-17T19:44:09+02:00",
)


def message_with(**changes: object) -> dict[str, object]:
    """The message of `EVENT` with some fields changed."""
    return message(replace(EVENT, **changes), name="make.target.run", anonymous_id=ID)  # type: ignore[arg-type]


def nested_run() -> list[Event]:
    """`all` needs `a`, whose recipe starts a make for `inner`, whose recipe starts one for `deep`."""
    makes = [
        Make(key="m", goals=("all",)),
        Make(key="n", parent="m", parent_target="a", level=1, goals=("inner",)),
        Make(key="o", parent="n", parent_target="inner", level=2, goals=("deep",)),
    ]
    lines = [
        line("a", goal="all", start=0, end=50),
        line("inner", make="n", goal="inner", level=1, start=10, end=40),
        line("deep", make="o", goal="deep", level=2, start=20, end=30, status=2),
        line("all", goal="all", start=50, end=60, status=3),
    ]
    return events_of(gather("m", Contents(run="m", makes=makes, lines=lines)))


def messages_of(events: list[Event], *kept: str, whose: str = ID) -> dict[str, dict[str, Any]]:
    """The messages of events by their ids, but for the targets that are kept back."""
    sent = (event for event in events if event.target not in kept)
    return {event.message_id: message(event, name="make", anonymous_id=whose) for event in sent}


def traced_batch(*, status: int | None = None) -> list[dict[str, Any]]:
    """The messages of `nested_run` with their places in its trace, all with this exit status if there is one."""
    events = nested_run()
    messages = trace.with_trace(events, messages_of(events))
    for traced in messages if status is not None else []:
        traced["properties"]["exit_status"] = status
    return messages
