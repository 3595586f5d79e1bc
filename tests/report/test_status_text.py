from __future__ import annotations

from typing import Any

import pytest

from make_metrics.report import status_text

STATUS: dict[str, Any] = {
    "mode": "on", "rule": "decision", "reason": "you said yes (make-metrics opt-in)", "decision": "yes",
    "prints": False, "project": "/p", "sinks": [{"type": "segment", "host": "https://events.example.org",
     "clear_text": False, "erases": True}],
    "notice": "aa", "consent": {"yes": True, "decided": "2021-05-17", "notice": "aa"}, "id": "2f4a",
    "metrics": ["os", "jobs"], "waiting": {"events": 2, "bytes": 300}, "set_aside": {"too large": 1},
    "dropped": {"too old": 3}, "attempts": [{"time": "2021-05-18", "sink": "segment", "result": "accepted"}],
    "sent_batches": 1,
    "metric_troubles": [{"metric": "jobs", "kind": "failed", "count": 1, "last_ns": 0, "said": "ValueError"}],
    "sender": {"detached": True, "reason": "", "due": None},
    "crash_reports": {"mode": "local", "reason": "nothing was decided", "receiver": "sentry.example.org",
                      "clear_text": False},
    "erasures": [{"asked": "2021-05-19", "receiver": "https://e", "result": "no answer", "answered": False}],
    "labels": {"product": "x", "team": "a b"},
    "paths": {"store": "/s", "files": ""}, "problems": ["a problem"],
    "history": {"runs": 2, "since": "2021-05-01", "bytes": 3_000_000, "limit_mib": 1024, "clock_jumped": "2021-09-01",
                "lines_since": "2021-05-03",
                "deleted": [{"kind": "runs", "count": 7, "last_ns": 0, "last": "2021-05-02"}]},
}  # fmt: skip


def test_every_part_of_the_status_is_a_line() -> None:
    assert status_text.lines(STATUS) == [
        "mode: on (you said yes (make-metrics opt-in))",
        "waiting: 2 events, 300 bytes",
        "project: /p",
        "decision: yes, 2021-05-17 00:00, notice aa",
        "notice: aa (accepted)",
        "id: 2f4a",
        "sink: https://events.example.org (segment, deletes what it holds if asked)",
        "sent: 1 batch (make-metrics sent prints them)",
        "sender: sends when make has ended",
        "set aside: 1 (too large); make-metrics flush --retry sends what is set aside again",
        "dropped: 3 (too old)",
        "last attempt: 2021-05-18 00:00, segment: accepted",
        "metrics: os, jobs",
        "labels: product x, team a b",
        "metric in trouble: jobs failed (1 time, last 1970-01-01T00:00:00.000000+00:00: ValueError)",
        "history: 2 runs since 2021-05-01 00:00, kept for 90 days (3 of at most 1024 MiB)",
        "recipe lines: each for itself since 2021-05-03 00:00, older ones in the sums of their targets",
        "deleted for lack of room: 7 runs, last 2021-05-02 00:00",
        "clock: jumped to 2021-09-01 00:00: nothing gets too old until it has gone on for 14 days",
        "crash reports: local (nothing was decided), to sentry.example.org",
        "erasure: asked 2021-05-19 00:00, https://e: no answer (make-metrics erase asks again)",
        "problem: a problem",
        "path of store: /s",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"history": {**STATUS["history"], "bytes": 600_000_000, "limit_mib": 256}},
            "history: 2 runs since 2021-05-01 00:00, kept for 90 days (at most 256 MiB, with messages 573)",
        ),
        ({"prints": True}, "MAKE_METRICS is log: what would be sent is printed instead"),
        ({"consent": None, "decision": "none"}, "decision: none"),
        ({"notice": "bb"}, "notice: bb (not accepted)"),
        ({"id": None}, "id: none"),
        ({"sinks": [{"type": "otlp", "host": "http://c:4318", "clear_text": True, "erases": False}]},
         "sink: http://c:4318 (otlp, in clear text: it can be read on the way)"),
        ({"crash_reports": {"mode": "on", "reason": "yes", "receiver": "http://c", "clear_text": True}},
         "crash reports: on (yes), to http://c, in clear text: it can be read on the way"),
        ({"sinks": []}, "sink: none"),
        ({"waiting": {"events": 0, "bytes": 0}}, "waiting: nothing"),
        ({"sender": {"detached": True, "reason": "", "due": "2021-05-20T10:00"}},
         "sender: sends at 2021-05-20 10:00; make-metrics flush sends now"),
        ({"sender": {"detached": False, "reason": "this is CI", "due": None}},
         "sender: none (this is CI): make-metrics flush sends what waits"),
        ({"mode": "local", "decision": "older"},
         "make-metrics opt-in shows what would be collected, and asks for your yes"),
    ],
)  # fmt: skip
def test_a_line_follows_the_document(change: dict[str, Any], line: str) -> None:
    assert line in status_text.lines({**STATUS, **change})
    assert line not in status_text.lines(STATUS)
