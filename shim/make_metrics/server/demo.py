"""A made-up team: what its contributors would have sent in three months, as messages of Segment's protocol. Pure.

There is something to find on each page: `test` became slower in the last week, `test.e2e` fails and passes, nobody uses
`docs.pdf` any more, new people come in two groups, for many of whom `dev.provision` fails at first, and a nested make
builds `static`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from make_metrics.server.storage.tables import DAY_US

DAYS = 91
PEOPLE = 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMESPACE = uuid.UUID("0c6c6d5e-7a6e-5d0a-8f3b-2f4d5a1c9e01")


@dataclass(frozen=True, slots=True)
class _Target:
    """A target: its median own time in milliseconds, how often it is asked for, what it needs, how often it fails.

    `below` are the targets of a make that its recipe starts.
    """

    name: str
    own_ms: int
    weight: int = 0
    needs: tuple[str, ...] = ()
    fails: float = 0.0
    below: tuple[str, ...] = ()


_TARGETS = {
    target.name: target
    for target in (
        _Target("test", 41_000, 30, ("requirements",), 0.16),
        _Target("test.unit", 9_000, 22, ("requirements",), 0.1),
        _Target("test.e2e", 190_000, 4, ("dev.up",), 0.28),
        _Target("lint", 6_500, 24, ("requirements",), 0.12),
        _Target("format", 1_800, 18),
        _Target("check", 300, 8, ("lint", "test.unit"), 0.01),
        _Target("dev.up", 14_000, 16, ("dev.pull",), 0.03),
        _Target("dev.pull", 22_000, 6, fails=0.04),
        _Target("dev.provision", 240_000, 1, ("dev.up",), 0.3),
        _Target("dev.down", 3_000, 9),
        _Target("dev.logs", 45_000, 6),
        _Target("dev.shell", 120_000, 7),
        _Target("dev.migrate", 17_000, 5, ("dev.up",), 0.06),
        _Target("dev.reset", 31_000, 1, ("dev.down",)),
        _Target("requirements", 700, 2),
        _Target("static", 800, 5, fails=0.02, below=("js", "css", "images")),
        _Target("js", 26_000, fails=0.05),
        _Target("css", 5_200),
        _Target("images", 2_400),
        _Target("docs", 12_500, 2, ("requirements",), 0.05),
        _Target("docs.pdf", 38_000, 1, ("docs",)),
        _Target("translations", 9_800, 1),
        _Target("backup", 64_000, 1),
        _Target("release.notes", 4_100, 1),
        _Target("deploy.staging", 95_000, 2, ("check", "static"), 0.07),
        _Target("clean", 450, 5),
    )
}


@dataclass(frozen=True, slots=True)
class _Person:
    anonymous_id: str
    system: str
    jobs: int
    driver: str
    speed: float
    joined: int


def messages(
    *, today: int, days: int = DAYS, people: int = PEOPLE, runs: float = 6.0, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """The messages of a team until the end of the day before `today`, in days since 1970, the oldest first.

    `runs` is how many runs a person starts on a working day. The same arguments give the same messages.
    """
    random = Random(seed)  # noqa: S311 - a made-up team
    team = [_person(random, number, people, days) for number in range(people)]
    for day in range(today - days, today):
        weekend = (day + 3) % 7 >= 5
        commits = [day * DAY_US // 1_000_000 + random.randrange(7 * 3_600, 10 * 3_600) for _ in range(2)]
        for person in team:
            age = day - (today - days) - person.joined
            if age < 0 or (age and random.random() < (0.9 if weekend else 0.2)):
                continue
            if not age or (age <= 1 and random.random() < 0.5):
                yield from _first_day(random, person, day, commits)
            for number in range(max(1, round(random.gauss(runs, runs / 3)))):
                start_us = day * DAY_US + int((9 + 8 * random.random()) * 3_600e6) + number
                yield from _run(random, person, _asked_for(random, today - day), start_us, today - day, commits)


def _person(random: Random, number: int, people: int, days: int) -> _Person:
    """A person. Who is not there from the first day begins with others: fewer than three would not be shown."""
    is_machine = number == people - 1
    groups = max(2, people // 12)
    return _Person(
        str(uuid.uuid5(_NAMESPACE, f"person {number}")),
        "macos" if number % 3 == 1 and not is_machine else "linux",
        random.choice((1, 4, 4, 8, 8, 12)),
        "ci" if is_machine else "agent" if number % 6 == 5 else "person",
        random.uniform(0.7, 1.5),
        0 if number < people * 2 // 3 or is_machine else days * (1 + number % groups) // (groups + 1),
    )


def _asked_for(random: Random, ago: int) -> str:
    weights = {name: target.weight for name, target in _TARGETS.items() if target.weight}
    if ago < 42:
        del weights["docs.pdf"]
    (name,) = random.choices(list(weights), list(weights.values()))
    return name


def _first_day(random: Random, person: _Person, day: int, commits: list[int]) -> Iterator[dict[str, Any]]:
    """A new person's tries to set up."""
    start_us = day * DAY_US + int((9 + random.random()) * 3_600e6)
    for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
        yield from _run(random, person, "dev.provision", start_us, 100, commits)
        start_us += random.randrange(300, 2_400) * 1_000_000


