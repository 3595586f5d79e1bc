"""The JSON Schema of an event as it is sent, made from the registry. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from make_metrics.combine.event import VERSION
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, ENVELOPE, PROPERTIES

DRAFT = "https://json-schema.org/draft/2020-12/schema"
# Also a target that is a file: some projects' notices say that these are sent, as paths within the project.
_PATH = "^(?!/)(?!.*(?:^|/)[.][.](?:/|$))[0-9A-Za-z_.:+%/\u00aa-\U0010ffff-]{1,50}$"


def document(metrics: Sequence[Property], labels: Sequence[Property] = ()) -> dict[str, Any]:
    """The schema (draft 2020-12) of a message of the Segment protocol with these labels; it may have these metrics."""
    target = _object((*PROPERTIES, *metrics, *labels))
    command = target["properties"]["command"]
    target["properties"]["command"] = {**command, "pattern": _PATH}
    envelope = _object(ENVELOPE)
    return {
        "$schema": DRAFT,
        "title": f"make-metrics event, version {VERSION}",
        "description": "An event as it is sent: one for each target of a run, and one for a yes or a no.",
        **envelope,
        "properties": {
            **envelope["properties"],
            "properties": {"oneOf": [{"$ref": "#/$defs/target"}, {"$ref": "#/$defs/choice"}]},
        },
        "required": [*envelope["required"], "properties"],
        "$defs": {
            "target": {"description": "What one target did in one run.", **target},
            "choice": {"description": "A yes or a no.", **_object((*CHOICE, *labels))},
        },
    }


def _object(entries: Sequence[Property]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {entry.name: entry.schema() for entry in entries},
        "required": [entry.name for entry in entries if entry.always],
        "additionalProperties": False,
    }
