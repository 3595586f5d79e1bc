"""The description of the interface is what the receiver does: schemathesis asks what it allows, and what not."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from make_metrics.server.receiving.description import DESCRIPTION
from tests.support.team_receiver import message, served, sqlite_url


def test_a_message_of_ours_is_what_the_description_describes() -> None:
    schema = DESCRIPTION["paths"]["/v1/track"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    Draft202012Validator.check_schema(schema)
    sent = message("2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1", os="linux", jobs=4)
    assert list(Draft202012Validator(schema).iter_errors(sent)) == []


@pytest.mark.minute
@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with served(sqlite_url(tmp_path)) as receiver:
        key = base64.b64encode(f"{receiver.key}:".encode()).decode()
        words = [
            *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{receiver.url}/openapi.json"),
            *("--header", f"Authorization: Basic {key}", "--phases", "examples,coverage", "--seed", "1"),
            *("--generation-database", "none", "--suppress-health-check", "all", "--no-color"),
        ]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=800, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        receiver.ready()
