"""Receivers are sent to at once: none waits for another's answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from typing import Any

import pytest

from make_metrics.deliver.at_once import TimeUpError, run_at_once
from make_metrics.sinks.time_limit import LateError

Work = Generator[Callable[[], int], int, None]


def run(*receivers: Work, seconds: float = 60, limit: int = 16) -> list[Future[Any]]:
    abandoned: list[Future[Any]] = []
    run_at_once(receivers, deadline_s=time.monotonic() + seconds, abandoned=abandoned, limit=limit)
    return abandoned


def test_requests_of_different_receivers_run_at_once_and_one_receivers_in_turn() -> None:
    meeting = threading.Barrier(3, timeout=30)
    results: list[int] = []

    def receiver(start: int) -> Work:
        for number in range(start, start + 3):
            results.append((yield lambda number=number: meeting.wait() * 0 + number))  # type: ignore[misc]

    assert run(receiver(0), receiver(10), receiver(20)) == []
    assert [number for number in results if number < 10] == [0, 1, 2]
    assert len(results) == 9


def test_not_more_than_the_limit_run_at_once() -> None:
    running: list[int] = []
    most: list[int] = []

    def request() -> int:
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        return running.pop()

    def receiver() -> Work:
        yield request

    run(*(receiver() for _ in range(10)), limit=3)
    assert max(most) <= 3
    assert len(most) == 10


def test_an_error_is_raised_where_the_request_was_made() -> None:
    seen: list[str] = []

    def fail() -> int:
        raise KeyError("k")

    def receiver() -> Work:
        try:
            yield fail
        except KeyError as error:
            seen.append(str(error))

    run(receiver())
    assert seen == ["'k'"]


def test_what_is_under_way_at_the_end_is_abandoned_and_said() -> None:
    end = threading.Event()
    seen: list[object] = []

    def slow() -> Work:
        try:
            yield end.wait
        except LateError as error:
            seen.append(error.work)
        raise TimeUpError

    def never_begun() -> Work:
        raise TimeUpError
        yield

    abandoned: list[Future[Any]] = []
    with pytest.raises(TimeUpError):
        run_at_once([slow(), never_begun()], deadline_s=time.monotonic() + 0.1, abandoned=abandoned)
    assert abandoned == seen
    end.set()


def test_what_is_under_way_when_a_receiver_raises_is_abandoned() -> None:
    end = threading.Event()

    def slow() -> Work:
        yield end.wait

    def broken() -> Work:
        yield lambda: 1
        raise ZeroDivisionError

    abandoned: list[Future[Any]] = []
    with pytest.raises(ZeroDivisionError):
        run_at_once([slow(), broken()], deadline_s=time.monotonic() + 60, abandoned=abandoned)
    (work,) = abandoned
    assert not work.done()
    end.set()
