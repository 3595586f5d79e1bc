"""What this process has done, as Prometheus reads it (text format 0.0.4)."""

from __future__ import annotations

import resource
import sys
import threading
from collections import Counter
from collections.abc import Iterator

_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Numbers:
    """Counters of this process."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, int]] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._batches = 0
        self._stored = self._repeated = self._refused = self._erased = 0

    def answered(self, path: str, status: int) -> None:
        """Count an answer to a path of ours."""
        with self._lock:
            self._answers[path, status] += 1

    def batch(self, seconds: float, refused: int) -> None:
        """Count a batch that was stored: how long the sender waited, and what was refused of it."""
        with self._lock:
            self._batches += 1
            self._seconds += seconds
            self._refused += refused
            for bound in _BOUNDS_S:
                if seconds <= bound:
                    self._buckets[bound] += 1

    def stored(self, new: int, repeated: int) -> None:
        """Count events: new ones, and those that were there."""
        with self._lock:
            self._stored += new
            self._repeated += repeated

    def erased(self) -> None:
        """Count a request to erase that was fulfilled."""
        with self._lock:
            self._erased += 1

    def text(self, *, waiting: int) -> str:
        """All numbers. `waiting` is how many batches wait to be stored."""
        with self._lock:
            return "".join(f"{line}\n" for line in self._lines(waiting))

    def _lines(self, waiting: int) -> Iterator[str]:
        yield from _head("requests_total", "counter", "Answers by path and status.")
        for (path, status), count in sorted(self._answers.items()):
            yield f'make_metrics_requests_total{{path="{path}",status="{status}"}} {count}'
        yield from _head("events_total", "counter", "Events: stored, or there already.")
        yield f'make_metrics_events_total{{result="stored"}} {self._stored}'
        yield f'make_metrics_events_total{{result="repeated"}} {self._repeated}'
        yield from _head("refused_total", "counter", "Properties and events that the registry does not allow.")
        yield f"make_metrics_refused_total {self._refused}"
        yield from _head("erasures_total", "counter", "Requests to erase an id that were fulfilled.")
        yield f"make_metrics_erasures_total {self._erased}"
        yield from _head("batch_seconds", "histogram", "From a batch's last byte until it is stored.")
        for bound in _BOUNDS_S:
            yield f'make_metrics_batch_seconds_bucket{{le="{bound:g}"}} {self._buckets[bound]}'
        yield f'make_metrics_batch_seconds_bucket{{le="+Inf"}} {self._batches}'
        yield f"make_metrics_batch_seconds_sum {self._seconds:.6f}"
        yield f"make_metrics_batch_seconds_count {self._batches}"
        yield from _head("waiting_batches", "gauge", "Batches that wait to be stored.")
        yield f"make_metrics_waiting_batches {waiting}"
        yield from _head("peak_memory_bytes", "gauge", "The most memory that this process has held.")
        unit = 1 if sys.platform == "darwin" else 1024
        yield f"make_metrics_peak_memory_bytes {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP make_metrics_{name} {text}"
    yield f"# TYPE make_metrics_{name} {kind}"


NUMBERS = Numbers()
