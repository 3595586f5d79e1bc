"""Whether an answer is the receiver's: a network that asks to sign in answers 200 or 403, with its own page."""

from __future__ import annotations

import json
from collections.abc import Callable

import requests

from make_metrics.sinks.adapter import LIMIT_BYTES
from make_metrics.sinks.network import TOO_LARGE, judged
from make_metrics.sinks.sink import Outcome, Verdict

_PAGES = frozenset({"text/html", "application/xhtml+xml", "application/xml", "text/xml"})
# What receivers declare. Some declare nothing, or answer "OK" as text.
_TYPES = frozenset({"", "application/json", "text/json", "text/plain", "application/octet-stream"})
_LONGEST_LINE = 100


def strangeness(
    answer: requests.Response, *, types: frozenset[str] = frozenset(), is_answer: Callable[[bytes], bool] | None = None
) -> str:
    """Why a 2xx answer is not one of a receiver's protocol, as a line for people; empty if it is one.

    An answer may be empty, JSON, or a short line of text. `types` are further content types of the protocol, and
    `is_answer` recognises its further contents.
    """
    if strange := _strange_type(answer, types):
        return strange
    content, kind = answer.content or b"", _kind(answer)
    if answer.status_code in (204, 205) or not content:
        return ""
    if (is_answer is not None and is_answer(content)) or _is_json_success(content):
        return ""
    if "json" in kind or not _is_short_line(content):
        return _line(answer, "of another form", kind or "no type")
    return ""


def judged_error(answer: requests.Response, url: str, *, messages: int, types: frozenset[str] = frozenset()) -> Verdict:
    """The verdict for an answer to a number of messages whose status is not 2xx. `types` are those of `strangeness`.

    What is not a receiver's neither sets a message aside nor blames the settings: it has to wait. A server before a
    receiver answers 413 with a page of its own: then a batch is halved, and a single message does not hold up others.
    """
    verdict = judged(answer.status_code, answer.headers.get("Retry-After", ""), url)
    if not 400 <= answer.status_code < 500 or verdict.outcome is Outcome.LATER:
        return verdict
    strange = _strange_type(answer, types)
    if not strange or (answer.status_code == TOO_LARGE and messages > 1):
        return verdict
    return Verdict(Outcome.LATER, strange, url, only_this=answer.status_code == TOO_LARGE)


def _strange_type(answer: requests.Response, types: frozenset[str]) -> str:
    """Why an answer's type, size or first byte is not a receiver's, as a line for people; empty if they are."""
    content, kind = answer.content or b"", _kind(answer)
    if answer.status_code in (204, 205):  # without content, whatever the header says
        return ""
    if kind in _PAGES or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return _line(answer, "a page", kind or "no type")
    if len(content) >= LIMIT_BYTES:
        return _line(answer, f"longer than {LIMIT_BYTES // 1024} KiB", kind or "no type")
    if content and kind not in _TYPES | types and not kind.endswith("+json"):
        return _line(answer, "of another type", kind)
    return ""


def _kind(answer: requests.Response) -> str:
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _line(answer: requests.Response, what: str, kind: str) -> str:
    kind = ascii(kind)[1:-1][:60]
    return (
        f"the answer {answer.status_code} is not a receiver's, but {what} ({kind}): does this network ask to sign in?"
    )


def _is_json_success(content: bytes) -> bool:
    """Whether a content is JSON that neither denies success (`{"success": false}`) nor names an error."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict):
        return document is not False
    denied = any(document.get(key) is False for key in ("success", "ok"))
    return not denied and not any(document.get(key) for key in ("error", "errors"))


def _is_short_line(content: bytes) -> bool:
    try:
        text = content.decode().strip()
    except UnicodeDecodeError:
        return False
    return len(text) <= _LONGEST_LINE and text.isprintable() and not text.startswith(("{", "["))
