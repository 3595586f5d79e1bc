"""What a forked receiver runs: loaded once, by multiprocessing's fork server, and forked from there."""

from __future__ import annotations

import logging
import os

from make_metrics.server import listening
from make_metrics.server.app import application
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import open_database


def run(database_url: str, port: int, tick_s: float) -> None:
    """Serve until killed; slow clients are looked for every `tick_s` seconds."""
    listening._TICK_S = tick_s
    logging.disable()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    database = open_database(database_url)
    settings = ServerSettings(url=f"http://127.0.0.1:{port}")
    listening.serve(application(database, settings), listening.listen("127.0.0.1", port))
