"""The thread that makes roll-ups again where events changed, and deletes what is older than its project keeps."""

from __future__ import annotations

import logging
import threading
import time

from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.keeping import delete_old
from make_metrics.server.storage.rollups import refresh

_REFRESH_S = 5.0
_RESTS = 4  # times as long as the work before
_LONGEST_S = 60.0
_DELETE_S = 3_600.0
_DAYS = 40  # at once, before the thread looks whether it shall end
_LOG = logging.getLogger("make_metrics")


class Keeper:
    """Does both until it is stopped. Several processes may do so on one database."""

    def __init__(self, database: Database, *, refresh_s: float = _REFRESH_S) -> None:
        """Start nothing yet."""
        self._database, self._refresh_s = database, refresh_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the few days that it is at."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        delete_at = time.monotonic()
        rest_s = self._refresh_s
        while not self._ended.wait(rest_s):
            try:
                begun = time.monotonic()
                refresh(self._database, most_days=_DAYS)
                # A day of very many events must not busy the processor all the time.
                rest_s = max(self._refresh_s, min(_RESTS * (time.monotonic() - begun), _LONGEST_S))
                if time.monotonic() >= delete_at:
                    delete_at = time.monotonic() + _DELETE_S
                    delete_old(self._database, now_us=time.time_ns() // 1000)
            except AwayError as error:
                _LOG.warning("roll-ups wait: %s", error)
            except Exception:
                _LOG.exception("roll-ups failed")
