"""Which cases of a matrix a run tries: one in some, by turns, so that each value of each parameter is among them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pytest

from make_metrics.setup import fragment

OPTION = "--all-combinations"
MARK = "one_in"
_MAKE_AND_SHIM = ("any_make", "compiled")


def chosen(items: Iterable[pytest.Item], config: pytest.Config) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests to run, and those that are left out for time: each night all are run.

    Each case that is tried with each make and both shims is run with every make and with both shims, but not with each
    pair of them. Of a test that is marked `one_in(3)` a third of the cases is run. All are run where a test is named
    (`tests/builds/test_umask.py::test_name`), and where there is one shim only.
    """
    named = any("::" in argument for argument in config.args)
    everything = named or config.getoption(OPTION) or fragment.launcher() is None
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    numbers = _Numbers()
    for item in items:
        (kept if everything or _has_its_turn(item, numbers) else left).append(item)
    return kept, left


class _Numbers:
    """Numbers the values of each parameter of each test in the order in which they come.

    pytest's own numbers are those of a whole row where parametrize is written more than once.
    """

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], list[object]] = {}

    def of(self, test: str, name: str, value: object) -> int:
        """The number of a parameter's value, from 0."""
        seen = self._seen.setdefault((test, name), [])
        if value not in seen:
            seen.append(value)
        return seen.index(value)


def _has_its_turn(item: pytest.Item, numbers: _Numbers) -> bool:
    call = getattr(item, "callspec", None)
    if call is None:
        return True
    test = item.nodeid.partition("[")[0]
    values = {name: numbers.of(test, name, value) for name, value in call.params.items()}
    pair = [values.pop(name) for name in _MAKE_AND_SHIM] if set(_MAKE_AND_SHIM) <= set(values) else []
    # Which pair comes first differs from case to case, and is the same in each process and each run.
    if pair and (sum(pair) + zlib.crc32(f"{test} {sorted(values.items())}".encode())) % 2:
        return False
    mark = item.get_closest_marker(MARK)
    return mark is None or sum(values.values()) % mark.args[0] == 0
