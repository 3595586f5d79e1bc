"""The attacks of `python -m ci.adversary`: a few of each find nothing, and would find what they look for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.adversary import __main__ as adversary
from ci.adversary import disks, kills, secrets, sizes
from ci.adversary import kept as kept_figures
from ci.adversary.kept import Attack, kept, of_this_version, publish, published, read
from ci.adversary.page import PAGE, page
from ci.adversary.place import Figure, Place, shims
from ci.adversary.window import Window

needs_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


def wrong(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if figure.wrong]


@needs_linux
@pytest.mark.parametrize("shim", shims())
def test_kills_lose_no_line_but_those_of_killed_recorders_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shim: str
) -> None:
    """Rounds that an interrupted run has done are kept, and are not run again."""
    monkeypatch.setattr(kills, "_ROUNDS_OF_A_HOME", len(kills.VICTIMS))
    keep, rounds = tmp_path / "keep", len(kills.VICTIMS) + 2
    round_of, numbers = kills.Kills.round, []

    def interrupted(self: kills.Kills, number: int) -> None:
        numbers.append(number)
        if len(numbers) == rounds:
            raise KeyboardInterrupt
        round_of(self, number)

    monkeypatch.setattr(kills.Kills, "round", interrupted)
    with pytest.raises(KeyboardInterrupt):
        kills.attack(tmp_path / "kills", shim, rounds=rounds, seed=1, keep=keep)
    figures = kills.attack(tmp_path / "again", shim, rounds=rounds, seed=1, keep=keep)
    assert numbers[rounds:] == [*range(len(kills.VICTIMS), rounds)]
    assert f" in {rounds} runs of make" in figures[0].tried
    assert wrong(figures) == [], [figure.notes for figure in figures]


def test_no_planted_secret_leaves(tmp_path: Path) -> None:
    (figure,) = secrets.attack(tmp_path / "secrets", shims()[0], seed=1)
    assert figure.wrong == 0, figure.notes


@pytest.mark.parametrize(
    "text",
    [
        b".hidden.",
        b".HIDDEN.",
        b".68696464656e.",
        b".aGlkZGVu.",
        b".AaGlkZGVuIQ==",
        rb".\u0068\u0069\u0064\u0064\u0065\u006e",
    ],
)
def test_a_secret_is_found_in_the_usual_encodings(text: bytes) -> None:
    assert secrets.is_in("hidden", text)
    assert not secrets.is_in("another", text)


def test_nested_makes_are_recorded_once_each(tmp_path: Path) -> None:
    assert wrong(sizes.nested(tmp_path / "nested", shims()[0], count=5)) == []


def test_a_lost_target_is_counted(tmp_path: Path) -> None:
    place = Place(tmp_path / "place", shims()[0])
    place.write("t0 t1:\n\t@:\n")
    place.make("t0", "t1")
    assert sizes.combined(place, "two of three", 3, begun=0, differing=0).lost == 1


def test_a_build_that_differs_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disks, "SIZES_KIB", ())
    monkeypatch.setattr(disks, "LIMITS", (0,))
    monkeypatch.setattr(disks, "COMMANDS", ())
    monkeypatch.setattr(disks, "MAKEFILE", "all:\n\t@echo '$(MAKE_METRICS)'\n")
    _, limited = disks.attack(tmp_path / "disks", shims()[0], quick=False)
    assert limited.differing == 2


def test_the_page_says_commands_and_commits_and_has_every_figure() -> None:
    figures = [Figure("an attack", "3 times", lost=1, notes=["a note"])]
    kills = Attack("python -m ci.adversary --part 0.1", figures, commit="abc1234")
    text = page({("kills", "python"): kills, ("window", "compiled"): Attack("", [], Window(30.4, 20, 12, 10, 99))})
    assert "`python -m ci.adversary --part 0.1`" in text
    assert "| an attack | abc1234 | 3 times | 1 | 0 | 0 | 0 | 0 |" in text
    assert "- a note" in text
    assert "| compiled | 99 | 30 (20) | 12 (10) |" in text


def test_what_is_new_replaces_its_rows_on_the_page_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adversary, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(adversary, "FIGURES", tmp_path / "page.json")
    old = Attack("python -m ci.adversary", [Figure("an attack", "of before", notes=["of before"])], None, "0123456")
    publish(tmp_path / "page.json", {("secrets", "python"): old, ("fuzz", ""): old})
    kept(of_this_version(tmp_path), "fuzz", "", Attack("", [Figure("an attack", "new")], None, "89abcde"))
    assert adversary.main(["--keep", str(tmp_path), "--page"]) == 0
    text = (tmp_path / "page.md").read_text()
    assert "| an attack | 0123456 | of before |" in text
    assert "| an attack | 89abcde | new |" in text
    assert published(tmp_path / "page.json")["secrets", "python"] == old


def test_figures_that_are_kept_are_not_taken_again(tmp_path: Path) -> None:
    attack = Attack("python -m ci.adversary", [Figure("an attack", "3 times", notes=["a note"])], Window(4, 3, 2, 1, 9))
    assert read(tmp_path / "figures", "kills", "python") is None
    kept(tmp_path / "figures", "kills", "python", attack)
    assert read(tmp_path / "figures", "kills", "python") == attack
    assert read(tmp_path / "figures", "kills", "compiled") is None
    kept(None, "kills", "python", attack)
    assert read(None, "kills", "python") is None


def test_figures_of_another_version_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "shim/make_metrics/hot/line.py"
    source.parent.mkdir(parents=True)
    source.write_text("one = 1\n")
    monkeypatch.setattr(kept_figures, "ROOT", tmp_path)
    first = of_this_version(tmp_path / "keep")
    for name in ("shim/make_metrics/server/keeper.py", "shim/make_metrics/hot/__pycache__/line.pyc", "docs/page.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
        assert of_this_version(tmp_path / "keep") == first
    source.write_text("one = 2\n")
    assert of_this_version(tmp_path / "keep") != first
    assert of_this_version(None) is None


def test_the_page_in_the_repository_found_nothing_wrong() -> None:
    rows = [line.split("|")[4:9] for line in PAGE.read_text().splitlines() if line.count("|") == 9]
    assert len(rows) > 10
    assert [row for row in rows[2:] if set(map(str.strip, row)) != {"0"}] == []
