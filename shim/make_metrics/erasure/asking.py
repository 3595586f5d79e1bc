"""Erasure: which ids a project's receivers may still hold, and asking them to delete that, until they have answered."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping

from make_metrics import environment
from make_metrics.consent.anonymous_id import read_id
from make_metrics.consent.mode import through_sudo
from make_metrics.consent.policy import read_policy
from make_metrics.erasure import requested
from make_metrics.erasure.requested import Erasure
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project
from make_metrics.sinks.sink import Outcome, Verdict
from make_metrics.sinks.time_limit import LateError, within
from make_metrics.sinks.user_settings import user_settings_for
from make_metrics.store.outbox import Batch

_REST_NS = 600 * 1_000_000_000
_REQUEST_S = 10.0
_BRIEFLY_S = 2.0
_SEGMENT_PATH = "/v1/batch"


def hosts(project: Project) -> list[str]:
    """The addresses of the project's receivers that erase, as its settings say."""
    return list(dict.fromkeys(sink.host for sink in project.sinks if sink.erases))


def receivers_with_ids(paths: Paths, project: Project, sent: Iterable[Batch]) -> Iterator[tuple[str, str]]:
    """Each receiver that erases, with each id that it may hold: the project's id, and those of what was sent.

    An earlier id was deleted with the yes that was withdrawn; the ledger still has what was sent with it.
    """
    addresses = hosts(project)
    anonymous_id = read_id(paths, project)
    pairs = [(host, anonymous_id) for host in addresses if anonymous_id]
    for batch in sent:
        host = batch.url.removesuffix(_SEGMENT_PATH)
        if host in addresses and host != batch.url:
            pairs += [(host, sent_id) for sent_id in _ids(batch.body)]
    return iter(dict.fromkeys(pairs))


def _ids(body: bytes) -> list[str]:
    try:
        messages = json.loads(body)["batch"]
        return list(dict.fromkeys(str(message["anonymousId"]) for message in messages))
    except (ValueError, KeyError, TypeError, RecursionError):
        return []


def ask_again(paths: Paths, environ: Mapping[str, str]) -> None:
    """Ask once more, briefly, on the way of a command that does something else: an outage is over at some time.

    Never raises. A receiver that was asked in the last ten minutes rests.
    """
    try:
        if not requested.any_wait(paths) or environment.ceiling(environ) != "on" or environment.only_prints(environ):
            return
        if not through_sudo(environ, root=not os.geteuid()):
            within(_BRIEFLY_S, lambda: ask(paths, timeout_s=_BRIEFLY_S, patient=True))
    except (LateError, UserError, OSError):
        return  # it is asked again later


def ask(paths: Paths, *, timeout_s: float, patient: bool = False) -> list[Erasure]:
    """Ask the receivers that have not answered yet; all requests that were tried, as they are now.

    With `patient` one that was tried in the last ten minutes rests. Returns within `timeout_s` seconds, plus the time
    of one request. Raises UserError if a result cannot be written.
    """
    if not requested.any_wait(paths):
        return []
    from make_metrics.erasure.request import erase

    deadline_s, now_ns = time.monotonic() + timeout_s, time.time_ns()
    tried = []
    for erasure in requested.read_all(paths, now_ns=now_ns):
        left_s = deadline_s - time.monotonic()
        if erasure.is_done or left_s <= 0 or (patient and 0 <= now_ns - erasure.tried_ns < _REST_NS):
            continue
        limit, reason = read_policy().limit([f"segment {erasure.host}"])
        surroundings, problems = user_settings_for(paths, erasure.host)
        if limit != "on" or problems:
            verdict = Verdict(Outcome.HELD, reason or problems[0], erasure.host)
        else:
            timeout = min(left_s, _REQUEST_S)
            verdict = erase(erasure.host, erasure.anonymous_id, surroundings.network, timeout_s=timeout)
        requested.note(
            paths, erasure, result=verdict.said, is_done=verdict.outcome is Outcome.ACCEPTED, now_ns=time.time_ns()
        )
        tried.append(erasure.name)
    return [erasure for erasure in requested.read_all(paths, now_ns=now_ns) if erasure.name in tried]