def _run(
    random: Random, person: _Person, goal: str, start_us: int, ago: int, commits: list[int]
) -> Iterator[dict[str, Any]]:
    common = {
        "command_type": "make",
        "git_checked_out_master": random.random() < 0.3,
        "git_commit_time": _time(random.choice(commits) * 1_000_000, "seconds"),
        "is_test": "no",
        "run_id": str(uuid.uuid5(_NAMESPACE, f"{person.anonymous_id} {start_us} {goal}")),
        "event_version": 2 if ago < 60 else 1,
        "os": person.system,
        "jobs": person.jobs,
        "driver": person.driver,
        "make_version": "4.3" if person.system == "linux" else "3.81",
        "parallel": person.jobs > 1,
    }
    time_us = start_us + random.randrange(20_000, 90_000)
    status = 0
    for name in _needed(goal):
        if name != goal and random.random() < 0.5:
            continue  # it was up to date
        target = _TARGETS[name]
        inner_us = time_us
        status = _status(random, target)
        parent = str(uuid.UUID(int=random.getrandbits(128), version=4))
        for below in target.below if not status else ():
            values = {"goal": False, "make_level": 1, "parent_id": parent}
            ended_us = inner_us + _own_us(random, _TARGETS[below], person, ago)
            yield _message(random, person, below, inner_us, inner_us, ended_us, 0, common | values)
            inner_us = ended_us
        ended_us = inner_us + _own_us(random, target, person, ago) // (4 if status else 1)
        began_us = start_us if name == goal else time_us
        values = {"goal": name == goal, "make_level": 0}
        yield _message(random, person, name, began_us, time_us, ended_us, status, common | values, message_id=parent)
        time_us = ended_us
        if status:
            if name != goal:
                values = {"goal": True, "make_level": 0}
                yield _message(random, person, goal, start_us, ended_us, ended_us, 2, common | values)
            break
    if status and status != -2 and random.random() < 0.6:
        again_us = time_us + random.randrange(20, 400) * 1_000_000
        if again_us // DAY_US == start_us // DAY_US:
            yield from _run(random, person, goal, again_us, ago, commits)


def _needed(goal: str) -> list[str]:
    order: list[str] = []
    for need in _TARGETS[goal].needs:
        order += [name for name in _needed(need) if name not in order]
    return [*order, goal]


def _status(random: Random, target: _Target) -> int:
    if random.random() < target.fails:
        return random.choices((2, 1, 127), (20, 70, 10))[0]
    return -2 if random.random() < 0.01 + 0.02 * (target.own_ms > 60_000) else 0


def _own_us(random: Random, target: _Target, person: _Person, ago: int) -> int:
    slower = 1.35 if target.name in ("test", "js") and ago <= 7 else 0.8 if target.name == "lint" and ago <= 7 else 1
    return int(target.own_ms * 1_000 * person.speed * slower * random.lognormvariate(0, 0.25))


def _message(
    random: Random,
    person: _Person,
    name: str,
    began_us: int,
    own_began_us: int,
    ended_us: int,
    status: int,
    values: dict[str, Any],
    *,
    message_id: str = "",
) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "make.target.run",
        "anonymousId": person.anonymous_id,
        "messageId": message_id or str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "timestamp": _time(ended_us),
        "properties": {
            "command": name,
            "duration_ms": (ended_us - began_us) // 1_000,
            "exit_status": status,
            "recipe_ms": (ended_us - own_began_us) // 1_000,
            "recipe_lines": 1,
            "start_time": _time(began_us),
            **values,
        },
    }


def _time(us: int, precision: str = "microseconds") -> str:
    return (_EPOCH + timedelta(microseconds=us)).isoformat(timespec=precision)
