"""`make-metrics preview`: the bytes that are sent."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from dataclasses import replace

from make_metrics.project.project import project_of
from make_metrics.store.outbox import Outbox, sink_id
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing
from tests.support.store import ask, waiting_for

_MANY = 2_100  # more than a page


def test_preview_is_what_is_sent(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make()
    before = sharing.cli("preview")
    assert f"nothing waits for {receiver.host}: " in sharing.errors
    assert '"anonymousId": "00000000-0000-4000-8000-000000000000"' in before
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.make("b")
    shown = sharing.cli("preview")
    assert sharing.errors == ""
    logged = sharing.cli("flush", environ={"MAKE_METRICS": "log"})
    assert receiver.requests == []
    sharing.cli("flush")
    (request,) = receiver.requests
    for text in (shown, logged):
        heading, body = text.splitlines()
        assert heading == f"POST {receiver.host}{request.path}"
        assert _timeless(body.encode()) == _timeless(request.body)
    (heading, body) = sharing.cli("sent").splitlines()
    assert heading.endswith(f"POST {receiver.host}/v1/batch 4 events")
    assert body.encode() == request.body  # verbatim, the time of sending included


def _timeless(body: bytes) -> bytes:
    return re.sub(rb'"sentAt": "[^"]*"', b"", body)


def test_what_was_sent_is_shown_to_programs_too(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    assert json.loads(sharing.cli("sent", "--json")) == []
    sharing.make("a")
    sharing.cli("flush")
    (batch, *_) = json.loads(sharing.cli("sent", "--json"))
    assert (batch["version"], batch["address"].startswith(sharing.receiver.host)) == (1, True)
    assert batch["body"] in sharing.cli("sent")


def test_a_preview_for_programs_has_the_same_requests(sharing: Sharing) -> None:
    assert json.loads(sharing.cli("preview", "--json")) == []
    sharing.make()
    text = sharing.cli("preview")
    requests = json.loads(sharing.cli("preview", "--json"))
    assert [(request["version"], request["events"] > 0, request["waits"], request["sink"]) for request in requests] == [
        (1, True, False, "segment")
    ]
    shown = "".join(f"POST {request['address']}\n{request['body']}" for request in requests)
    assert _timeless(shown.encode()) == _timeless(text.encode())


def test_what_waits_is_shown_page_by_page_and_all_of_it(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("runs")
    (settings,) = project_of(sharing.project.folder).sinks

    def queue(connection: sqlite3.Connection) -> None:
        outbox = Outbox(connection)
        (first, *_) = waiting_for(outbox, str(sharing.project.folder), sink_id(settings))
        copies = [replace(first, message_id=f"m{number}") for number in range(_MANY)]
        outbox.put(
            [replace(each, message={**each.message, "messageId": each.message_id}) for each in copies],
            now_ns=time.time_ns(),
        )

    ask(sharing.paths, queue)
    text = sharing.cli("preview")
    assert all(f'"m{number}"' in text for number in range(_MANY))
    requests = json.loads(sharing.cli("preview", "--json"))
    assert sum(request["events"] for request in requests) == text.count('"messageId"')
    assert all(request["waits"] for request in requests)
