"""The JSON Schema of make-metrics.toml and the code that reads such files agree about which are right."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci import reference, settings_schema
from make_metrics.project import settings_file
from make_metrics.project.settings_template import TEXT
from make_metrics.sinks.kinds import BUILT_IN

SCHEMA = json.loads(reference.SCHEMA.read_text())
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)

WORDS = [
    "",
    "Example",
    "a b",
    "make.target.run",
    "traces",
    "logs",
    "x" * 40,
    "y" * 301,
    "zeile\n2",
    "a/b",
    "name",
    "main",
]
ADDRESSES = [
    "https://a.example.org", "https://a.example.org:4318/v1", "http://localhost:4318", "http://127.0.0.1", "http://[::1]:1",
    "http://a.example.org", "http://localhost.example.org", "https://", "https://me@a.example.org", "https://a.org/?q=1",
    "https://a.org/#a", "ftp://a.org", "https:// a.org", "HTTPS://a.org", "http://LocalHost:1", "https://[::2]:3",
    "a.org", "https://a.org:x", "https://a.org:99999", "https://a.org:443/", "http://localhost@a.org", "https://a.org/a@b",
    "https://a.org/v1/traces", "https://a.org//v1//metrics//", "https://a.org/v1/batch/", "https://a.org/v1/traces/x",
]  # fmt: skip
DSNS = [
    "https://0ab@sentry.example.org/1",
    "http://0ab@localhost:9000/1",
    "http://0ab@sentry.example.org/1",
    "https://a.org/1",
]
SCALARS = st.sampled_from([*WORDS, *ADDRESSES, *DSNS, 1, True, False, 1.5, []])
TABLES = st.fixed_dictionaries(
    {"type": st.sampled_from([*BUILT_IN])},
    optional={
        "host": st.sampled_from(ADDRESSES) | SCALARS,
        "write-key": st.sampled_from(["abc", "a b", "PUBLIC-KEY"]) | SCALARS,
        "name": SCALARS,
        "signals": st.sampled_from(["traces", "metrics", "both"]),
        "service": SCALARS,
        "key-header": SCALARS,
        "unknown": SCALARS,
    },
)
METRICS = st.lists(st.sampled_from(["os", "jobs", "Bad", "", 3]), max_size=3) | SCALARS
LABELS = st.dictionaries(st.sampled_from(["team", "Team", "t" * 31, "a b", *"abcdefghi"]), SCALARS) | SCALARS
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(settings_file._RULES, SCALARS),
        "name": st.sampled_from(["Example", " "]) | SCALARS,
        "collected-by": st.just("a team") | SCALARS,
        "purpose": st.just("a purpose") | SCALARS,
        "send-opt-out": st.booleans() | SCALARS,
        "metrics": METRICS,
        "labels": LABELS,
        "sinks": st.lists(TABLES, max_size=9) | SCALARS,
        "crash-reports-dsn": st.sampled_from(DSNS),
        "nam": SCALARS,
    },
)


def problems(document: dict[str, Any]) -> list[str]:
    """What the code says about a document, for a contributor who allows clear text everywhere."""
    with mock.patch.object(settings_file, "_require_allowed"):
        return settings_file.parse(document, directory=Path("/"))[1]


@settings(max_examples=600)
@given(DOCUMENTS)
def test_the_schema_and_the_code_agree(document: dict[str, Any]) -> None:
    assert VALIDATOR.is_valid(document) == (problems(document) == []), problems(document)


@settings(max_examples=300)
@given(TABLES)
def test_they_agree_about_a_receiver(table: dict[str, Any]) -> None:
    document = {"name": "a", "collected-by": "b", "purpose": "c", "sinks": [table]}
    assert VALIDATOR.is_valid(document) == (problems(document) == []), problems(document)


@pytest.mark.parametrize("address", ADDRESSES)
def test_they_agree_about_an_address(address: str) -> None:
    document = {"name": "a", "collected-by": "b", "purpose": "c", "sinks": [{"type": "otlp", "host": address}]}
    assert VALIDATOR.is_valid(document) == (problems(document) == []), problems(document)


def test_the_schema_is_one_and_the_template_fits() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    VALIDATOR.validate(tomllib.loads(TEXT))


def test_a_kind_of_another_package_may_have_any_keys() -> None:
    document = {"name": "a", "collected-by": "b", "purpose": "c", "sinks": [{"type": "acme", "region": "eu"}]}
    assert VALIDATOR.is_valid(document)


def test_every_key_says_what_it_means() -> None:
    assert all(settings_schema.descriptions()[name] for name in SCHEMA["properties"])
