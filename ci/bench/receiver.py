"""What the receiver takes: events a second from eight clients, the time of a batch, and memory.

`python -m ci.bench.receiver --database sqlite:///FILE` or `postgresql://...`; an empty database. Real processes on
loopback, 100 events a batch, gzip, with the client of this file. The clients run on the same machine and take their
share of it; the processor time of the receiver alone does not depend on what else runs.

An hour of it, with the receiver's memory at each minute: `--seconds 3600 --rate 1000`, a thousand events a second,
which leaves the machine to others. Above a minute the clients make their batches as they go, and so take more of the
processor.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import http.client
import itertools
import json
import multiprocessing
import os
import random
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

_BATCH = 100
_CLIENTS = 8
_LONG_S = 60  # a run is no longer prepared as a whole, and tells the memory of each minute
_PREPARED = 60  # batches of each client, made before the clock runs; their ids are new in each round


def _message(chance: random.Random, person: str, now: datetime) -> dict[str, Any]:
    begun = now - timedelta(seconds=chance.randrange(86_400))
    whole = int(chance.lognormvariate(7, 1.5))
    return {
        "type": "track",
        "event": "make.target.run",
        "anonymousId": person,
        "messageId": "ID",
        "timestamp": begun.isoformat(timespec="microseconds"),
        "properties": {
            "command": f"target{chance.randrange(60)}",
            "command_type": "make",
            "duration_ms": whole,
            "exit_status": chance.choice([0, 0, 0, 0, 0, 0, 0, 2]),
            "git_checked_out_master": chance.random() < 0.5,
            "git_commit_time": "2026-05-17T19:44:09+02:00",
            "is_test": "no",
            "start_time": begun.isoformat(timespec="microseconds"),
            "goal": chance.random() < 0.3,
            "recipe_ms": whole // 2,
            "recipe_lines": 3,
            "make_level": 0,
            "parallel": True,
            "run_id": str(uuid.UUID(int=chance.getrandbits(128), version=5)),
            "event_version": 2,
            "os": "linux",
            "jobs": chance.choice([1, 4, 8]),
        },
    }


def _with_ids(text: str, chance: random.Random) -> bytes:
    """A batch whose messages have new ids."""
    first, *rest = text.split('"ID"')
    return "".join([first, *(f'"{uuid.UUID(int=chance.getrandbits(128), version=5)}"{part}' for part in rest)]).encode()


def _client(number: int, port: int, key: str, begin: Any, seconds: float, rate: float, answers: Any) -> None:
    """Post batches for some seconds; put the times of the accepted ones, in seconds, and how many were not.

    With a rate, of so many events a second of all clients, it waits between batches.
    """
    chance = random.Random(number)  # noqa: S311
    now, person = datetime.now(UTC), str(uuid.UUID(int=chance.getrandbits(128), version=4))
    templates = [
        json.dumps({"batch": [_message(chance, person, now) for _ in range(_BATCH)]}) for _ in range(_PREPARED)
    ]
    counted = range(int(seconds * 40)) if seconds <= _LONG_S else itertools.count()
    made = (gzip.compress(_with_ids(templates[at % _PREPARED], chance), 1) for at in counted)
    bodies = list(made) if seconds <= _LONG_S else made
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begin.wait()
    times, refused, first = [], 0, time.monotonic()
    for at, body in enumerate(bodies):
        if rate:
            time.sleep(max(0.0, first + (at * _CLIENTS + number) * _BATCH / rate - time.monotonic()))
        begun = time.perf_counter()
        if time.monotonic() > first + seconds:
            break
        status = 0
        try:
            connection.request("POST", "/v1/batch", body, headers)
            with connection.getresponse() as answer:
                answer.read()
                status = answer.status
        except (OSError, http.client.HTTPException):
            connection.close()  # the next batch opens another
        if status == http.client.OK:
            times.append(time.perf_counter() - begun)
        else:
            refused += 1
    answers.put((times, refused))


def _memory(process: psutil.Process) -> str:
    """What a process holds; what it maps of the database's file is the system's cache, and goes when it is needed."""
    memory = process.memory_info()
    if not hasattr(memory, "shared"):
        return f"{memory.rss / 2**20:.0f} MiB"
    return f"{(memory.rss - memory.shared) / 2**20:.0f} MiB, and {memory.shared / 2**20:.0f} MiB of files"


def _measure(port: int, key: str, process: psutil.Process, seconds: float, rate: float) -> None:
    context = multiprocessing.get_context("fork")
    begin, answers = context.Barrier(_CLIENTS + 1), context.Queue()
    clients = [
        context.Process(target=_client, args=(number, port, key, begin, seconds, rate, answers))
        for number in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    load = os.getloadavg()[0]
    before, cpu = _memory(process), process.cpu_times()
    begin.wait()
    begun = time.perf_counter()
    for minute in range(1, int(seconds / 60) + 1) if seconds > _LONG_S else ():
        time.sleep(max(0.0, begun + minute * 60 - time.perf_counter()))
        print(f"after {minute} minutes: {_memory(process)}", flush=True)
    results = [answers.get() for _ in clients]
    took = time.perf_counter() - begun
    for client in clients:
        client.join()
    times = sorted(second for found, _ in results for second in found)
    refused = sum(count for _, count in results)
    if len(times) < 2:
        raise SystemExit("no batch was accepted")
    p99, median = statistics.quantiles(times, n=100)[98], statistics.median(times)
    after = process.cpu_times()
    spent = after.user + after.system - cpu.user - cpu.system
    print(
        f"{len(times) * _BATCH / took:,.0f} events/s from {_CLIENTS} clients, {os.cpu_count()} cores shared with them"
    )
    print(f"a batch of {_BATCH}: median {median * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms; {refused} refused")
    print(f"the receiver's processor time: {spent / len(times) / _BATCH * 1e6:.0f} us an event")
    print(f"memory before: {before}; after the last batch: {_memory(process)}")
    print(f"load of the machine before: {load:.1f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Start a receiver, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m ci.bench.receiver", description=__doc__)
    parser.add_argument("--database", required=True, help="an empty database")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=0, help="events a second of all clients (default: all they can)")
    given = parser.parse_args(arguments)
    command = [sys.executable, "-m", "make_metrics", "serve", "--port", "0", "--database", given.database]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            said = ""
            while "erasure = true" not in said:
                line = receiver.stdout.readline() if receiver.stdout else ""
                if not line:
                    raise SystemExit("the receiver did not start: is the database empty?")
                said += line
            port = int(said.partition("address: http://127.0.0.1:")[2].partition("/")[0])
            time.sleep(1)
            key = said.partition('write-key = "')[2].partition('"')[0]
            _measure(port, key, psutil.Process(receiver.pid), given.seconds, given.rate)
        finally:
            receiver.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
