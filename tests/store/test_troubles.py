"""The store's count of troubles with metrics."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from make_metrics.metrics.trouble import FAILED, Trouble
from make_metrics.store import database
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.troubles import KEEP_NS, LIMIT, Troubles


def test_the_hundred_latest_troubles_are_kept_for_90_days(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "store")) as connection:
        troubles = Troubles(connection)
        for number in range(LIMIT + 20):
            troubles.add([Trouble(f"m{number:03}", FAILED, "x\n" * 1000)], now_ns=DAY_NS + number)
        troubles.prune(now_ns=DAY_NS + LIMIT + 20)
        counts = troubles.all()
        assert [count.metric for count in counts] == [f"m{number:03}" for number in range(20, LIMIT + 20)]
        assert all(len(count.said) <= 200 and count.said.isprintable() for count in counts)
        troubles.prune(now_ns=2 * DAY_NS + KEEP_NS)
        assert troubles.all() == []
