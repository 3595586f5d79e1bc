"""An OTLP request as text for people, decoded from its bytes."""

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
    """The size and the hash of a request's bytes, and its content in OTLP's JSON form; raises DecodeError.

    The hash shows that `preview` and `sent` show the same bytes.
    """
    kind = ExportTraceServiceRequest if url.endswith("/v1/traces") else ExportMetricsServiceRequest
    text = json.dumps(_hexadecimal(MessageToDict(kind.FromString(body))))
    return f"protobuf, {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}:\n{text}"


def _hexadecimal(value: Any) -> Any:
    """The same value with its ids in hexadecimal, as OTLP's JSON form has them; protobuf's has base64."""
    if isinstance(value, dict):
        return {
            name: base64.b64decode(member).hex() if name in _IDS else _hexadecimal(member)
            for name, member in value.items()
        }
    return [_hexadecimal(member) for member in value] if isinstance(value, list) else value
