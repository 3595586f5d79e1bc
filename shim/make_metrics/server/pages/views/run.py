"""One run: its timeline."""

from __future__ import annotations

from markupsafe import Markup

from make_metrics.analysis.findings import findings
from make_metrics.analysis.plan import plan
from make_metrics.report.rows import duration
from make_metrics.report.run import timeline
from make_metrics.report.run.summary import Run, inferred, path_time
from make_metrics.server.pages import charts
from make_metrics.server.pages.questions.run import latest_runs, run_of
from make_metrics.server.pages.sections import Column, Section, View, moment
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.pages.views.target import status_text

DEFAULT_DAYS = 28
_MOST = 3_000  # rectangles of a picture
_FORM = "run"
_TARGETS = (
    Column("target", "target", "target"),
    Column("make", "make", "count"),
    Column("start_ms", "began after", "ms"),
    Column("own_ms", "own time", "ms"),
    Column("exit_status", "exit status"),
)
_RUNS = (
    Column("run", "run", "run"),
    Column("started", "began (UTC)", "time"),
    Column("target", "target", "target"),
    Column("whole_ms", "took", "ms"),
    Column("exit_status", "exit status"),
    Column("events", "targets", "count"),
)


def view(asked: Asked) -> View:
    """The page. Without a run in the link it asks for one; it lists runs only where no group is too small."""
    scope, run = asked.scope, asked.filters.run
    build = run_of(asked.connection, scope.project, run) if run else None
    sections = [Section("run", "", form=_FORM)]
    if build is None:
        text = "There is no such run, or it was deleted. " if run else ""
        text += "A run's id is the property run_id of its events: make-metrics sent shows them to whoever ran it."
        if scope.smallest > 1:
            text += " Runs are not listed, as one person stands behind each."
        else:
            runs = latest_runs(asked.connection, scope)
            listed = [
                (each.run, each.started_us, each.target, each.whole_ms, status_text(each.status), each.events)
                for each in runs
            ]
            sections.append(Section("runs", "The latest runs", _RUNS, listed))
        return View("One run", text, sections, cuts=False, periods=scope.smallest <= 1)
    rows = [
        (target.name, target.make, target.start_us / 1_000, target.own_us / 1_000, status_text(target.status))
        for target in build.targets
    ]
    goals = " ".join(build.makes[0].goals)
    took = duration(build.duration_us // 1_000)
    chart = charts.lanes(build, f"The {len(build.targets)} targets of make {goals} over {took}", most=_MOST)
    found = Run(build, run[:8], findings(build, plan(build)))
    query = asked.filters.query(target="", run="")
    link = f"target{query}{'&' if query else '?'}target="
    picture, table = map(Markup, timeline.parts(found, link=link))
    path = f" The critical path took {path_time(found)}{inferred(found)}." if found.findings.path else ""
    text = (
        f"make {goals} took {duration(build.duration_us // 1_000)} from {moment(build.started_ns // 1_000)} UTC: "
        f"{'passed' if not build.status else f'exit status {status_text(build.status)}'}. A target that was asked for "
        f"is drawn where its own recipe ended.{path} make-metrics timeline draws more of one's own runs."
    )
    return View("One run", text, [*sections, Section("targets", "Targets", _TARGETS, rows, chart=chart,
                timeline=(picture, table))], cuts=False, periods=False)  # fmt: skip
