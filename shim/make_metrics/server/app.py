"""The whole application: what receives, what shows, and what keeps the roll-ups and the retention right."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette

from make_metrics.server.keeper import Keeper
from make_metrics.server.memory import use_few_heaps
from make_metrics.server.pages.app import Pages
from make_metrics.server.receiving.routes import Receiver
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import Database


def application(database: Database, settings: ServerSettings) -> Starlette:
    """The application over an open database. Its lifespan starts and stops the threads that write."""
    receiver, keeper = Receiver(database), Keeper(database)
    pages = Pages(database, settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        use_few_heaps()
        receiver.start()
        keeper.start()
        try:
            yield
        finally:
            keeper.stop()
            receiver.stop()

    return Starlette(routes=[*receiver.routes(), *pages.routes()], lifespan=lifespan)
