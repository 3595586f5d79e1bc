"""The thread that stores: requests that wait together become one transaction, and so one write to the disk."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Sequence

from make_metrics.server.receiving.numbers import NUMBERS
from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.rows import Batch
from make_metrics.server.storage.write import Writer

_MOST_WAITING = 256  # requests, of half a megabyte at most
_MOST_ROWS = 2_000  # of one transaction
_LOG = logging.getLogger("make_metrics")

_Waiting = tuple[Batch, asyncio.AbstractEventLoop, "asyncio.Future[int]"]


class BusyError(Exception):
    """Too many requests wait already: the sender tries again later."""


class Committer:
    """Stores batches in the order in which they come. `start` before, `stop` after."""

    def __init__(self, database: Database) -> None:
        """Start nothing yet."""
        self._writer = Writer(database)
        self._waiting: queue.Queue[_Waiting | None] = queue.Queue(_MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, and end the thread."""
        self._waiting.put(None)
        self._thread.join()

    @property
    def length(self) -> int:
        """How many requests wait."""
        return self._waiting.qsize()

    async def store(self, batch: Batch) -> int:
        """Store a batch durably; the number of events that were not there yet. Raises AwayError or BusyError."""
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[int] = loop.create_future()
        try:
            self._waiting.put_nowait((batch, loop, stored))
        except queue.Full:
            raise BusyError("too many requests wait") from None
        return await stored

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            together, more = self._together(first)
            self._store(together)
            if not more:
                return

    def _together(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        """The requests of one transaction, and whether more may come."""
        together, rows = [first], len(first[0].rows)
        while rows < _MOST_ROWS:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return together, False
            together.append(following)
            rows += len(following[0].rows)
        return together, True

    def _store(self, together: Sequence[_Waiting]) -> None:
        try:
            new = self._writer.store([batch for batch, _, _ in together])
        except AwayError as error:
            self._answer(together, error)
        except Exception as error:
            _LOG.exception("storing failed")
            if len(together) == 1:
                self._answer(together, error)
                return
            for waiting in together:  # the fault of one is not the fault of all
                self._store([waiting])
        else:
            NUMBERS.stored(new, sum(len(batch.rows) for batch, _, _ in together) - new)
            self._answer(together, new)

    def _answer(self, together: Sequence[_Waiting], result: int | Exception) -> None:
        for _, loop, stored in together:
            loop.call_soon_threadsafe(_settle, stored, result)


def _settle(stored: asyncio.Future[int], result: int | Exception) -> None:
    if stored.done():  # the client has gone
        return
    if isinstance(result, Exception):
        stored.set_exception(result)
    else:
        stored.set_result(result)
