"""Measures what the team's pages cost on a store of many events: `python -m ci.bench.pages [--database URL]`.

Without a database a SQLite file is filled in a directory that goes at the end. A database that is named is filled only
if it has no project `bench` yet, so that a later run measures the same. With `--copies` the made-up events are brought
in once, and then copied within PostgreSQL into other weeks: ten million that way are a matter of minutes.

Prints a line for each page: the median of milliseconds on the clock and of processor time of this process, and the
least of the latter, which says most on a busy machine. PostgreSQL's own time is on the clock only. What else the
machine does is in the first number, so the load is printed too.
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

from sqlalchemy import func, select, text
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
FILTERS = ("", "system=linux&jobs=8", "days=364", "days=364&system=linux&jobs=8")


def main() -> int:
    """Fill, measure, print; 0."""
    parser = argparse.ArgumentParser(prog="python -m ci.bench.pages", description=__doc__)
    parser.add_argument("--database", metavar="URL", help="sqlite:///PATH or postgresql://USER@HOST/NAME")
    parser.add_argument("--events", type=int, default=2_000_000, help="how many to make up, about")
    parser.add_argument("--days", type=int, default=DAYS, help="over how many days, a multiple of seven")
    parser.add_argument("--copies", type=int, default=1, help="PostgreSQL: how many of them are made of each event")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(given.database or f"sqlite:///{folder}/events.sqlite3")
        project = _filled(database, given.events, given.days, given.copies)
        _measure(database, project, given.rounds)
        database.close()
    return 0


def _filled(database: Database, events: int, days: int, copies: int) -> int:
    if _PROJECT not in [project.name for project in list_projects(database)]:
        add_project(database, _PROJECT)
        runs = events / copies / (_PEOPLE * 0.83 * days * 5 / 7 * 0.8 * _PER_RUN)
        begun = time.perf_counter()
        today = time.time_ns() // 1_000 // DAY_US
        imported = import_messages(database, _PROJECT, messages(today=today, days=days, people=_PEOPLE, runs=runs))
        if copies > 1:
            _copy(database, copies, today - days, days)
        filled = time.perf_counter()
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))
        refreshed = refresh(database)
        made = time.perf_counter() - filled
        print(
            f"{imported.new:,} events, {copies} times, in {filled - begun:.0f} s, "
            f"the numbers of {refreshed} days in {made:.0f} s"
        )
    with database.reading() as connection:
        project = project_id(connection, _PROJECT)
        count = connection.scalar(select(func.count()).select_from(EVENTS).where(EVENTS.c.project == project))
    print(f"{count:,} events on {'PostgreSQL' if database.is_postgresql else 'SQLite'}, {os.cpu_count()} processors")
    return project


# A copy lies so many weeks later; what would be after the last day is put before it all. Its ids follow from the first
# ones, so that a run stays whole, and a day has two commits, as it has at first.
_COPY = """
    INSERT INTO events SELECT project, md5(message_id::text || CAST(:number AS text))::uuid, at_us, person, target, cut,
        event, own_ms, whole_ms, own_bucket, whole_bucket, status, goal, lines, level, parallel, jobs, on_default,
        at_us / 86400000000 * 86400 + 25200 + commit_s % 2 * 3600, commit_offset_min,
        md5(run::text || CAST(:number AS text))::uuid, md5(parent::text || :number)::uuid, version, is_test, rest
    FROM (
        SELECT *, :start + (started_us - :start + :moved) % :whole + :number AS at_us FROM made
    ) AS moved
"""


def _copy(database: Database, copies: int, first: int, days: int) -> None:
    """Copy all events so often, and mark all days."""
    with database.writing() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("CREATE TEMPORARY TABLE made ON COMMIT DROP AS SELECT * FROM events"))
        for number in range(1, copies):
            values = {"number": number, "moved": 7 * number * DAY_US, "start": first * DAY_US, "whole": days * DAY_US}
            connection.execute(text(_COPY), values)


def _measure(database: Database, project: int, rounds: int) -> None:
    settings = ServerSettings(url="http://localhost", user_header=_HEADER, proxies=("bench",))
    application = Starlette(routes=Pages(database, settings).routes())
    with database.reading() as connection:
        run = connection.scalar(select(EVENTS.c.run).where(EVENTS.c.project == project).limit(1))
    chosen = {"target": "target=test", "run": f"run={run}"}
    load = os.getloadavg()[0]
    print(f"{'page':<34} {'clock':>9} {'processor':>10} {'least':>10}")
    for name in VIEWS:
        for query in FILTERS:
            query = "&".join(filter(None, [query, chosen.get(name, "")]))
            clock, processor = [], []
            for _ in range(rounds):
                begun, begun_processor = time.perf_counter(), time.process_time()
                status = asyncio.run(_get(application, f"/projects/{project}/{name}", query))
                clock.append(1_000 * (time.perf_counter() - begun))
                processor.append(1_000 * (time.process_time() - begun_processor))
                if status != 200:
                    raise SystemExit(f"{name}?{query}: status {status}")
            shown = f"{name}{'?' * bool(query)}{query}".partition("run=")[0]
            print(
                f"{shown:<34} {median(clock):>6.0f} ms {median(processor):>7.0f} ms {min(processor):>7.0f} ms",
                flush=True,
            )
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
