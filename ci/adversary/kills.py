"""Kills makes, walks, recorders, sweeps, commands and senders at random moments, with a receiver that is hostile."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from pathlib import Path

import psutil

from ci.adversary.place import Figure, Place
from ci.adversary.receiver import receiving
from ci.find_makes import find
from make_metrics.files.write import write_file
from make_metrics.processes.tree import target_of
from make_metrics.sender import burst, protocol

MAKE, WALK, RECORDER, SWEEP, SENDER, FLUSH = "make", "the walk", "the recorder", "a sweep", "the sender", "flush"
VICTIMS = (MAKE, WALK, RECORDER, SWEEP, SENDER, FLUSH)
_TARGETS = 12
_LONGEST_S = 0.4
_ROUNDS_OF_A_HOME = 100
_TRIES = 10  # of flush, at the end, with a receiver that behaves
_PR_SET_CHILD_SUBREAPER = 36
# The last thing that a line does is to note its end: what is noted must be recorded.
MAKEFILE = """\
TARGETS := $(foreach number,{numbers},r$(ROUND)-$(number))
all: $(TARGETS)
$(TARGETS):
\t@sleep 0.0$(words $(subst -, ,$@)); echo $@ >> $(JOURNAL)
"""
SETTINGS = """\
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"

[[sinks]]
type = "segment"
write-key = "key"
host = "http://127.0.0.1:{port}"
"""


class Kills:
    """The rounds with one shim: in each a make runs, and one of its processes is killed."""

    def __init__(self, place: Place, seed: int) -> None:
        """`seed` decides who is killed when."""
        self.place, self.chance = place, random.Random(seed)  # noqa: S311
        self.killed: Counter[str] = Counter()
        self.cut_off: set[str] = set()  # the targets whose recorder was killed
        self.makes = [*_makes().values()]
        self.journal = place.folder / "journal"

    def round(self, number: int) -> None:
        """Run make, and kill a victim if it is there at its moment."""
        victim = VICTIMS[number % len(VICTIMS)]
        place = self.place
        more = {"MAKE_METRICS_SENDER": "detached"} if victim == SENDER else {}
        program = self.makes[number // len(VICTIMS) % len(self.makes)]
        make = subprocess.Popen(
            [program, "-j3", "-k", f"ROUND={number}", f"JOURNAL={self.journal}"],
            cwd=place.project,
            env=place.environment(**more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        other = place.start("flush", "--timeout", "5") if victim == FLUSH else None
        other = place.start("runs") if victim == SWEEP else other
        until = time.monotonic() + self.chance.uniform(0, _LONGEST_S)
        while time.monotonic() < until + _LONGEST_S:
            process = other.pid if other else self._victim(victim, make.pid)
            if process and (time.monotonic() >= until or victim in (WALK, RECORDER)):
                if victim == WALK:  # it takes a few milliseconds
                    time.sleep(self.chance.uniform(0, 0.01))
                with contextlib.suppress(ProcessLookupError):
                    self._kill(victim, process)
                break
            time.sleep(0.0005)
        make.communicate()  # all recorders have this pipe: they have ended as well
        if other:
            other.communicate()
        _let_time_pass(place)
        place.start("flush", "--timeout", "5").communicate()
        for sender in filter(_is_sender, psutil.Process().children()):
            with contextlib.suppress(psutil.Error):
                sender.wait(0)

    def _kill(self, victim: str, process: int) -> None:
        """Kill a process; of a recorder, note which line dies with it."""
        if victim == RECORDER:
            os.kill(process, signal.SIGSTOP)  # what it shows is what it runs
            with contextlib.suppress(psutil.Error):
                self.cut_off.add(target_of(psutil.Process(process)))
        os.kill(process, signal.SIGKILL)
        self.killed[victim] += 1

    def _victim(self, victim: str, make: int) -> int:
        """The process of a victim now, 0 if there is none."""
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if victim == MAKE:
                return make
            if victim == SENDER:
                return next((child.pid for child in psutil.Process().children() if _is_sender(child)), 0)
            recorders = [child for child in psutil.Process(make).children() if child.pid != child.ppid()]
            if victim == RECORDER:
                return self.chance.choice(recorders).pid if recorders else 0
            for recorder in recorders:
                for child in recorder.children():
                    if os.getpgid(child.pid) == child.pid:
                        return child.pid
        return 0


def _makes() -> dict[str, Path]:
    """Both ways of telling a line from $(shell): make 4.4 has another than those before."""
    return {name: path for name, path in find().items() if name.startswith(("4.3", "4.4"))} or {"": Path("make")}


def _is_sender(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return protocol.PROGRAM in process.cmdline()
    return False


def _let_time_pass(place: Place) -> None:
    """Have receivers tried again at once: after a failure they are left alone for minutes. Nor do senders rest."""
    burst.end_rest(place.paths)
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(place.paths.store)) as connection:
        connection.execute("DELETE FROM attempts")
        connection.commit()


@dataclass(slots=True)
class Tally:
    """What some rounds have shown: `lost` and `doubled` lines' names, the rest counts."""

    rounds: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    noted: int = 0
    lost: list[str] = field(default_factory=list)
    cut_off: int = 0
    doubled: list[str] = field(default_factory=list)
    hostile: Counter[str] = field(default_factory=Counter)
    events: int = 0
    unsent: int = 0
    invented: int = 0
    redirected: int = 0
    repeated: int = 0
    undescribed: int = 0

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


