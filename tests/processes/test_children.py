"""Whether this process may start others."""

from __future__ import annotations

import pytest

from make_metrics.metrics.child import Child
from make_metrics.metrics.trouble import NoProcessError
from make_metrics.processes import children
from make_metrics.sinks.guarded import ProcessError
from make_metrics.sinks.packages.process import Process


def test_once_it_is_told_none_is_started_for_metrics_or_sinks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_none", [])
    assert children.may_start()
    children.start_none()
    assert not children.may_start()
    with pytest.raises(NoProcessError):
        Child("length")
    with pytest.raises(ProcessError, match="no process may be started"):
        Process({"kind": "odd"}, 1.0)
