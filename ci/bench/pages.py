"""Measures what the team's pages cost on a store of many events: `python -m ci.bench.pages [--database URL]`.

Without a database a SQLite file is filled in a directory that goes at the end. A database that is named is filled only
if it has no project `bench` yet, so that a later run measures the same. Prints a line for each page: the median of
milliseconds on the clock and of processor time of this process. PostgreSQL's own time is on the clock only. What else
the machine does is in the first number, so the load is printed too.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from statistics import median
from typing import Any

from sqlalchemy import func, select
from starlette.applications import Starlette

from make_metrics.server.demo import DAYS, messages
from make_metrics.server.pages.app import VIEWS, Pages
from make_metrics.server.projects.projects import add_project, list_projects, project_id
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import Database, open_database
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import DAY_US, EVENTS

_PROJECT = "bench"
_PEOPLE = 200
_PER_RUN = 1.37  # messages of a made-up run, of a person that is there all the time
_HEADER = "x-bench"
FILTERS = ("", "system=linux&jobs=8", "days=364")


def main() -> int:
    """Fill, measure, print; 0."""
    parser = argparse.ArgumentParser(prog="python -m ci.bench.pages", description=__doc__)
    parser.add_argument("--database", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME")
    parser.add_argument("--events", type=int, default=2_000_000, help="how many to make up, about")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(given.database or f"sqlite:///{folder}/events.sqlite3")
        project = _filled(database, given.events)
        _measure(database, project, given.rounds)
        database.close()
    return 0


def _filled(database: Database, events: int) -> int:
    if _PROJECT not in [project.name for project in list_projects(database)]:
        add_project(database, _PROJECT)
        runs = events / (_PEOPLE * 0.83 * DAYS * 5 / 7 * 0.8 * _PER_RUN)
        begun = time.perf_counter()
        today = time.time_ns() // 1_000 // DAY_US
        imported = import_messages(database, _PROJECT, messages(today=today, people=_PEOPLE, runs=runs))
        filled = time.perf_counter()
        days = refresh(database)
        made = time.perf_counter() - filled
        print(f"{imported.new:,} events in {filled - begun:.0f} s, the numbers of {days} days in {made:.0f} s")
    with database.reading() as connection:
        project = project_id(connection, _PROJECT)
        count = connection.scalar(select(func.count()).select_from(EVENTS).where(EVENTS.c.project == project))
    print(f"{count:,} events on {'PostgreSQL' if database.is_postgresql else 'SQLite'}, {os.cpu_count()} processors")
    return project


def _measure(database: Database, project: int, rounds: int) -> None:
    settings = ServerSettings(url="http://localhost", user_header=_HEADER, proxies=("bench",))
    application = Starlette(routes=Pages(database, settings).routes())
    load = os.getloadavg()[0]
    print(f"{'page':<34} {'clock':>9} {'processor':>10}")
    for name in VIEWS:
        for query in FILTERS:
            query = "&".join(filter(None, [query, "target=test" if name == "target" else ""]))
            clock, processor = [], []
            for _ in range(rounds):
                begun, begun_processor = time.perf_counter(), time.process_time()
                status = asyncio.run(_get(application, f"/projects/{project}/{name}", query))
                clock.append(1_000 * (time.perf_counter() - begun))
                processor.append(1_000 * (time.process_time() - begun_processor))
                if status != 200:
                    raise SystemExit(f"{name}?{query}: status {status}")
            shown = f"{name}{'?' * bool(query)}{query}"
            print(f"{shown:<34} {median(clock):>6.0f} ms {median(processor):>7.0f} ms", flush=True)
    print(f"load {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end")


async def _get(application: Starlette, path: str, query: str) -> int:
    """Ask for a page as a proxy that is trusted does; the status."""
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(answer: MutableMapping[str, Any]) -> None:
        if answer["type"] == "http.response.start":
            statuses.append(answer["status"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(_HEADER.encode(), b"somebody")],
        "client": ("bench", 0),
        "scheme": "http",
        "server": ("localhost", 80),
        "http_version": "1.1",
    }
    asked: Callable[..., Awaitable[None]] = application
    await asked(scope, receive, send)
    return statuses[0]


if __name__ == "__main__":
    sys.exit(main())