def attack(folder: Path, shim: str, *, rounds: int, seed: int, keep: Path | None = None) -> list[Figure]:
    """The rounds, a hundred with each home. Those that the folder `keep` has are not run again."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # senders become children of ours
    tally = Tally()
    for first in range(0, rounds, _ROUNDS_OF_A_HOME):
        numbers = range(first, min(first + _ROUNDS_OF_A_HOME, rounds))
        name = f"kills-{shim}-{seed}-{numbers.start}-{numbers.stop}"
        kept = keep / "rounds" / f"{name}.json" if keep else None
        if kept and kept.exists():
            content = json.loads(kept.read_text())
            content |= {each: Counter(content[each]) for each in ("killed", "hostile")}
            tally += Tally(**content)
            continue
        some = _attack_a_home(folder / name, shim, numbers, seed + first)
        tally += some
        if kept:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_file(
                kept, json.dumps({each.name: getattr(some, each.name) for each in fields(some)}, indent=1).encode()
            )
            print(f"kills, {shim} shim: {numbers.stop} rounds of {rounds}", flush=True)
    return _figures(tally, shim)


def _attack_a_home(folder: Path, shim: str, numbers: range, seed: int) -> Tally:
    """The rounds of these numbers; then all is delivered, and both ends are compared."""
    with receiving(seed) as receiver:
        place = Place(folder, shim)
        place.write(
            MAKEFILE.format(numbers=" ".join(map(str, range(_TARGETS)))), settings=SETTINGS.format(port=receiver.port)
        )
        place.agree()
        kills = Kills(place, seed)
        for number in numbers:
            kills.round(number)
        for process in filter(_is_sender, psutil.Process().children()):
            process.kill()
            process.wait()
        receiver.hostile = False
        hostile = Counter({deed: count for deed, count in receiver.deeds.items() if deed != "accept"})
        for record in place.paths.records.glob("*~*.rec"):  # of a line without a lock: combined when it is a minute old
            os.utime(record, (time.time() - 120,) * 2)
        events = place.events()
        ids = {event["messageId"] for event in events}
        sent: set[str] = set()
        for _ in range(_TRIES):
            _let_time_pass(place)
            place.command("flush", "--retry", "--timeout", "20")
            sent = {message["messageId"] for message in receiver.accepted}
            if sent >= ids:
                break
        runs = json.loads(place.command("runs", "--json"))
        redirected = receiver.redirected
    noted = [line for line in kills.journal.read_text().splitlines() if line]
    recorded = Counter(event["properties"]["command"] for event in events)
    missing = [name for name in noted if name not in recorded]
    lost = [name for name in missing if name not in kills.cut_off]
    accepted = [message for message in receiver.accepted if "choice" not in message["properties"]]
    return Tally(
        rounds=len(numbers),
        killed=kills.killed,
        noted=len(noted),
        lost=lost,
        cut_off=len(missing) - len(lost),
        doubled=[name for name in sorted(set(noted)) for _ in range(recorded[name] - 1)],
        hostile=hostile,
        events=len(ids),
        unsent=len(ids - sent),
        invented=len(sent - ids),
        redirected=redirected,
        repeated=len(accepted) - len({message["messageId"] for message in accepted}),
        # Of a make that was killed before its walk knew it, nobody can say which project's it was, and who agreed.
        undescribed=sum(run["targets"] for run in runs if not run["directory"]),
    )


def _figures(tally: Tally, shim: str) -> list[Figure]:
    each = ", ".join(f"{name} {count}" for name, count in tally.killed.items())
    kills = Figure(
        f"kill -9 at random moments, {shim} shim",
        f"{tally.killed.total()} kills ({each}) in {tally.rounds} runs of make {' and '.join(_makes())}, {tally.noted} "
        "lines ended",
        lost=len(tally.lost),
        doubled=len(tally.doubled),
        notes=[
            f"{tally.cut_off} lines died with the {tally.killed[RECORDER]} recorders that were killed while they ran "
            f"just these lines ({shim} shim)"
        ],
    )
    kills.notes += [f"not recorded: {', '.join(tally.lost)} ({shim} shim)"] if tally.lost else []
    kills.notes += [f"recorded twice: {', '.join(tally.doubled)} ({shim} shim)"] if tally.doubled else []
    stay = min(tally.unsent, tally.undescribed)
    delivery = Figure(
        f"hostile answers and killed senders, {shim} shim",
        f"{tally.events} events over {tally.hostile.total()} hostile answers of {len(tally.hostile)} kinds",
        lost=tally.unsent - stay,
        doubled=tally.invented,
        leaked=tally.redirected,
        notes=[
            f"{tally.repeated} messages came in more than once, each with the id it had before ({shim} shim)",
            f"{stay} events of makes that were killed before the walk stay on this machine ({shim} shim)",
        ],
    )
    return [kills, delivery]
