"""The addresses of Segment's protocol, of erasure, and of the receiver's own health."""

from __future__ import annotations

import base64
import binascii
import functools
import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from make_metrics.server.projects.keys import Keys, Receiving
from make_metrics.server.projects.projects import now_us
from make_metrics.server.projects.throttle import Throttle
from make_metrics.server.receiving.body import read_object
from make_metrics.server.receiving.committer import BusyError, Committer
from make_metrics.server.receiving.description import DESCRIPTION
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.receiving.numbers import CONTENT_TYPE, NUMBERS
from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.erasing import erase, is_known

MOST_MESSAGES = 1_000
_RETRY_S = 5
_WRONG_KEYS, _UNKNOWN_IDS = (50, 10), (200, 5)  # so many are told at once, and then so many a second
_LOOK_UPS = 4  # of keys and ids that may be wrong: those who store and show need connections to the database, too
_KEY = re.compile(r"[A-Za-z0-9_.~+/=-]{1,200}")
_LOG = logging.getLogger("make_metrics")
_Handler = Callable[[Request], Awaitable[Response]]


class Receiver:
    """The handlers of requests. `start` before the first one, `stop` after the last."""

    def __init__(self, database: Database) -> None:
        """Start nothing yet."""
        self._database = database
        self._keys = Keys(database)
        self._committer = Committer(database)
        self._look_ups_at_once = CapacityLimiter(_LOOK_UPS)
        self._wrong_keys = Throttle(burst=_WRONG_KEYS[0], per_s=_WRONG_KEYS[1])
        self._unknown_ids = Throttle(burst=_UNKNOWN_IDS[0], per_s=_UNKNOWN_IDS[1])

    def start(self) -> None:
        """Start storing."""
        self._committer.start()

    def stop(self) -> None:
        """Store what was taken, and end."""
        self._committer.stop()

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/v1/batch", _answering(self._batch), methods=["POST"]),
            Route("/v1/track", _answering(self._track), methods=["POST"]),
            Route("/v1/erase", _answering(self._erase), methods=["POST"]),
            Route("/healthz", _answering(self._health), methods=["GET"]),
            Route("/readyz", _answering(self._ready), methods=["GET"]),
            Route("/metrics", _answering(self._numbers), methods=["GET"]),
            Route("/openapi.json", _answering(self._description), methods=["GET"]),
        ]

    async def _batch(self, request: Request) -> Response:
        # The key is checked first where it is in the header: a stranger's body is not read.
        receiving = await self._receiving(_key_of_header(request))
        document = await read_object(request)
        key = _key_of(document)
        receiving = receiving or await self._receiving(key, needed=True)
        messages = document.get("batch")
        if not isinstance(messages, list):
            raise HTTPException(400, "batch must be a list of messages")
        if len(messages) > MOST_MESSAGES:
            raise HTTPException(413, f"a batch may have {MOST_MESSAGES} messages")
        return await self._store(receiving, messages)

    async def _track(self, request: Request) -> Response:
        receiving = await self._receiving(_key_of_header(request))
        message = await read_object(request)
        key = _key_of(message)
        receiving = receiving or await self._receiving(key, needed=True)
        return await self._store(receiving, [message])

    async def _store(self, receiving: Receiving | None, messages: list[Any]) -> Response:
        assert receiving is not None  # noqa: S101 - `needed` raises
        begun = time.perf_counter()
        batch = check(receiving.project, messages, limits(now_us(), receiving.retention_days))
        await self._committer.store(batch)
        NUMBERS.batch(time.perf_counter() - begun, batch.refused.total())
        return JSONResponse({"success": True})

    async def _receiving(self, key: str | None, *, needed: bool = False) -> Receiving | None:
        """The project of a write key; None without a key. Raises HTTPException for a wrong one."""
        if key is None:
            if needed:
                raise HTTPException(401, "a write key is missing", {"WWW-Authenticate": 'Basic realm="write key"'})
            return None
        receiving = self._keys.remembered(key)
        if receiving is None and _KEY.fullmatch(key):
            receiving = await run_sync(self._keys.look_up, key, limiter=self._look_ups_at_once)
        if receiving is None:
            if wait_s := self._wrong_keys.failed():
                raise HTTPException(429, "too many wrong write keys", {"Retry-After": str(wait_s)})
            raise HTTPException(401, "no project has this write key", {"WWW-Authenticate": 'Basic realm="write key"'})
        if receiving.disabled:
            raise HTTPException(403, "this project takes no events")
        return receiving

    async def _erase(self, request: Request) -> Response:
        document = await read_object(request)
        person = document.get("anonymousId")
        try:
            is_id = isinstance(person, str) and str(uuid.UUID(person)) == person
        except ValueError:
            is_id = False
        if not is_id:
            raise HTTPException(400, "anonymousId must be the id, a UUID in small letters")
        if not await run_sync(is_known, self._database, str(person), limiter=self._look_ups_at_once) and (
            wait_s := self._unknown_ids.failed()
        ):
            raise HTTPException(429, "too many ids that are not known", {"Retry-After": str(wait_s)})
        events = await run_in_threadpool(erase, self._database, str(person))
        NUMBERS.erased()
        return JSONResponse({"success": True, "erased": events})

    async def _health(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    async def _ready(self, request: Request) -> Response:
        del request
        await run_in_threadpool(self._database.ping)
        return JSONResponse({"status": "ready"})

    async def _numbers(self, request: Request) -> Response:
        del request
        return Response(NUMBERS.text(waiting=self._committer.length), media_type=CONTENT_TYPE)

    async def _description(self, request: Request) -> Response:
        del request
        return JSONResponse(DESCRIPTION)


def _answering(handler: _Handler) -> _Handler:
    """A handler whose errors become answers as the protocol has them, and whose answers are counted."""

    @functools.wraps(handler)
    async def answering(request: Request) -> Response:
        answer = await _answer(handler, request)
        NUMBERS.answered(request.url.path, answer.status_code)
        answer.headers["Cache-Control"] = "no-store"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer

    return answering


async def _answer(handler: _Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except HTTPException as error:
        return _failure(error.status_code, error.detail, error.headers)
    except (AwayError, BusyError) as error:
        _LOG.warning("not stored: %s", error)
        return _failure(503, "the events cannot be stored now", {"Retry-After": str(_RETRY_S)})
    except Exception:
        _LOG.exception("a request failed")
        return _failure(500, "this is a fault of the receiver", {"Retry-After": str(_RETRY_S)})


def _failure(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    # The body may not be read to its end, and may have none: such a connection is of no further use.
    closing = {"Connection": "close"} if 400 <= status < 500 else {}
    return JSONResponse({"success": False, "error": text}, status, {**closing, **(headers or {})})


def _key_of_header(request: Request) -> str | None:
    """The write key of basic authentication, where it is the user's name; None without it."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")[0]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""  # no key


def _key_of(document: dict[str, Any]) -> str | None:
    """The write key of a body; None without one. Raises HTTPException if it is no text."""
    key = document.get("writeKey")
    if key is not None and not isinstance(key, str):
        raise HTTPException(400, "writeKey must be a text")
    return key
