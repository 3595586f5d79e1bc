"""The text of `make-metrics status`, made from its JSON document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from make_metrics.printable import printable
from make_metrics.report.local_time import local_time_of
from make_metrics.store.troubles import Count

Document = Mapping[str, Any]


def lines(status: Document) -> list[str]:
    """The lines for people. `status` is the document that `make-metrics status --json` prints."""
    return [*_consent(status), *_deliveries(status), *_metrics(status), *_history(status), *_rest(status)]


def _consent(status: Document) -> Iterator[str]:
    yield f"mode: {status['mode']} ({status['reason']})"
    if status["waiting"]:
        events = status["waiting"]["events"]
        size = f"{events} event{'s' * (events > 1)}, {status['waiting']['bytes']} bytes"
        yield f"waiting: {size if events else 'nothing'}"
    yield f"project: {printable(status['project'])}"
    if status["prints"]:
        yield "MAKE_METRICS is log: what would be sent is printed instead"
    record = status["consent"]
    if record:
        answer = "yes" if record["yes"] else "no"
        yield f"decision: {answer}, {local_time_of(record['decided'])}, notice {record['notice'] or '-'}"
    else:
        yield f"decision: {status['decision']}"
    if status["notice"]:
        accepted = record and record["yes"] and record["notice"] == status["notice"]
        yield f"notice: {status['notice']} ({'accepted' if accepted else 'not accepted'})"
    yield f"id: {status['id'] or 'none'}"


def _deliveries(status: Document) -> Iterator[str]:
    for sink in status["sinks"]:
        erases = ", deletes what it holds if asked" if sink["erases"] else ""
        yield f"sink: {sink['host']} ({sink['type']}{_clear_text(sink)}{erases})"
    if not status["sinks"]:
        yield "sink: none"
    if status["waiting"]:
        batches = status["sent_batches"]
        yield f"sent: {batches} batch{'es' * (batches != 1)} (make-metrics sent prints them)"
    sender = status["sender"]
    if sender["due"]:
        yield f"sender: sends at {local_time_of(sender['due'])}; make-metrics flush sends now"
    elif sender["detached"]:
        yield "sender: sends when make has ended"
    elif status["mode"] == "on":
        yield f"sender: none ({sender['reason']}): make-metrics flush sends what waits"
    for reason, count in status["set_aside"].items():
        yield f"set aside: {count} ({reason}); make-metrics flush --retry sends what is set aside again"
    for reason, count in status["dropped"].items():
        yield f"dropped: {count} ({reason})"
    for attempt in status["attempts"]:
        yield f"last attempt: {local_time_of(attempt['time'])}, {attempt['sink']}: {attempt['result']}"


def _clear_text(receiver: Mapping[str, Any]) -> str:
    return ", in clear text: it can be read on the way" if receiver["clear_text"] else ""


def _metrics(status: Document) -> Iterator[str]:
    if status["metrics"]:
        yield f"metrics: {', '.join(status['metrics'])}"
    if status["labels"]:
        yield f"labels: {', '.join(f'{name} {text}' for name, text in status['labels'].items())}"
    for count in status["metric_troubles"]:
        yield f"metric in trouble: {Count(**count).text}"


def _history(status: Document) -> Iterator[str]:
    history = status["history"]
    if not history:
        return
    since = f" since {local_time_of(history['since'])}" if history["since"] else ""
    mib, limit_mib = -(-history["bytes"] // 2**20), history["limit_mib"]
    # What is kept of sent and waiting messages has bounds of its own, and is in the same file.
    size = f"{mib} of at most {limit_mib} MiB" if mib <= limit_mib else f"at most {limit_mib} MiB, with messages {mib}"
    yield f"history: {history['runs']} run{'s' * (history['runs'] != 1)}{since}, kept for 90 days ({size})"
    if history["lines_since"]:
        lines_since = local_time_of(history["lines_since"])
        yield f"recipe lines: each for itself since {lines_since}, older ones in the sums of their targets"
    for deleted in history["deleted"]:
        yield f"deleted for lack of room: {deleted['count']} {deleted['kind']}, last {local_time_of(deleted['last'])}"
    if history["clock_jumped"]:
        jumped = local_time_of(history["clock_jumped"])
        yield f"clock: jumped to {jumped}: nothing gets too old until it has gone on for 14 days"


def _rest(status: Document) -> Iterator[str]:
    crash_reports = status["crash_reports"]
    if crash_reports["receiver"]:
        to = f"{crash_reports['receiver']}{_clear_text(crash_reports)}"
        yield f"crash reports: {crash_reports['mode']} ({crash_reports['reason']}), to {to}"
    for erasure in status["erasures"]:
        answer = (
            f"{erasure['result'] or 'not asked yet'}{'' if erasure['answered'] else ' (make-metrics erase asks again)'}"
        )
        yield f"erasure: asked {local_time_of(erasure['asked'])}, {erasure['receiver']}: {answer}"
    for problem in status["problems"]:
        yield f"problem: {problem}"
    undecided = status["decision"] in ("none", "older") or status["rule"] == "on-this-machine"
    if status["mode"] != "on" and status["sinks"] and undecided:
        yield "make-metrics opt-in shows what would be collected, and asks for your yes"
    for name, path in status["paths"].items():
        if path:
            yield f"path of {name}: {printable(path)}"
