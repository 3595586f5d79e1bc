"""One target: its times over time, their distribution, and the same by what a run was."""

from __future__ import annotations

from make_metrics.report.rows import duration
from make_metrics.server.pages import charts
from make_metrics.server.pages.questions.target import commits, histograms_by_step, parts
from make_metrics.server.pages.questions.targets import OWN, WHOLE, Histogram, Results, results, statuses
from make_metrics.server.pages.sections import HIDDEN, Column, Section, View, moment
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.storage.buckets import LOWER_MS, quantile_ms

DEFAULT_DAYS = 28
_MOST_MARKS = 60
_FORM = "target"
_TREND = (
    Column("from", "from", "day"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("failures", "failed", "count"),
    Column("median_ms", "median", "ms"),
    Column("p95_ms", "95%", "ms"),
)
_DISTRIBUTION = (
    Column("from_ms", "from", "ms"),
    Column("to_ms", "to", "ms"),
    Column("runs", "runs", "count"),
)
_SPLIT = (
    Column("what", "by"),
    Column("which", "which"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
    Column("failures", "failed", "count"),
    Column("median_ms", "median", "ms"),
    Column("p95_ms", "95%", "ms"),
)
_STATUSES = (
    Column("exit_status", "exit status"),
    Column("people", "people", "count"),
    Column("runs", "runs", "count"),
)


def view(asked: Asked) -> View:
    """The page. Without a target in the link, or with one that there is not, it asks for one."""
    target, scope = asked.target(), asked.scope
    if target is None:
        text = "There is no such target." if asked.filters.target else "Choose a target, or follow a link from a table."
        return View("One target", text, [Section("target", "", form=_FORM)])
    is_goal = asked.filters.goal == "yes"
    kind = WHOLE if is_goal else OWN
    time = "The whole time, prerequisites included" if is_goal else "Own time"
    whole, by_step = results(asked.connection, scope, target)
    durations = histograms_by_step(asked.connection, scope, target, kind)
    return View(
        "One target",
        f"{time}, of runs that passed. Filter by “asked for: yes” to see the whole time that people waited.",
        [
            Section("target", "", form=_FORM),
            _trend(asked, {step: each for (_, step), each in by_step.items()}, durations),
            _distribution(asked, durations, whole[target].passed if target in whole else 0),
            _split(asked, target, kind),
            status_section(statuses(asked.connection, scope, target), scope.smallest),
        ],
    )


def _trend(asked: Asked, by_step: dict[int, Results], durations: dict[int, Histogram]) -> Section:
    scope = asked.scope
    rows, medians, p95s, hidden = [], list[float | None](), list[float | None](), 0
    for step, day in enumerate(scope.steps):
        each = by_step.get(step)
        shows = each is not None and not scope.hides(each.people)
        hidden += each is not None and not shows
        tells = each is not None and not scope.hides(each.passed)
        median, p95 = (quantile_ms(durations.get(step, {}), share) if tells else None for share in (0.5, 0.95))
        medians.append(median)
        p95s.append(p95)
        if each is not None and shows:
            rows.append((day, each.people, each.runs, each.failures, median, p95))
    known = [commit for commit in commits(asked.connection, scope) if not scope.hides(commit[1])]
    most_run = sorted(sorted(known, key=lambda commit: -commit[2])[:_MOST_MARKS])
    marks = [
        ((seconds / 86_400 - scope.first) / scope.step, f"commit of {moment(seconds * 1_000_000)} UTC, {runs:,} runs")
        for seconds, _, runs in most_run
    ]
    last = len(scope.steps) - 1
    chart = charts.lines(
        [charts.Line("median", medians), charts.Line("95%", p95s)],
        asked.points,
        f"Median and 95% for each {asked.each}",
        shown=lambda ms: duration(round(ms)),
        marks=[(min(place, last), text) for place, text in marks],
    )
    note = f"Upright lines: when the commits that people ran were made, at most {_MOST_MARKS}." if marks else ""
    return Section(
        "trend", f"For each {asked.each}", _TREND, rows, text=note, chart=chart if rows else None, hidden=hidden
    )


def _distribution(asked: Asked, durations: dict[int, Histogram], passed: int) -> Section:
    scope = asked.scope
    counts: dict[int, int] = {}
    for histogram in durations.values():
        for number, runs in histogram.items():
            counts[number] = counts.get(number, 0) + runs
    # So few runs are of fewer people; and no distribution at all where too few people passed.
    shown = sorted(number for number, runs in counts.items() if not scope.hides(min(runs, passed)))
    rows = [(LOWER_MS[number], _end_ms(number), counts[number]) for number in shown]
    between = range(shown[0], shown[-1] + 1) if shown else range(0)
    chart = charts.columns(
        [
            charts.Bar(duration(LOWER_MS[number]), runs, f"{runs:,} runs")
            for number in between
            for runs in (counts[number] if number in shown else 0,)
        ],
        "How often a run took how long",
    )  # fmt: skip
    return Section("distribution", "How long a run takes", _DISTRIBUTION, rows, chart=chart if rows else None,
                   hidden=len(counts) - len(shown))  # fmt: skip


def _end_ms(number: int) -> int | None:
    return LOWER_MS[number + 1] if number + 1 < len(LOWER_MS) else None


def _split(asked: Asked, target: int, kind: int) -> Section:
    rows, hidden = [], 0
    for (what, which), part in parts(asked.connection, asked.scope, target, kind).items():
        if asked.scope.hides(part.people):
            hidden += 1
            continue
        tells = not asked.scope.hides(part.passed)
        median, p95 = (quantile_ms(part.histogram, share) if tells else HIDDEN for share in (0.5, 0.95))
        rows.append((what, which, part.people, part.runs, part.failures, median, p95))
    text = "“Branch” is whether the default branch is checked out, “goal” whether the target was asked for."
    return Section("split", "By what a run was", _SPLIT, rows, text=text, hidden=hidden)


def status_section(statuses: list[tuple[int, int, int]], smallest: int) -> Section:
    """The table of exit statuses other than 0."""
    rows = [
        (status_text(status), people, runs)
        for status, people, runs in sorted(statuses, key=lambda row: (-row[2], row[0]))
        if people >= smallest
    ]
    return Section("statuses", "Exit statuses other than 0", _STATUSES, rows, hidden=len(statuses) - len(rows))


def status_text(status: int) -> str:
    """An exit status for people."""
    words = {-2: " (Ctrl-C)", 130: " (Ctrl-C)", 126: " (cannot be run)", 127: " (no such command)"}
    return (f"signal {-status}" if status < 0 else str(status)) + words.get(status, "")
