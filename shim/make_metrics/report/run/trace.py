"""A run in Chrome's trace-event format, which Perfetto opens. Pure.

A process is a make, a thread one of its jobs. A target is a span, its recipe lines are spans inside. A counter has the
jobs that ran at once, an arrow leads from the target that started a make to the first target of that make. The format:
https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from make_metrics.analysis.build import Build
from make_metrics.analysis.lanes import lanes
from make_metrics.analysis.nesting import holders
from make_metrics.analysis.running import running_jobs
from make_metrics.combine.event import timestamp

_Event = dict[str, Any]
VERSION = 1  # of what stands beside the trace events
_FIRST = 1  # Perfetto takes process 0 and thread 0 for the kernel's idle task


def text(build: Build, short_name: str) -> Iterator[str]:
    """The trace as pieces of one JSON document."""
    top = build.makes[0]
    facts = {
        "version": VERSION,
        "run": short_name,
        "id": build.id,
        "start_time": timestamp(build.started_ns),
        "directory": top.directory,
        "exit_status": build.exit_status,
        "commit": build.commit,
        "branch": build.branch,
    }
    yield '{"displayTimeUnit":"ms","otherData":' + json.dumps(facts) + ',"traceEvents":[\n'
    for number, event in enumerate(_events(build)):
        yield (",\n" if number else "") + json.dumps(event, separators=(",", ":"))
    yield "\n]}\n"


def _events(build: Build) -> Iterator[_Event]:
    threads = _threads(build)
    yield from _names(build, threads)
    for target, thread in zip(build.targets, threads, strict=True):
        where = {"pid": target.make + _FIRST, "tid": thread}
        facts: _Event = {"exit_status": target.status, "goal": target.is_goal, "own_us": target.own_us}
        optional = (("cpu_us", target.cpu_us), ("peak_kib", target.peak_kib), ("prerequisites", target.prerequisites))
        facts |= {name: value for name, value in optional if value is not None}
        yield _span(target.name, "target", target.start_us, target.end_us, where, facts)
        end_us = target.start_us
        for number, line in enumerate(target.lines, start=1):
            start_us = min(max(line.start_us, end_us), target.end_us)
            end_us = min(max(line.end_us, start_us), target.end_us)
            yield _span(f"line {number}", "line", start_us, end_us, where, {"exit_status": line.status})
    running = running_jobs(build)
    for time_us, count in zip(running.times_us, running.counts, strict=True):
        yield {"ph": "C", "name": "running jobs", "ts": time_us, "pid": _FIRST, "args": {"jobs": count}}
    yield from _arrows(build, threads)


def _threads(build: Build) -> list[int]:
    """The thread of each target; no two makes share one."""
    threads, first = [0] * len(build.targets), _FIRST
    members: dict[int, list[int]] = {}
    for index, target in enumerate(build.targets):
        members.setdefault(target.make, []).append(index)
    for make in sorted(members):
        spans = [(build.targets[index].start_us, build.targets[index].end_us) for index in members[make]]
        own_lanes = lanes(spans)
        for index, lane in zip(members[make], own_lanes, strict=True):
            threads[index] = first + lane
        first += max(own_lanes) + 1
    return threads


def _names(build: Build, threads: list[int]) -> Iterator[_Event]:
    for make in build.makes:
        words = " ".join(("make", *make.goals))
        name = f"{words} ({make.directory})" if make.directory else words
        yield _metadata("process_name", make.number + _FIRST, name=name)
        yield _metadata("process_sort_index", make.number + _FIRST, sort_index=make.number)
    places = sorted({(target.make, thread) for target, thread in zip(build.targets, threads, strict=True)})
    number_of: dict[int, int] = {}
    for number, thread in places:
        number_of[number] = number_of.get(number, 0) + 1
        yield {**_metadata("thread_name", number + _FIRST, name=f"job {number_of[number]}"), "tid": thread}
        yield {**_metadata("thread_sort_index", number + _FIRST, sort_index=thread), "tid": thread}


def _metadata(kind: str, process: int, **values: object) -> _Event:
    return {"ph": "M", "name": kind, "pid": process, "args": values}


def _span(name: str, kind: str, start_us: int, end_us: int, where: _Event, facts: _Event) -> _Event:
    return {"ph": "X", "name": name, "cat": kind, "ts": start_us, "dur": end_us - start_us, **where, "args": facts}


def _arrows(build: Build, threads: list[int]) -> Iterator[_Event]:
    first_of: dict[int, int] = {}
    for index, target in enumerate(build.targets):
        first_of.setdefault(target.make, index)
    for make, holder in sorted(holders(build).items()):
        if make not in first_of:
            continue
        for phase, index in (("s", holder), ("f", first_of[make])):
            time_us = max(build.targets[index].start_us, build.targets[holder].start_us)
            event = {"ph": phase, "id": make, "name": "starts make", "cat": "make", "ts": time_us}
            event |= {"pid": build.targets[index].make + _FIRST, "tid": threads[index]}
            yield event | ({"bp": "e"} if phase == "f" else {})
