"""What the receiver takes: events a second from eight clients, the time of a batch, and memory.

`python -m ci.bench.receiver --database sqlite:///FILE` or `postgresql://...`; an empty database. Real processes on
loopback, 100 events a batch, gzip, with the client of this file. The clients run on the same machine and take their
share of it; the processor time of the receiver alone does not depend on what else runs.

An hour of it, with the receiver's memory at each tenth: `--seconds 3600`. Above a minute the clients make their batches
as they go, so that they take more of the processor.
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
_LONG_S = 60  # a run is no longer prepared as a whole
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


def _client(number: int, port: int, key: str, begin: Any, seconds: float, answers: Any) -> None:
    """Post batches for some seconds; put the times of the accepted ones, in seconds, and how many were not."""
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
    times, refused, end = [], 0, time.monotonic() + seconds
    for body in bodies:
        begun = time.perf_counter()
        if time.monotonic() > end:
            break
        connection.request("POST", "/v1/batch", body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == http.client.OK:
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


def _measure(port: int, key: str, process: psutil.Process, seconds: float) -> None:
    context = multiprocessing.get_context("fork")
    begin, answers = context.Barrier(_CLIENTS + 1), context.Queue()
    clients = [
        context.Process(target=_client, args=(number, port, key, begin, seconds, answers)) for number in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    load = os.getloadavg()[0]
    before, cpu = _memory(process), process.cpu_times()
    begin.wait()
    begun = time.perf_counter()
    for tenth in range(1, 11) if seconds > _LONG_S else ():
        time.sleep(max(0.0, begun + tenth * seconds / 10 - time.perf_counter()))
        print(f"after {tenth * seconds / 600:.1f} minutes: {_memory(process)}", flush=True)
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
            _measure(port, key, psutil.Process(receiver.pid), given.seconds)
        finally:
            receiver.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
