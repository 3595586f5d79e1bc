"""The JSON Schema says what `properties.registry.check` says."""

from __future__ import annotations

import json
from dataclasses import replace

from jsonschema import Draft202012Validator

from make_metrics.deliver.message import message
from make_metrics.properties.registry import OPTIONAL
from make_metrics.report import json_schema
from tests.support.events import EVENT, ID, message_with


def test_the_schema_is_valid_and_allows_what_the_check_allows() -> None:
    document = json_schema.document(OPTIONAL)
    Draft202012Validator.check_schema(document)
    validator = Draft202012Validator(json.loads(json.dumps(document)))
    examples = {entry.name: entry.example for entry in OPTIONAL}
    full = message(replace(EVENT, metrics=examples), name="n", anonymous_id=ID, metrics=OPTIONAL)
    assert full["properties"].keys() >= examples.keys()
    for allowed in (message_with(), full, message_with(target="a/b.o")):
        validator.validate(allowed)
    for forbidden in (
        message_with(target="/etc/passwd"), message_with(target="a/../b"), message_with(target="x y"),
        message_with(duration_ms=-1),
        {**message_with(), "context": {}}, message_with(metrics={"other": 1}) | {"properties": {"other": 1}}, {},
    ):  # fmt: skip
        assert not validator.is_valid(forbidden)
