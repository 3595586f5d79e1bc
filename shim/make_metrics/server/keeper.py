"""The threads that make roll-ups again where events changed, delete what is older than its project keeps, and make
SQLite's checkpoints.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time

from make_metrics.server.memory import give_back
from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.keeping import delete_old
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.weeks import make as make_weeks

_REFRESH_S = 5.0
_RESTS = 4  # times as long as the work before
_LONGEST_S = 60.0
_DELETE_S = 3_600.0
_DAYS, _WEEKS = 40, 4  # at once, before the thread looks whether it shall end
_CHECKPOINT_S, _COMMITS = 0.5, 8
_LOG = logging.getLogger("make_metrics")


class Keeper:
    """Does all of that until it is stopped. Several processes may do so on one database."""

    def __init__(self, database: Database, *, refresh_s: float = _REFRESH_S) -> None:
        """Start nothing yet."""
        self._database, self._refresh_s = database, refresh_s
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, name="keeper", daemon=True)]
        if not database.is_postgresql:
            self._threads.append(threading.Thread(target=self._run_checkpoints, name="checkpoints", daemon=True))

    def start(self) -> None:
        """Start the threads."""
        self._database.checkpoint_apart()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads, after the few days that they are at."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        delete_at = time.monotonic()
        rest_s = self._refresh_s
        while not self._ended.wait(rest_s):
            try:
                begun = time.monotonic()
                refresh(self._database, most_days=_DAYS)
                make_weeks(self._database, most=_WEEKS)
                # A day of very many events must not busy the processor all the time.
                rest_s = max(self._refresh_s, min(_RESTS * (time.monotonic() - begun), _LONGEST_S))
                if time.monotonic() >= delete_at:
                    delete_at = time.monotonic() + _DELETE_S
                    delete_old(self._database, now_us=time.time_ns() // 1000)
                give_back()
            except AwayError as error:
                _LOG.warning("roll-ups wait: %s", error)
            except Exception:
                _LOG.exception("roll-ups failed")

    def _run_checkpoints(self) -> None:
        while not self._ended.wait(_CHECKPOINT_S):
            try:
                self._database.checkpoint(least_commits=_COMMITS)
            except (AwayError, sqlite3.Error) as error:
                _LOG.warning("a checkpoint waits: %s", error)
            except Exception:
                _LOG.exception("a checkpoint failed")
