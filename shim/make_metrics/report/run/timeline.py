"""A run as one HTML file: a timeline to look at, to search, and to read as a table. It loads nothing. Pure.

The page's data are one JSON document in columns, so that 20,000 targets stay small:

- `names`: each name once, in the order in which targets have them first. The first character says how many characters
  the name shares with the one before it; the rest is the remainder.
- `targets`: columns of numbers. `name` is 0 for the next of `names`, else its position counted from 1; `start` is the
  time since the start of the target before; `cpu` is milliseconds, `peak` KiB, and -1 if unknown; `lines` is how many
  lines are in `lines`, or -1 for a single one that took as long as the target.
- `lines`: columns of all targets' lines one after the other; `gap` is the time since the line before, or the target's
  start.
- `makes`: the target that each make runs in (-1 for none), and the number of its directory.
- `path`: the targets on the critical path. `statuses`: exit statuses other than 0, by position.
- `link`: what a target's name is added to for a link to more about it; not there without such links.

The team's pages show the same picture and table (`parts`), with the same script and style in files of their own.

Times are microseconds. Names are escaped so that none of their characters controls the page, and the script sets them
as text only. The policy in the page's head lets nothing but its own script and style run, and nothing be loaded.
"""

from __future__ import annotations

import html
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from make_metrics.analysis.build import Build, BuiltTarget
from make_metrics.analysis.lanes import job_lanes
from make_metrics.analysis.nesting import holders
from make_metrics.printable import printable
from make_metrics.report.local_time import local_time
from make_metrics.report.rows import jobs_text
from make_metrics.report.run.summary import Run, ending_of, inferred, path_time, time_of

_PREFIX = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def page(run: Run, *, script: str, style: str) -> Iterator[str]:
    """The page of a run, in pieces.

    `script` is the text of timeline.js, `style` those of timeline.css and timeline_page.css.
    """
    build = run.build
    title = f"make {' '.join(build.makes[0].goals)}".strip()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
    )
    state = "failed" if build.status else ""
    yield (
        f'<h1><span class="name">{_text(title)}</span> took {time_of(build.duration_us)}: '
        f'<span class="{state}">{_text(ending_of(build))}</span></h1>\n'
    )
    for line in _facts(run):
        yield f"<p>{line}</p>\n"
    picture, table = parts(run)
    yield f"{picture}<h2>Targets</h2>\n{table}"
    yield "<noscript><p>The picture and the table are drawn by a script in this file.</p></noscript>\n"
    yield f"<script>{script}</script>\n</body>\n</html>\n"


def parts(run: Run, *, link: str = "") -> tuple[str, str]:
    """The picture and the table of a run as HTML, empty until timeline.js fills them; the data follow the table.

    `link` is the beginning of an address; with a target's name at its end it leads to more about the target.
    """
    content = document(run) | ({"link": link} if link else {})
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    # Inside a script element nothing but "</script" and "<!--" matters; these need no other escape in JSON.
    escaped = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    picture = _PICTURE.format(summary=_text(_summary(run)))
    return picture, f'{_TABLE}<script type="application/json" id="data">{escaped}</script>\n'


# What is on the page beside its data. The words in braces are filled in.
_PICTURE = """\
<div id="tools" role="group" aria-label="Timeline">
<label>Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<span id="matches" role="status"></span>
<button type="button" id="in" aria-label="Zoom in">+</button>
<button type="button" id="out" aria-label="Zoom out">&minus;</button>
<button type="button" id="all">Whole run</button>
<span class="faint">Drag, arrows or a d: move. Ctrl and wheel, + &minus; or w s: zoom. Double click: one target.
/: search, Enter: next.</span>
</div>
<canvas id="chart" tabindex="0" role="img" aria-label="{summary} The table below has the same."></canvas>
<div id="hover" hidden></div>
<p id="details" class="name" role="status" aria-live="polite"></p>
"""
_TABLE = """\
<p class="faint" id="rows" role="status"></p>
<table id="table"><thead></thead><tbody></tbody></table>
<p><button type="button" id="more" hidden>More</button></p>
"""


def _text(text: str) -> str:
    return html.escape(printable(text))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _summary(run: Run) -> str:
    build = run.build
    lanes = len({place.lane for place in job_lanes(build)})
    failed = f", {len(run.findings.failed)} failed" if run.findings.failed else ""
    return f"{len(build.targets)} targets in {lanes} lanes over {time_of(build.duration_us)}{failed}."


