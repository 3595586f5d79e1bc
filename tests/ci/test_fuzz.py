"""Damaged files: nothing fails in a short run, and a fault that damage brings to light would be found."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.fuzz.__main__ import fuzz, keep_input
from ci.fuzz.examine import Examiner
from ci.fuzz.inputs import Input, inputs
from ci.fuzz.sample import Sample
from make_metrics.combine.record import Contents, parse
from make_metrics.consent import decision_file
from make_metrics.sweep import record_file

COUNT = 20  # numbers, always the same: each night new ones are tried for an hour
RECORD, DECISION, STORE = Path("home/state/records/r.rec"), Path("home/config/consent/p.json"), Path("s/store.sqlite3")
FILES = {RECORD: b"R 1 r i ;\nL m t - 0 1 2 3 0 0 1 1 ;\n", DECISION: b'{"format": 1}', STORE: bytes(9000)}


def test_no_damaged_file_stops_a_command_or_make(tmp_path: Path) -> None:
    result = fuzz(seed=1, count=COUNT, keep=tmp_path / "kept")
    assert result.failures == []
    assert result.inputs > 5
    assert result.commands > 20


def test_a_number_gives_the_same_inputs_each_time() -> None:
    assert [inputs(seed, FILES) for seed in range(20)] == [inputs(seed, FILES) for seed in range(20)]


def test_every_file_is_mutated_and_generated() -> None:
    found = {
        (given.name, given.how == "generated", bool(given.kind)) for seed in range(500) for given in inputs(seed, FILES)
    }
    assert found >= {(name, *how) for name in FILES for how in ((True, False), (False, False), (False, True))}


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return Sample(tmp_path / "sample")


def examined(examiner: Examiner, suffix: str, content: bytes = b"") -> str:
    """What is found if a file of the sample has another content, its first entry torn if that is not given."""
    kept = examiner.sample.kept
    name = next(name for name in examiner.sample.files() if name.suffix == suffix)
    content = content or (kept / name).read_bytes().replace(b" ;\n", b"\n", 1)
    problems = [examiner.examine(Input(seed, name, "by hand", content)) for seed in range(2, 8)]
    return "".join(map("".join, problems))


def test_a_traceback_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    examiner = Examiner(sample)
    assert examined(examiner, ".json", b"damaged") == ""

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(decision_file, "read", fails)
    found = examined(examiner, ".json", b"damaged")
    assert "ended with 3" in found
    assert "ZeroDivisionError" in found


def test_a_lost_line_is_found(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    examiner = Examiner(sample)
    assert examined(examiner, ".rec") == ""

    def all_or_nothing(content: bytes) -> Contents:
        contents = parse(content)
        return Contents(torn=1) if contents.torn else contents

    monkeypatch.setattr(record_file, "parse", all_or_nothing)
    assert "recipe lines are lost" in examined(examiner, ".rec")


def test_an_input_that_fails_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = Input(7, RECORD, "flip", b"content")
    assert keep_input(given, ["runs: ended with 3"], tmp_path / "kept").startswith("## seed 7: ")
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [b"content"]
    assert "seed 7" in capsys.readouterr().out
