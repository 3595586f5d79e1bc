"""Metrics: properties of the event that are computed after the run, each within a boundary of its own.

A distribution that brings one imports from here; `docs/metrics.md` says how.
"""

from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import Metric

__all__ = ["Metric", "RunFacts", "TargetFacts"]
