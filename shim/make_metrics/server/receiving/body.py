"""A request's body within bounds, whoever sends it: bombs, endless bodies and slow senders cost little."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

BATCH_BYTES = 512_000
"""The most that a body may have, before and after it is unpacked: Segment's 500 KB."""
BODY_S = 20.0
# A client reads an answer only after it has sent all: what is a little too long is read to its end, and forgotten.
_DISCARDED_BYTES = 4_000_000
_GZIP = 31  # zlib's name for the format
_TOO_LONG = HTTPException(413, f"a request may have {BATCH_BYTES // 1024} KiB")


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object of a request. Raises HTTPException with the status that says what is wrong."""
    content = await _read(request)
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(document, dict):
        raise HTTPException(400, "the body is no JSON object")
    return document


async def _read(request: Request) -> bytes:
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise HTTPException(415, "Content-Encoding must be gzip, if there is one")
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and (len(length) > 9 or int(length) > _DISCARDED_BYTES):
        raise _TOO_LONG
    try:
        async with asyncio.timeout(BODY_S):
            content = await _collect(request)
    except TimeoutError:
        raise HTTPException(408, f"the body took longer than {BODY_S:g} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the body is not complete") from None
    return _unpacked(content) if encoding == "gzip" else content


async def _collect(request: Request) -> bytes:
    content, size = bytearray(), 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= BATCH_BYTES:
            content += chunk
        elif size > _DISCARDED_BYTES:
            break
    if size > BATCH_BYTES:
        raise _TOO_LONG
    return bytes(content)


def _unpacked(content: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(content, BATCH_BYTES + 1)
    except zlib.error:
        raise HTTPException(400, "the body is no gzip") from None
    if len(plain) > BATCH_BYTES:
        raise _TOO_LONG
    if not unpacker.eof or unpacker.unused_data:
        raise HTTPException(400, "the body is not one whole gzip")
    return plain
