"""What one sweep works with, and what became of it."""

from __future__ import annotations

import math
import time

from make_metrics.dataclass import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from make_metrics.deliver.permissions import ProjectCache
    from make_metrics.files.paths import Paths
    from make_metrics.metrics.collector import Collector
    from make_metrics.store.outbox import Outbox
    from make_metrics.store.store import Store


class PausedError(Exception):
    """The sweep's time is over. What is done of a run is stored, and the next sweep goes on with it."""


@dataclass(frozen=True, slots=True)
class Context:
    """What one sweep works with. `now_ns` is its start in nanoseconds since the epoch.

    `give_up` is when it ends on the monotonic clock, in seconds, but not before it has had the processor until `fair`,
    on this process's clock (`time.process_time`). `written` are the runs that it has written.
    """

    paths: Paths
    store: Store
    outbox: Outbox
    collector: Collector
    projects: ProjectCache
    now_ns: int
    give_up: float = math.inf
    fair: float = -math.inf
    written: set[str] = field(default_factory=set)

    def check_time(self) -> None:
        """Raise PausedError if the sweep's time is over."""
        if self.time_is_up():
            raise PausedError

    def time_is_up(self) -> bool:
        """Whether the sweep's time is over."""
        return time.monotonic() > self.give_up and time.process_time() >= self.fair


@dataclass(slots=True)
class Swept:
    """The result of a sweep: how many records were combined, left for later, and put aside; lines for the user.

    `unfinished` is whether its time was over before all ended makes were combined.
    """

    combined: int = 0
    left: int = 0
    put_aside: int = 0
    unfinished: bool = False
    problems: list[str] = field(default_factory=list)
