"""A run's parts as bytes."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given

from make_metrics.combine import saved_run
from make_metrics.combine.record import Contents
from make_metrics.combine.run import Run, gather
from tests.support.generated_records import CONTENTS
from tests.support.records import run_with


@given(CONTENTS)
def test_a_loaded_run_equals_the_saved_one(contents: Contents) -> None:
    run = gather("r", contents)
    assert saved_run.load(saved_run.dump(run)) == run


def test_a_run_that_an_earlier_version_saved_has_no_usage() -> None:
    run = run_with("r", "a", "b")
    document = json.loads(zlib.decompress(saved_run.dump(run)))
    for _, _, values in document["work"]:
        del values[-2:]
    loaded = saved_run.load(zlib.compress(json.dumps(document).encode()))
    assert loaded.work == {key: work._replace(cpu_us=None, peak_kib=None) for key, work in run.work.items()}


@pytest.mark.parametrize("data", [b"", b"x", saved_run.dump(Run("r"))[:-5]])
def test_damaged_bytes_are_no_run(data: bytes) -> None:
    with pytest.raises(ValueError, match="no saved run"):
        saved_run.load(data)
