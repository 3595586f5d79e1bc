"""What an OTLP request says, for people: decoded from its very bytes, not made a second time."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = frozenset({"traceId", "spanId", "parentSpanId"})


def readable(url: str, body: bytes) -> str:
    """Size and hash of a request's bytes, and the same in OTLP's JSON form (ids in hexadecimal); raises DecodeError.

    Equal hashes mean equal bytes: for what `preview` shows and `sent` shows later.
    """
    kind = ExportTraceServiceRequest if url.endswith("/v1/traces") else ExportMetricsServiceRequest
    said = json.dumps(_hexadecimal(MessageToDict(kind.FromString(body))))
    return f"protobuf, {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}:\n{said}"


def _hexadecimal(found: Any) -> Any:
    if isinstance(found, dict):
        return {
            name: base64.b64decode(value).hex() if name in _IDS else _hexadecimal(value)
            for name, value in found.items()
        }
    return [_hexadecimal(one) for one in found] if isinstance(found, list) else found
