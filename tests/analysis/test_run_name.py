"""Short names of runs: short, unique, found again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.analysis.run_name import LEAST, age, named, short_names, whole_name


@given(st.lists(st.text(max_size=20), unique=True, max_size=60))
def test_each_short_name_names_its_run_and_no_other(run_ids: list[str]) -> None:
    names = short_names(run_ids)
    assert set(names) == set(run_ids)
    for run_id, name in names.items():
        assert len(name) >= LEAST
        if name not in run_ids:  # an id that looks like a name goes first
            assert named(name, run_ids) == [run_id]


def test_a_run_is_named_by_its_id_too() -> None:
    assert named("h.1.2", ["h.1.2", "h.1.3"]) == ["h.1.2"]


def test_too_few_characters_name_nothing() -> None:
    assert named(whole_name("h.1.2")[:3], ["h.1.2"]) == []
    assert named(whole_name("h.1.2")[:4].upper(), ["h.1.2"]) == ["h.1.2"]


def test_last_counts_back() -> None:
    assert [age(text) for text in ("last", "last~0", "last~12", "last~", "last-1", "LAST", "~1")] == [
        0, 0, 12, None, None, None, None,
    ]  # fmt: skip
