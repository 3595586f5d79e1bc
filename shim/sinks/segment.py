"""The Segment sink: the serialiser and request code of segment-analytics-python, without its queue and threads.

`host` may be any receiver of the same protocol. Importing this costs some 150 ms: never where a recipe waits.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime

import requests
from requests.adapters import BaseAdapter
from requests.auth import AuthBase
from segment.analytics import request as segment  # type: ignore[import-untyped]
from segment.analytics.consumer import BATCH_SIZE_LIMIT, MAX_MSG_SIZE  # type: ignore[import-untyped]

from shim.sinks import Message, Outcome, Prepared, Verdict

BATCH_MESSAGES = 100
_ENVELOPE_BYTES = 1_000  # around the messages: braces, the time of sending, the key
_RETRY_STATUS = frozenset({408, 425, 429, 460})
_SETTINGS_STATUS = frozenset({401, 403, 404, 405, 407, 410})
_HOUR_S = 3_600
_DAY_S = 86_400


class _LeaveHeader(AuthBase):
    """Keeps requests from putting a password of ~/.netrc in the place of the write key."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        return prepared


class _Nowhere(BaseAdapter):
    """Takes a request and answers yes; nothing is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        self.taken.append(request)
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url or ""
        return answer

    def close(self) -> None:
        """Nothing was opened."""


class SegmentSink:
    """A receiver of the Segment protocol at an address, with the project's public key."""

    def __init__(self, *, key: str, host: str) -> None:
        """Raises nothing, and opens nothing."""
        self._key, self._host = key, host
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
        nowhere = _Nowhere()
        with self._session() as session:
            session.mount("http://", nowhere)
            session.mount("https://", nowhere)
            self._post(batch, timeout_s=1)
        (taken,) = nowhere.taken
        return Prepared(taken.url or "", _body(taken))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch and judge the answer; `timeout_s` bounds connecting, and each wait for more of the answer."""
        url = f"{self._host}/v1/batch"
        try:
            with self._session():
                answer = self._post(batch, timeout_s=timeout_s)
            return Verdict(Outcome.ACCEPTED, "accepted", answer.request.url or url, _body(answer.request))
        except segment.APIError as error:
            return _judged(error, url)
        except requests.TooManyRedirects:
            return Verdict(Outcome.HELD, "the receiver redirects elsewhere: nothing was sent there", url)
        except requests.exceptions.SSLError:
            return Verdict(Outcome.LATER, "the receiver's certificate could not be verified", url)
        except requests.exceptions.Timeout:
            return Verdict(Outcome.LATER, f"no answer within {timeout_s:g} s", url)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
            return Verdict(Outcome.HELD, "the receiver's address, or the proxy's, is none", url)
        except (requests.RequestException, OSError):
            return Verdict(Outcome.LATER, "the receiver cannot be reached", url)

    def _post(self, batch: Sequence[Message], *, timeout_s: float) -> requests.Response:
        # As its Consumer calls it. Uncompressed: what preview and the ledger show are the bytes on the line.
        answer: requests.Response = segment.post(
            self._key, self._host, gzip=False, timeout=timeout_s, batch=[dict(message) for message in batch]
        )
        return answer

    @contextlib.contextmanager
    def _session(self) -> Iterator[requests.Session]:
        """The library's request code with a session of ours in place of its own.

        A redirect would be followed as a GET without a body, and taken for success. Proxies and certificate
        authorities of the environment (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE) are honoured.
        """
        before = segment._session
        with requests.Session() as session:
            session.max_redirects = 0
            session.auth = _LeaveHeader()
            segment._session = session
            try:
                yield session
            finally:
                segment._session = before


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""


def _retry_after_s(answer: requests.Response | None) -> int:
    """How long a receiver asks to be left alone, a day at most (the library takes five minutes for the most)."""
    said = answer.headers.get("Retry-After", "") if answer is not None else ""
    try:
        seconds = int(said) if said.isdecimal() else int(parsedate_to_datetime(said).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0
    return min(max(seconds, 0), _DAY_S)


def _judged(error: segment.APIError, url: str) -> Verdict:
    status = error.status
    said = f"the receiver answered {status}"
    if 300 <= status < 400:
        return Verdict(Outcome.HELD, f"{said}, a redirect: nothing was sent there", url)
    if status in _SETTINGS_STATUS or status in (501, 505):
        return Verdict(Outcome.HELD, f"{said}: its key or address in the settings is wrong", url, after_s=_HOUR_S)
    if status in _RETRY_STATUS or status >= 500:
        return Verdict(Outcome.LATER, said, url, after_s=_retry_after_s(error.response))
    return Verdict(Outcome.REFUSED, said, url)
