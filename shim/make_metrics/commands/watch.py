"""`make-metrics watch`: the targets of the make that runs, live, against the runs before it."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from make_metrics.analysis.build import Build
from make_metrics.analysis.run_name import short_names
from make_metrics.combine.record import Make
from make_metrics.combine.summary import Summary
from make_metrics.commands.project import project_at
from make_metrics.commands.reading import combined_store
from make_metrics.commands.warn import warn
from make_metrics.commands.watching.terminal import Stopped, Terminal, can_redraw
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.processes.alive import alive
from make_metrics.processes.recipe_lines import running_lines
from make_metrics.report import screen
from make_metrics.report.live import progress as report
from make_metrics.report.live.progress import Active, Past, Progress
from make_metrics.report.many.estimate import MOST_RUNS
from make_metrics.report.run.summary import FAILED, HEADING, ending_of, time_of
from make_metrics.report.screen import Part, name
from make_metrics.store import builds
from make_metrics.store.store import Store
from make_metrics.sweep.following import Following
from make_metrics.sweep.running import is_in, running_makes

_LOOKED_AT = 2_000  # runs of the project, the newest
_WHOLE = 5  # runs alike of which each target is looked at
_POLL_S = 0.2
_COST = 10  # looking takes at most this part of the time, on a machine with very many processes too
_NICE = 5  # the build goes first


class _Watched:
    """A make that runs, what its runs before say, and what is known of it so far."""

    def __init__(self, paths: Paths, top: Make, past: Past) -> None:
        self.top, self.past = top, past
        self._following = Following(paths, top.key)
        self._pid = int(top.key.split(".")[1])

    def look(self) -> Progress:
        # The lines first: a target whose line ends meanwhile still runs, and is never nowhere.
        active = [Active(*line) for line in running_lines(self._pid)]
        self._following.read()
        return report.progress(self.top, self.past, self._following.run, active, time.time_ns())

    @property
    def runs(self) -> bool:
        return bool(alive(self.top.key, self.top.boot))


def run(given: argparse.Namespace) -> int:
    """Show the makes that run until they have ended; 0.

    Raises UserError if none runs, unless `--wait` is given; `Stopped` never leaves: the signal ends the process.
    """
    project = project_at(given.directory)
    warn(project.problems)
    within = "" if given.all else project.path
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    terminal = Terminal() if can_redraw() else None
    try:
        with terminal.held() if terminal else contextlib.nullcontext():
            _watch(within, terminal, wait=given.wait)
    except Stopped as stopped:
        signal.signal(stopped.number, signal.SIG_DFL)
        os.kill(os.getpid(), stopped.number)
    return 0


def _watch(within: str, terminal: Terminal | None, *, wait: bool) -> None:
    paths = Paths.from_environment()
    pause: Callable[[float], None] = terminal.wait if terminal else time.sleep
    makes = _running(paths, within)
    if not makes and not wait:
        of = " of this project" if within else ""
        raise UserError(f"no make{of} runs: start one, or let make-metrics watch --wait wait for it")
    if not makes and terminal:
        terminal.draw([[Part("waiting for make to start: Ctrl-C ends this")]])
    while not makes:
        pause(_POLL_S)
        makes = _running(paths, within)
    watched = [_Watched(paths, top, past) for top, past in zip(makes, _pasts(makes), strict=True)]
    plain = None if terminal else _Plain()
    while watched:
        begun_s = time.monotonic()
        ended = [make for make in watched if not make.runs]
        shown = [make.look() for make in watched]
        watched = [make for make in watched if make not in ended]
        if plain:
            for now in shown:
                plain.show(now, last=any(make.top is now.top for make in ended))
        for make in ended:
            line = _result(make.top)
            if terminal:
                terminal.keep(line)
            else:
                screen.show([line])
                sys.stdout.flush()
        if terminal and watched:
            terminal.draw(_lines([now for now in shown if all(make.top is not now.top for make in ended)],
                                 terminal.rows, terminal.columns))  # fmt: skip
        if watched:
            pause(max(_POLL_S, _COST * (time.monotonic() - begun_s)))


def _running(paths: Paths, within: str) -> list[Make]:
    return [make for make in running_makes(paths) if not within or is_in(make.directory, within)]


def _lines(shown: Sequence[Progress], rows: int, columns: int) -> list[list[Part]]:
    """The lines of all makes; each gets as many of the rows as the others."""
    lines = list[list[Part]]()
    for at, now in enumerate(shown):
        lines += report.lines(now, most=max(2, (rows - len(lines)) // (len(shown) - at)), width=columns)
    return lines


def _pasts(makes: Sequence[Make]) -> Iterator[Past]:
    with combined_store() as store:
        return iter([_past(store, make) for make in makes])


def _past(store: Store, top: Make) -> Past:
    """What the runs before with the same goals in the same directory say, best those without a failure."""
    summaries = store.runs(newest=_LOOKED_AT, within=top.directory)[::-1] if top.directory else list[Summary]()
    alike = [each for each in summaries if each.goals == top.goals and each.directory == top.directory]
    alike = [each for each in alike if not each.exit_status] or alike
    alike = [each for each in alike if each.jobs == top.jobs] or alike
    whole = [found for each in alike[:_WHOLE] if (found := builds.build(store.connection, each.id)) is not None]
    return report.past_of(whole, [each.duration_ms for each in alike[:MOST_RUNS]])


def _result(top: Make) -> list[Part]:
    """The one line that stays of a make that has ended."""
    build: Build | None = None
    with contextlib.suppress(UserError), combined_store() as store:
        build = builds.build(store.connection, top.key)
        names = short_names(builds.run_ids(store.connection))
    if build is None:
        return [name(report.command(top)), Part(" has ended; nothing of it is kept")]
    how = Part(ending_of(build), FAILED if build.status else "" if build.unseen_goals else "green")
    made = f", {len(build.targets)} target{'s' * (len(build.targets) != 1)} made: "
    return [Part(f"run {names.get(top.key, '')}", HEADING), Part("  "), name(report.command(top)),
            Part(f" took {time_of(build.duration_us)}{made}"), how]  # fmt: skip


class _Plain:
    """A line for each change, for a pipe or a terminal that cannot go back."""

    def __init__(self) -> None:
        self._begun: set[tuple[str, tuple[str, str]]] = set()
        self._ended: set[tuple[str, tuple[str, str]]] = set()
        self._perhaps: set[tuple[str, tuple[str, str]]] = set()

    def show(self, now: Progress, *, last: bool) -> None:
        """Write what is new. A target has ended if no line of it has begun since it was looked at before."""
        lines = []
        seen = set()
        for target in now.made:
            key = now.top.key, target.key
            if key in self._ended:
                continue
            if last or key in self._perhaps:
                self._ended.add(key)
                lines.append(report.ended_line(now, target))
            else:
                seen.add(key)
        for target in now.running:
            key = now.top.key, target.key
            if key not in self._begun:
                self._begun.add(key)
                lines.append(report.begun_line(now, target))
        self._perhaps = {key for key in self._perhaps if key[0] != now.top.key} | seen
        screen.show(lines)
        sys.stdout.flush()