def _facts(run: Run) -> Iterator[str]:
    """Facts about the run, each a line of HTML."""
    build, findings = run.build, run.findings
    top = build.makes[0]
    facts = [f"run {run.short_name}", local_time(build.started_ns)]
    if build.commit:
        facts.append(f"commit {build.commit[:10]}" + (f" ({build.branch})" if build.branch else ""))
    if top.version:
        facts.append(f"make {top.version}")
    if top.directory:
        facts.append(top.directory)
    yield f'<span class="faint">{_text(", ".join(facts))}</span>'
    yield (
        f"{jobs_text(top.jobs)}: {findings.average:.1f} jobs ran at once on average, {findings.most} at most. "
        f"{time_of(findings.before_us)} before the first recipe line."
    )
    if findings.path:
        yield f"Critical path: {path_time(run)}{inferred(run)}. Its targets have a bar on top."
    if findings.failed:
        names = ", ".join(_text(_cut(run.label(index))) for index in findings.failed[:5])
        more = f" and {len(findings.failed) - 5} more" if len(findings.failed) > 5 else ""
        yield f'<span class="failed">Failed: <span class="name">{names}</span>{more}</span>'


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:100]}...{text[-97:]}"


def document(run: Run) -> dict[str, Any]:
    """The page's data, as the module describes them."""
    build = run.build
    holder_of = holders(build)
    directories = list(dict.fromkeys(printable(_inside(build, make.directory)) for make in build.makes))
    number_of = {directory: number for number, directory in enumerate(directories)}
    return {
        "duration": build.duration_us,
        "jobs": build.makes[0].jobs,
        "directories": directories,
        "makes": [
            [holder_of.get(make.number, -1), number_of[printable(_inside(build, make.directory))]]
            for make in build.makes
        ],
        "path": [step.target for step in run.findings.path],
        "statuses": {index: target.status for index, target in enumerate(build.targets) if target.status},
        **_names_and_targets(build),
        "lines": _lines(build),
    }


def _inside(build: Build, directory: str) -> str:
    """A directory relative to the top make's, if it is inside."""
    top = build.makes[0].directory
    return directory.removeprefix(top.rstrip("/") + "/") if top else directory


def _names_and_targets(build: Build) -> dict[str, Any]:
    packed: list[str] = []
    positions: dict[str, int] = {}
    references = []
    before = ""
    for target in build.targets:
        name = printable(target.name)
        references.append(positions.get(name, 0))
        if name not in positions:
            positions[name] = len(positions) + 1
            shared = _shared(before, name)
            packed.append(_PREFIX[shared] + name[shared:])
            before = name
    places = job_lanes(build)
    starts = [target.start_us for target in build.targets]
    columns = {
        "name": references,
        "make": [target.make for target in build.targets],
        "start": [start - earlier for earlier, start in zip([0, *starts], starts, strict=False)],
        "duration": [target.end_us - target.start_us for target in build.targets],
        "lane": [place.lane for place in places],
        "depth": [place.depth for place in places],
        "cpu": [-1 if target.cpu_us is None else (target.cpu_us + 500) // 1_000 for target in build.targets],
        "peak": [-1 if target.peak_kib is None else target.peak_kib for target in build.targets],
        "lines": [-1 if _is_whole(target) else len(target.lines) for target in build.targets],
    }
    return {"names": packed, "targets": columns}


def _shared(left: str, right: str) -> int:
    """How many characters two names begin with alike, counted up to the first that is not ASCII."""
    most = min(len(left), len(right), len(_PREFIX) - 1)
    return next((at for at in range(most) if left[at] != right[at] or not left[at].isascii()), most)


def _is_whole(target: BuiltTarget) -> bool:
    lines = target.lines
    return len(lines) == 1 and (lines[0].start_us, lines[0].end_us) == (target.start_us, target.end_us)


def _lines(build: Build) -> Mapping[str, Any]:
    gaps, durations, statuses = list[int](), list[int](), dict[int, int]()
    for target in build.targets:
        if _is_whole(target):
            continue
        time_us = target.start_us
        for line in target.lines:
            start_us = max(time_us, line.start_us)
            end_us = max(start_us, line.end_us)
            if line.status:
                statuses[len(gaps)] = line.status
            gaps.append(start_us - time_us)
            durations.append(end_us - start_us)
            time_us = end_us
    return {"gap": gaps, "duration": durations, "statuses": statuses}
