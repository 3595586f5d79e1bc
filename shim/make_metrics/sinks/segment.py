"""The Segment sink: the serialiser and the request of segment-analytics-python, without its queue and threads.

`host` may be any receiver of the same protocol. Importing this takes some 150 ms: never where a recipe waits.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import requests

from make_metrics.processes.later import Later
from make_metrics.sinks.answer import judged_error, strangeness
from make_metrics.sinks.last_check import StoppedError
from make_metrics.sinks.network import Nowhere, Session, judged, unanswered
from make_metrics.sinks.sink import Message, Network, Outcome, Prepared, UnavailableError, Verdict

# For the library's OAuth alone, which we do not use, PyJWT loads cryptography: a tenth of a sender's processor time.
sys.modules.setdefault("jwt", Later("jwt"))
segment: Any = importlib.import_module("segment.analytics.request")
_limits: Any = importlib.import_module("segment.analytics.consumer")

BATCH_MESSAGES = 100
_ENVELOPE_BYTES = 1_000  # room for what surrounds the messages: braces, the time of sending, the key
_SESSION: ContextVar[requests.Session] = ContextVar("session", default=segment._session)


class _SessionOfContext:
    """Stands for the library's only session: each thread that sends has one of its own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_SESSION.get(), name)


segment._session = _SessionOfContext()


class SegmentSink:
    """A receiver of the Segment protocol, with the project's public key."""

    def __init__(self, *, key: str, host: str, network: Network | None = None) -> None:
        """Open no connection yet."""
        self._key, self._host, self._network = key, host, network or Network()
        for name in ("segment", "urllib3"):  # they log the errors that they raise
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """Positions in batches of at most 100 messages and 475 KB; a message above 32 KB is in none."""
        batches: list[list[int]] = []
        room = 0
        for position, message in enumerate(messages):
            size = len(json.dumps(message, cls=segment.DatetimeSerializer).encode()) + 2
            if size > _limits.MAX_MSG_SIZE:
                continue
            if not batches or size > room or len(batches[-1]) == BATCH_MESSAGES:
                batches.append([])
                room = _limits.BATCH_SIZE_LIMIT - _ENVELOPE_BYTES
            batches[-1].append(position)
            room -= size
        return batches

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The request that `send` would make now."""
        nowhere = Nowhere()
        with self._session() as session:
            session.mount("http://", nowhere)
            session.mount("https://", nowhere)
            self._post(batch, timeout_s=1)
        (request,) = nowhere.taken
        return Prepared(request.url or "", _body(request))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch and judge the answer. `timeout_s` limits connecting, and each wait for more of the answer."""
        url = f"{self._host}/v1/batch"
        timeout_s = min(timeout_s, self._network.timeout_s)
        try:
            with self._session():
                answer = self._post(batch, timeout_s=timeout_s)
            if strange := strangeness(answer):
                return Verdict(Outcome.LATER, strange, url)
            return Verdict(Outcome.ACCEPTED, "accepted", answer.request.url or url, _body(answer.request))
        except segment.APIError as error:
            answer = error.response
            if answer is None:
                return judged(error.status, "", url)
            return judged_error(answer, url, messages=len(batch))
        except (requests.RequestException, UnavailableError, StoppedError, OSError, UnicodeError) as error:
            return unanswered(error, timeout_s, url)

    def _post(self, batch: Sequence[Message], *, timeout_s: float) -> requests.Response:
        # As the library's Consumer does, but uncompressed: `preview` and `sent` show the bytes that are sent.
        answer: requests.Response = segment.post(
            self._key, self._host, gzip=False, timeout=timeout_s, batch=[dict(message) for message in batch]
        )
        return answer

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """Have the library use a session of ours.

        The library's follows a redirect by a GET without a body, and takes the answer for success.
        """
        with Session(self._network) as session:
            token = _SESSION.set(session)
            try:
                yield session
            finally:
                _SESSION.reset(token)


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
