"""The JSON Schema of make-metrics.toml for editors; `python -m ci.reference` writes it into the package.

What a key means is taken from the page about settings, what a sink's key may hold from the kinds of sink. Kinds that
other packages bring are allowed with any keys.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from make_metrics.files.toml_file import LONGEST
from make_metrics.project import settings_file
from make_metrics.sinks.kinds import BUILT_IN
from make_metrics.sinks.sink import Key

_PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
# Characters that do not print, as far as a pattern can say it.
_PRINTS = r"^[^\u0000-\u001f\u007f-\u00a0\u00ad\u2028\u2029]*$"


def _any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


_NAME = r"([^/:@?#\\\[\]\s]+|\[[0-9A-Fa-f:.]+\])"
# Elsewhere than on this machine http is no fault of the file: it is for each contributor to allow.
_HOST = (
    rf"^{_any_case('http')}[sS]?://{_NAME}"
    r"(:[0-9]{0,4}|:[1-5][0-9]{4})?(/[^?#\\\s]*)?$"
)
_TEXT = {"type": "string", "maxLength": LONGEST, "pattern": _PRINTS}
_KEYS: dict[str, dict[str, Any]] = {
    "event": {"pattern": f"^{settings_file._EVENT.pattern}$"},
    "default-branch": {"pattern": r"^ *[^\s]{0,200} *$"},
    "send-file-targets": {"type": "boolean"},
    "send-opt-out": {"type": "boolean"},
    "metrics": {
        "type": "array",
        "maxItems": settings_file._MOST_METRICS,
        "items": {"type": "string", "pattern": f"^{settings_file._METRIC.pattern}$"},
    },
    "labels": {
        "type": "object",
        "maxProperties": settings_file._MOST_LABELS,
        "propertyNames": {"pattern": f"^{settings_file._LABEL.pattern}$"},
        "additionalProperties": {"type": "string", "pattern": f"^{settings_file._LABEL_TEXT.pattern}$"},
    },
    "crash-reports-dsn": {
        "type": "string",
        "pattern": r"^https?://[0-9A-Za-z]{1,100}@[^/:@?#\\\s][^@?#\\\s]{0,200}/[0-9]{1,20}$",
    },
}


def descriptions() -> dict[str, str]:
    """What each key means, by its name, from the page."""
    section = _PAGE.read_text().partition("## `settings.toml`, yours")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", section, re.MULTILINE)
    return {name: re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text).replace("`", "") for name, text in rows}


def _key(key: Key) -> dict[str, Any]:
    types = {str: "string", int: "integer", bool: "boolean"}
    schema: dict[str, Any] = {"type": types[key.kind], "description": key.says}
    if key.kind is str:
        schema |= {"maxLength": LONGEST, "pattern": _HOST if key.name == "host" else f"^({key.pattern})$"}
    if key.added:  # the sink adds these paths to the address
        schema["not"] = {"pattern": "|".join(map(settings_file.ending, key.added))}
    return schema


def _sink() -> dict[str, Any]:
    kinds = [
        {
            "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
            "then": {
                "properties": {"type": True, **{key.name: _key(key) for key in kind.keys}},
                "required": [key.name for key in kind.keys if key.needed],
                "additionalProperties": False,
            },
        }
        for name, kind in BUILT_IN.items()
    ]
    names = f"{', '.join(BUILT_IN)}, or a kind that another package brings"
    kind_name = {"type": "string", "pattern": f"^{settings_file._KIND.pattern}$", "description": names}
    return {
        "type": "object",
        "properties": {"type": {**kind_name, "examples": list(BUILT_IN)}},
        "required": ["type"],
        "allOf": kinds,
    }


def schema() -> dict[str, Any]:
    """The schema, as a document."""
    meanings = descriptions()
    keys = {name: {**(_KEYS[name] if "type" in _KEYS.get(name, {}) else _TEXT | _KEYS.get(name, {}))}
            for name in settings_file._RULES if name != "sinks"}  # fmt: skip
    keys["sinks"] = {"type": "array", "maxItems": settings_file._MOST_SINKS, "items": _sink()}
    for name, key in keys.items():
        key["description"] = meanings[name]
    needed = {name: {"type": "string", "pattern": r"[^ ]"} for name in settings_file._NEEDED}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "make-metrics.toml",
        "description": "What a project would like to know from its contributors, and where it would go.",
        "type": "object",
        "properties": keys,
        "additionalProperties": False,
        "if": {
            "anyOf": [
                {"required": ["sinks"], "properties": {"sinks": {"minItems": 1}}},
                {"required": ["crash-reports-dsn"]},
            ]
        },
        "then": {"required": list(settings_file._NEEDED), "properties": needed},
    }
