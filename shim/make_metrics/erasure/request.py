"""Asking a receiver to delete what it holds of an id. Importing this takes some 120 ms: never where a recipe waits."""

from __future__ import annotations

import json

import requests

from make_metrics.sinks.answer import judged_error, strangeness
from make_metrics.sinks.last_check import StoppedError
from make_metrics.sinks.network import Session, unanswered
from make_metrics.sinks.sink import Network, Outcome, Prepared, UnavailableError, Verdict

PATH = "/v1/erase"


def prepare(host: str, anonymous_id: str) -> Prepared:
    """The request that `erase` makes."""
    return Prepared(f"{host}{PATH}", json.dumps({"anonymousId": anonymous_id}).encode())


def erase(host: str, anonymous_id: str, network: Network, *, timeout_s: float) -> Verdict:
    """Ask a receiver to delete what it holds of an id: the id is all that is sent, and the permission as well.

    ACCEPTED if it says that it has; its `said` says how many events there were.
    """
    request = prepare(host, anonymous_id)
    try:
        with Session(network) as session:
            answer = session.post(
                request.url,
                data=request.body,
                headers={"Content-Type": "application/json"},
                timeout=min(timeout_s, network.timeout_s),
                allow_redirects=False,
            )
    except (requests.RequestException, UnavailableError, StoppedError, OSError, UnicodeError) as error:
        return unanswered(error, timeout_s, request.url)
    if answer.status_code != requests.codes.ok:
        return judged_error(answer, request.url, messages=1)
    if strange := strangeness(answer):
        return Verdict(Outcome.LATER, strange, request.url)
    return Verdict(Outcome.ACCEPTED, _said(answer), request.url, request.body)


def _said(answer: requests.Response) -> str:
    try:
        erased = answer.json()["erased"]
    except (ValueError, KeyError, TypeError):
        return "deleted"
    return f"deleted, {erased} event{'s' * (erased != 1)}" if type(erased) is int else "deleted"
