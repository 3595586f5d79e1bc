"""The nightly benchmark's history and its rule: real changes are told, chance and noise are not."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from ci.bench import history
from ci.bench.history import Comparison, compare, figures, noise, read_history
from tests.support.project import ROOT

LINE = "lines: compound, sh: compiled, SHELL hook: cpu"


@pytest.fixture
def results() -> dict[str, Any]:
    """What a real run of the benchmark wrote."""
    document: dict[str, Any] = json.loads((ROOT / "docs/performance.json").read_text())
    return document


def test_figures_are_ratios_to_plain_make_of_our_ways(results: dict[str, Any]) -> None:
    found = figures(results)
    ways = results["lines"]["compound, sh"]
    assert found[LINE] == ways["compiled, SHELL hook"]["cpu"]["median"] / ways["plain make"]["cpu"]["median"]
    assert found["memory: compiled, -j64: KiB"] == results["waiting"]["compiled, -j64"]["private_kib"]
    assert not [name for name in found if "plain" in name or "wrapper" in name]
    assert {name.partition(":")[0] for name in found} == {"lines", "makes", "memory"}


RELEASE = [1.50, 1.52, 1.48, 1.51, 1.49]
STEADY = [1.50, 1.51, 1.49, 1.50, 1.52, 1.50]


@pytest.mark.parametrize(
    ("now", "nights", "verdict"),
    [
        ([1.70, 1.71, 1.69, 1.70, 1.72], STEADY, "slower"),
        ([1.30, 1.31, 1.29, 1.30, 1.32], STEADY, "faster"),
        ([1.70, 1.71, 1.69, 1.70, 1.72], [], "slower"),  # a history of no nights has no say
        ([1.70, 1.71, 1.51, 1.70, 1.72], STEADY, ""),  # one run is like the release
        ([1.70, 1.71], STEADY, ""),  # too few
        ([1.55, 1.55, 1.55, 1.55, 1.55], STEADY, ""),  # each is above, by less than 5%
        ([1.70, 1.71, 1.69, 1.70, 1.72], [1.5, 1.7, 1.5, 1.7, 1.5, 1.7], ""),  # from night to night it differs as much
        ([1.70, 1.71, 1.69, 1.70, 1.72], [1.5] * 5 + [1.7] * 5, "slower"),  # one step is no noise
    ],
)
def test_the_rule(now: list[float], nights: list[float], verdict: str) -> None:
    (found,) = compare([{LINE: value} for value in RELEASE], [{LINE: value} for value in now],
                       [{LINE: value} for value in nights])  # fmt: skip
    assert found.verdict == verdict


def test_chance_alone_is_rarely_told() -> None:
    """By the first part of the rule alone 2 comparisons of 252 would be: one slower, one faster."""
    chance = random.Random(19)  # noqa: S311 - only chance

    def runs() -> list[float]:
        return [chance.gauss(1.5, 0.15) for _ in range(5)]

    told = sum(bool(Comparison(LINE, runs(), runs(), None).verdict) for _ in range(5_000))
    assert told < 5_000 * 2 / 252 * 1.3


def test_noise_is_what_following_nights_differ() -> None:
    assert noise([1.0, 1.1, 1.0, 1.1]) is None
    assert noise([1.0] * 5 + [2.0] * 5) == 0
    assert noise([1.0, 1.1] * 5) == pytest.approx(0.1, abs=0.01)


def test_a_new_and_a_gone_figure_are_not_compared() -> None:
    assert [each.name for each in compare([{"a": 1, "gone": 1}], [{"a": 1, "new": 1}], [])] == ["a"]


def test_the_command(tmp_path: Path, results: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    kept, release, now = tmp_path / "kept/history.jsonl", tmp_path / "release.json", tmp_path / "now.json"
    release.write_text(json.dumps(results))
    now.write_text(json.dumps(results))
    assert history.main([str(kept), "--now", str(now), "--name", "first"]) == 0
    assert "no release to compare with" in capsys.readouterr().out

    results["lines"]["compound, sh"]["compiled, SHELL hook"]["cpu"]["median"] *= 1.2
    now.write_text(json.dumps(results))
    files = ["--now", *[str(now)] * 3, "--release", *[str(release)] * 3]
    assert history.main([str(kept), *files, "--name", "second"]) == 1
    output = capsys.readouterr().out
    assert f"- {LINE}: slower, +20%\n" in output
    assert output.count("slower") == 2, "in the list and in the table"

    with kept.open("a") as file:
        file.write('{"format": 99}\nhalf a li')
    assert [entry["name"] for entry in read_history(kept)] == ["first", "second"]
