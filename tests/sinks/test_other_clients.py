"""An independent client of the Segment protocol and ours, by the same checks of the same receiver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rudderstack.analytics.client import Client  # type: ignore[import-untyped]

from make_metrics.sinks.segment import SegmentSink
from make_metrics.sinks.sink import Outcome
from tests.support.events import messages_of, nested_run
from tests.support.project import Project
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.sharing_project import Sharing

# What the other client adds of its own, and what a message of ours has always had without.
_ADDED = {"context", "integrations", "channel", "originalTimestamp", "userId", "rudderId", "sentAt"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture
def ours(tmp_path: Path, home: Path, receiver: Receiver) -> list[dict[str, Any]]:
    """The messages of a run of make, as they were sent."""
    sharing = Sharing(Project(tmp_path / "project", home), receiver)
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    assert sharing.cli("flush") == "3 events sent\n"
    (request,) = receiver.requests
    return request.conforms("key")


def track(client: Client, message: dict[str, Any]) -> None:
    client.track(
        anonymous_id=message["anonymousId"],
        event=message["event"],
        properties=message["properties"],
        timestamp=datetime.fromisoformat(message["timestamp"]),
        message_id=message["messageId"],
    )


def test_the_same_events_by_another_client_are_the_same_messages(
    receiver: Receiver, ours: list[dict[str, Any]]
) -> None:
    receiver.requests.clear()
    failed: list[Exception] = []
    client = Client("key", host=receiver.host, on_error=lambda error, _: failed.append(error))
    for message in ours:
        track(client, message)
    client.flush()
    client.join()
    assert failed == []
    assert {request.headers["Content-Encoding"] for request in receiver.requests} == {"gzip"}
    theirs = [message for request in receiver.requests for message in request.conforms("key")]
    assert len(theirs) == 3
    for one, other in zip(ours, theirs, strict=True):
        assert set(other) - set(one) <= _ADDED
        assert set(one) <= set(other)
        shared = {name: other[name] for name in one if name != "timestamp"}
        assert shared == {name: one[name] for name in one if name != "timestamp"}
        times = [datetime.fromisoformat(message["timestamp"]).astimezone(UTC) for message in (one, other)]
        assert times[0] == times[1]


def one() -> dict[str, Any]:
    return next(iter(messages_of(nested_run()).values()))


@pytest.mark.parametrize("status", [500, 429])
def test_another_client_retries_as_we_do(receiver: Receiver, status: int) -> None:
    message, refusal = one(), Answer(status, body=b'{"code": "later", "message": "later"}')
    receiver.answers(refusal)
    client = Client("key", host=receiver.host)
    track(client, message)
    client.flush()
    client.join()
    receiver.answers(refusal)
    sink = SegmentSink(key="key", host=receiver.host)
    assert [sink.send([message], timeout_s=20).outcome for _ in range(2)] == [Outcome.LATER, Outcome.ACCEPTED]
    assert [request.conforms("key")[0]["messageId"] for request in receiver.requests] == [message["messageId"]] * 4
    assert receiver.ids == [message["messageId"]] * 2


def test_another_client_gives_up_where_we_set_aside(receiver: Receiver) -> None:
    message, failed = one(), list[Any]()
    receiver.poison = {message["messageId"]}
    client = Client("key", host=receiver.host, on_error=lambda error, _: failed.append(error))
    track(client, message)
    client.flush()
    client.join()
    assert [error.status for error in failed] == [400]
    sink = SegmentSink(key="key", host=receiver.host)
    assert sink.send([message], timeout_s=20).outcome is Outcome.REFUSED
    assert len(receiver.requests) == 2
