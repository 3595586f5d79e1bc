"""The interface as OpenAPI describes it, made from the registry."""

from __future__ import annotations

from typing import Any

from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES

_ERROR = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {"success": {"const": False}, "error": {"type": "string"}},
}
_JSON = "application/json"


def _answers(*statuses: int, ok: dict[str, Any] | None = None) -> dict[str, Any]:
    texts = {
        400: "The body is not what is described here.",
        401: "No project has the write key.",
        403: "The project takes no events.",
        408: "The body took too long.",
        413: "The body is longer than 500 KiB, before or after it is unpacked.",
        415: "The body has another encoding than gzip.",
        429: "Too many tries with a wrong key or id; Retry-After says when to try again.",
        500: "A fault of the receiver.",
        503: "The events cannot be stored now; Retry-After says when to try again.",
    }
    answers: dict[str, Any] = {
        str(status): {"description": texts[status], "content": {_JSON: {"schema": _ERROR}}} for status in statuses
    }
    if ok is not None:
        answers["200"] = {"description": "Done.", "content": {_JSON: {"schema": ok}}}
    return answers


_SUCCESS = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
_STATUS = {"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}}
_MESSAGE = {
    "type": "object",
    "required": ["anonymousId", "messageId", "event", "properties"],
    "properties": {
        **{entry.name: entry.schema() for entry in ENVELOPE if entry.name != "messageId"},
        "messageId": {"type": "string", "minLength": 1, "maxLength": 100, "description": "the same when sent again"},
        "properties": {
            "description": "What is not declared here, or has another value, is not stored; the rest is.",
            "anyOf": [
                {
                    "type": "object",
                    "properties": {
                        entry.name: entry.schema()
                        for entry in {e.name: e for e in (*CHOICE, *PROPERTIES, *OPTIONAL)}.values()
                    },
                },
                {"type": "object"},
            ],
        },
    },
}
# As with Segment, a message that is not so is counted and left out; the request is answered like any other.
_LENIENT = "A message that is not like the first schema is refused and counted; the others are stored."
_TRACK = {
    "description": _LENIENT,
    "anyOf": [_MESSAGE, {"type": "object", "properties": {"writeKey": {"type": ["string", "null"]}}}],
}
_INGEST = (400, 401, 403, 408, 413, 415, 429, 500, 503)


def _post(summary: str, schema: dict[str, Any], answers: dict[str, Any], *, key: bool = True) -> dict[str, Any]:
    body = {"required": True, "content": {_JSON: {"schema": schema}}}
    security: list[dict[str, list[str]]] = [{"writeKey": []}] if key else []
    return {"post": {"summary": summary, "security": security, "requestBody": body, "responses": answers}}


def _get(summary: str, answers: dict[str, Any]) -> dict[str, Any]:
    return {"get": {"summary": summary, "responses": answers}}


DESCRIPTION: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {
        "title": "make-metrics serve",
        "version": "1",
        "description": "Segment's HTTP protocol, as far as events need it.",
    },
    "paths": {
        "/v1/batch": _post(
            "Store a batch of messages.",
            {
                "type": "object",
                "required": ["batch"],
                "properties": {
                    "batch": {
                        "type": "array",
                        "description": "at most 1000 messages: more are answered with 413",
                        "items": {"description": _LENIENT, "anyOf": [_MESSAGE, {}]},
                    },
                    "writeKey": {"type": ["string", "null"], "description": "where there is no basic authentication"},
                },
            },
            _answers(*_INGEST, ok=_SUCCESS),
        ),
        "/v1/track": _post("Store one message.", _TRACK, _answers(*_INGEST, ok=_SUCCESS)),
        "/v1/erase": _post(
            "Delete all that is held of a random id. Knowing the id is the permission.",
            {
                "type": "object",
                "required": ["anonymousId"],
                "properties": {"anonymousId": {"type": "string", "format": "uuid", "pattern": "^[0-9a-f-]{36}$"}},
            },
            _answers(
                400, 408, 413, 415, 429, 500, 503,
                ok={
                    "type": "object",
                    "required": ["success", "erased"],
                    "properties": {
                        "success": {"const": True},
                        "erased": {"type": "integer", "minimum": 0, "description": "how many events there were"},
                    },
                },
            ),
            key=False,
        ),
        "/healthz": _get("Whether the process lives.", _answers(ok=_STATUS)),
        "/readyz": _get("Whether events can be stored.", _answers(500, 503, ok=_STATUS)),
        "/metrics": _get(
            "Numbers of this process, for Prometheus.",
            {"200": {"description": "Done.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
        ),
    },
    "components": {
        "securitySchemes": {
            "writeKey": {"type": "http", "scheme": "basic", "description": "the write key as user, no password"}
        }
    },
}  # fmt: skip
