"""Metrics: properties of the event that are computed after the run. A failing metric affects no other.

Events come in, and go out with the values of the metrics that their project asks for. A distribution with metrics of
its own imports `Metric`, `RunFacts` and `TargetFacts` from here; `docs/metrics.md` says how.
"""

from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import Metric

__all__ = ["Metric", "RunFacts", "TargetFacts"]
