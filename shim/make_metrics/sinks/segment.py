"""The Segment sink: the serialiser and request code of segment-analytics-python, without its queue and threads.

`host` may be any receiver of the same protocol. Importing this costs some 150 ms: never where a recipe waits.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator, Sequence

import requests
from segment.analytics import request as segment  # type: ignore[import-untyped]
from segment.analytics.consumer import BATCH_SIZE_LIMIT, MAX_MSG_SIZE  # type: ignore[import-untyped]

from make_metrics.sinks.network import Nowhere, Session, judged, unanswered
from make_metrics.sinks.sink import Message, Network, Outcome, Prepared, UnavailableError, Verdict

BATCH_MESSAGES = 100
_ENVELOPE_BYTES = 1_000  # around the messages: braces, the time of sending, the key


class SegmentSink:
    """A receiver of the Segment protocol at an address, with the project's public key."""

    def __init__(self, *, key: str, host: str, network: Network | None = None) -> None:
        """Raises nothing, and opens nothing."""
        self._key, self._host, self._network = key, host, network or Network()
        for name in ("segment", "urllib3"):  # they would log what they are about to raise
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """Places in batches of at most 100 messages and 475 KB; a message above 32 KB is in none."""
        found: list[list[int]] = []
        room = 0
        for place, message in enumerate(messages):
            size = len(json.dumps(message, cls=segment.DatetimeSerializer).encode()) + 2
            if size > MAX_MSG_SIZE:
                continue
            if not found or size > room or len(found[-1]) == BATCH_MESSAGES:
                found.append([])
                room = BATCH_SIZE_LIMIT - _ENVELOPE_BYTES
            found[-1].append(place)
            room -= size
        return found

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The request that `send` would make now."""
        nowhere = Nowhere()
        with self._session() as session:
            session.mount("http://", nowhere)
            session.mount("https://", nowhere)
            self._post(batch, timeout_s=1)
        (taken,) = nowhere.taken
        return Prepared(taken.url or "", _body(taken))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch and judge the answer; `timeout_s` bounds connecting, and each wait for more of the answer."""
        url = f"{self._host}/v1/batch"
        timeout_s = min(timeout_s, self._network.timeout_s)
        try:
            with self._session():
                answer = self._post(batch, timeout_s=timeout_s)
            return Verdict(Outcome.ACCEPTED, "accepted", answer.request.url or url, _body(answer.request))
        except segment.APIError as error:
            answer = error.response
            return judged(error.status, answer.headers.get("Retry-After", "") if answer is not None else "", url)
        except (requests.RequestException, UnavailableError, OSError, UnicodeError) as error:
            return unanswered(error, timeout_s, url)

    def _post(self, batch: Sequence[Message], *, timeout_s: float) -> requests.Response:
        # As its Consumer calls it. Uncompressed: what preview and the ledger show are the bytes on the line.
        answer: requests.Response = segment.post(
            self._key, self._host, gzip=False, timeout=timeout_s, batch=[dict(message) for message in batch]
        )
        return answer

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """The library's request code with a session of ours in place of its own.

        With its own, a redirect would be followed as a GET without a body, and taken for success.
        """
        before = segment._session
        with Session(self._network) as session:
            segment._session = session
            try:
                yield session
            finally:
                segment._session = before


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
