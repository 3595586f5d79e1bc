"""Measures a recipe line: each way of timing it, and plain make, for several kinds of lines."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass

from ci.bench.timing import Ended, Spread, ended
from ci.bench.workspace import Workspace


@dataclass(frozen=True)
class Scenario:
    """A kind of line, the Makefile's shell, and the number of jobs."""

    name: str
    line: str
    shell: str
    jobs: int


@dataclass(frozen=True)
class Way:
    """A way of timing lines: text for the beginning and the end of the Makefile, and words in front of make.

    The cost is the difference between runs of `few` and of `many` lines: what a run costs once does not count.
    """

    name: str
    tail: Callable[[Workspace], str]
    head: str = ""
    before: tuple[str, ...] = ()
    few: int = 10
    many: int = 110
    shells: tuple[str, ...] = ("/bin/sh", "/bin/bash")


SCENARIOS = (
    Scenario("compound, sh", ":; :", "/bin/sh", 1),
    Scenario("simple, sh", "true", "/bin/sh", 1),
    Scenario("compound, bash", ":; :", "/bin/bash", 1),
    Scenario("simple, bash", "true", "/bin/bash", 1),
    Scenario("compound, sh, -j2", ":; :", "/bin/sh", 2),
    Scenario("simple, sh, -j2", "true", "/bin/sh", 2),
)
PLAIN, C_WRAPPER = "plain make", "C wrapper, a file per command"
_MENTION = "$(if ,$(SHELL))\n"  # a makefile that uses it gets the flags hook
WAYS = (
    Way(PLAIN, lambda _: ""),
    Way("compiled, SHELL hook", lambda workspace: f"-include {workspace.compiled}", shells=("/bin/sh",)),
    Way("compiled, flags hook", lambda workspace: f"-include {workspace.compiled}", _MENTION),
    Way("Python shim, SHELL hook", lambda workspace: f"-include {workspace.python}", many=50, shells=("/bin/sh",)),
    Way("Python shim, flags hook", lambda workspace: f"-include {workspace.python}", _MENTION, many=50),
    Way(C_WRAPPER, lambda workspace: f"SHELL := {workspace.c_wrapper}"),
    Way("shell wrapper, date twice", lambda workspace: f"SHELL := {workspace.shell_wrapper}", many=60),
    Way("Python wrapper, psutil and filelock", lambda workspace: f"SHELL := {workspace.python_wrapper}", few=1, many=7),
    Way("strace -f -e trace=execve", lambda _: "", before=("strace", "-f", "-e", "trace=execve", "-o", "trace")),
)


def makefile(scenario: Scenario, way: Way, workspace: Workspace, count: int) -> str:
    """A Makefile with `count` lines: in one recipe, or for several jobs in a recipe each."""
    head = way.head + (f"SHELL := {scenario.shell}\n" if scenario.shell != "/bin/sh" else "")
    if scenario.jobs == 1:
        body = "all:\n" + f"\t@{scenario.line}\n" * count
    else:
        names = [f"t{number}" for number in range(count)]
        body = f"all: {' '.join(names)}\n" + "".join(f"{name}:\n\t@{scenario.line}\n" for name in names)
    return f"{head}{body}{way.tail(workspace)}\n"


@dataclass(frozen=True)
class Cost:
    """Milliseconds of a line: of the clock, and of processors."""

    wall: Spread
    cpu: Spread


def _run(scenario: Scenario, way: Way, workspace: Workspace, count: int) -> Ended:
    workspace.clear()
    (workspace.work / "Makefile").write_text(makefile(scenario, way, workspace, count))
    words = [*way.before, workspace.make, *([f"-j{scenario.jobs}"] if scenario.jobs > 1 else [])]
    return ended(words, workspace.work, workspace.environment(scenario.shell))


def _cost(pairs: list[tuple[float, float]]) -> Cost:
    return Cost(Spread.of([wall for wall, _ in pairs]), Spread.of([cpu for _, cpu in pairs]))


def measure(
    workspace: Workspace, rounds: int, scenarios: tuple[Scenario, ...] = SCENARIOS
) -> dict[str, dict[str, Cost]]:
    """The cost of a line, by scenario and way; the ways take turns, in another order each round."""
    order = random.Random(1)  # noqa: S311 - only an order
    pairs: dict[str, dict[str, list[tuple[float, float]]]] = {scenario.name: {} for scenario in scenarios}
    for _ in range(rounds):
        for scenario in scenarios:
            ways = [way for way in WAYS if scenario.shell in way.shells]
            ways = [way for way in ways if not way.before or shutil.which(way.before[0])]
            for way in order.sample(ways, len(ways)):
                few, many = (_run(scenario, way, workspace, count) for count in (way.few, way.many))
                lines = (way.many - way.few) / 1000
                pair = (many.seconds - few.seconds) / lines, (many.cpu_seconds - few.cpu_seconds) / lines
                pairs[scenario.name].setdefault(way.name, []).append(pair)
    return {
        scenario: {way.name: _cost(ways[way.name]) for way in WAYS if way.name in ways}
        for scenario, ways in pairs.items()
    }
