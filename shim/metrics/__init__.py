"""Metrics: properties of the event that are computed after the run, each within a boundary of its own.

A distribution that brings one imports from here; `docs/metrics.md` says how.
"""

from shim.metrics.facts import RunFacts, TargetFacts
from shim.metrics.metric import Metric

__all__ = ["Metric", "RunFacts", "TargetFacts"]
