"""The timeline, written after real makes and for made-up runs, and used in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ci import browser
from make_metrics.analysis.build import Build, MakeProcess, RecipeLine
from make_metrics.analysis.findings import findings
from make_metrics.analysis.plan import plan
from make_metrics.commands.timeline import _package_text
from make_metrics.report.run import timeline
from make_metrics.report.run.summary import Run
from tests.support.builds import build_of, target
from tests.support.project import Project

CHROMIUM = browser.executable()
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: chromium)")
HOSTILE = [
    "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u202egnp.exe\u2066",
    "x" * 10_000,
    "'\"&amp;`${1}",
    "\x1b[31m\n",
    "日本語-שלום",
]
GUTTER, TOP, ROW = 34, 78, 18  # as in timeline.js


def nested_build() -> Build:
    lines = (RecipeLine(start_us=0, end_us=300_000), RecipeLine(start_us=300_000, end_us=1_000_000, status=2))
    return build_of(
        target("a", 0, 1_000, lines=lines, status=2),
        target("sub", 0, 2_000),
        target("inner", 100, 1_900, make=1),
        target("last", 2_000, 4_000, "sub", cpu_us=1_500_000, peak_kib=20_480),
        jobs=2,
        makes=[MakeProcess(number=1, parent=0, parent_target="sub", level=1, directory="/project/lib", jobs=2)],
    )


def write(build: Build, path: Path) -> Path:
    run = Run(build, "1a2b", findings(build, plan(build)))
    pieces = timeline.page(run, script=_package_text("timeline.js"), style=_package_text("timeline.css"))
    path.write_text("".join(pieces), errors="backslashreplace")
    return path


@pytest.fixture(scope="module")
def page() -> Iterator[browser.Page]:
    """A page of one Chromium for all tests."""
    assert CHROMIUM is not None
    with ExitStack() as stack:
        try:
            page = stack.enter_context(browser.chromium(CHROMIUM))
        except (
            TimeoutError,
            BrokenPipeError,
        ) as error:  # as in a container without user namespaces, for who is not root
            pytest.skip(f"Chromium does not start here: {error}")
        yield page


def opened(page: browser.Page, path: Path, *, dark: bool = False) -> browser.Page:
    page.open(browser.url_of(path), dark=dark)
    return page


def complaints(page: browser.Page) -> list[dict[str, Any]]:
    """Errors of the page's script, refusals of its policy, dialogs, and requests other than for the page itself."""
    page.value("1")
    kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
    found = [event for event in page.events if event.get("method") in kinds]
    requests = [event for event in page.events if event.get("method") == "Network.requestWillBeSent"]
    addresses = [event["params"]["request"]["url"] for event in requests]
    return found + [{"url": address} for address in addresses[1:] + [each for each in addresses if each[:5] != "file:"]]


def place(page: browser.Page, time_us: float, row: int) -> tuple[float, float]:
    """Where a time of a row of the picture is on the screen; each lane above a row adds 4 pixels."""
    box = page.value("(({x, y, width}) => ({x, y, width}))(chart.getBoundingClientRect())")
    start, end = (int(page.value(f"chart.dataset.{side}")) for side in ("from", "to"))
    across = GUTTER + (time_us - start) / (end - start) * (box["width"] - 2 - GUTTER)
    return box["x"] + 1 + across, box["y"] + 1 + TOP + row * ROW + 8


def shown(page: browser.Page) -> tuple[int, int]:
    return int(page.value("chart.dataset.from")), int(page.value("chart.dataset.to"))


def rows(page: browser.Page) -> list[list[str]]:
    found: list[list[str]] = page.value(
        "[...table.tBodies[0].rows].map((row) => [...row.cells].map((c) => c.textContent))"
    )
    return found


def test_the_command_writes_one_file_and_says_its_name(project: Project) -> None:
    project.write("all: a\n\t@true\na:\n\t@true\n")
    assert project.make().returncode == 0
    done = project.cli("timeline")
    assert (done.returncode, done.stderr) == (0, "")
    name = done.stdout.strip()
    assert name.startswith("make-timeline-")
    assert name.endswith(".html")
    text = (project.folder / name).read_text()
    assert text.startswith("<!doctype html>")
    assert project.cli("timeline", "-o", "-").stdout == text
    assert project.cli("timeline", "last", "-o", "x.html", "--open").returncode in (
        0,
        1,
    )  # no browser in a test's PATH?
    assert (project.folder / "x.html").read_text() == text
    assert project.cli("timeline", "-o", "-", "--open").returncode == 1


@needs_chromium
def test_the_picture_is_searched_zoomed_and_clicked(page: browser.Page, tmp_path: Path) -> None:
    opened(page, write(nested_build(), tmp_path / "t.html"))
    assert shown(page) == (0, 4_000_000)
    page.click(*place(page, 3_000_000, 0))
    details = page.value("details.textContent").splitlines()
    assert details == ["last", "2.00s, from 2.00s to 4.00s", "on the critical path", "1.50s of processor time",
                       "20 MiB of memory at most"]  # fmt: skip
    page.click(*place(page, 1_000_000, 1))
    assert page.value("details.textContent").splitlines()[0] == "inner (lib)"
    assert "inside sub" in page.value("details.textContent")
    # Hover: the first line of a target that failed.
    x, y = place(page, 500_000, 0)
    page.mouse("mouseMoved", x, y)
    assert page.value("hover.hidden") is False
    hover = page.value("hover.textContent").splitlines()
    assert {"sub", "a"} & {hover[0]}
    # Zoom by wheel, keys and buttons, and pan.
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-400, modifiers=2)
    zoomed = shown(page)
    assert zoomed[1] - zoomed[0] < 2_500_000
    assert zoomed[0] < 500_000 < zoomed[1]
    page.value("chart.focus()")
    page.key("ArrowRight")
    assert shown(page)[0] > zoomed[0]
    page.key("0")
    assert shown(page) == (0, 4_000_000)
    page.key("w")
    assert shown(page) != (0, 4_000_000)
    page.click(*place(page, 2_500_000, 0), count=2)
    assert shown(page)[0] > 0 or shown(page)[1] <= 4_000_000
    page.value("all.click()")
    assert shown(page) == (0, 4_000_000)
    assert complaints(page) == []


@needs_chromium
def test_dragging_moves_the_picture(page: browser.Page, tmp_path: Path) -> None:
    opened(page, write(nested_build(), tmp_path / "t.html"))
    page.value("document.getElementById('in').click()")
    before = shown(page)
    x, y = place(page, sum(before) / 2, 0)
    page.mouse("mousePressed", x, y, button="left", clickCount=1)
    page.mouse("mouseMoved", x + 50, y, button="left")
    page.mouse("mouseMoved", x + 100, y, button="left")
    page.mouse("mouseReleased", x + 100, y, button="left", clickCount=1)
    after = shown(page)
    assert after[0] < before[0]
    assert after[1] - after[0] == pytest.approx(before[1] - before[0], abs=2)
    assert page.value("details.textContent") == ""  # a drag is no click


@needs_chromium
def test_a_search_finds_in_the_picture_and_in_the_table(page: browser.Page, tmp_path: Path) -> None:
    opened(page, write(nested_build(), tmp_path / "t.html"))
    page.key("/")
    page.type("LIB")
    assert page.value("matches.textContent") == "1 of 4"
    assert [row[0] for row in rows(page)] == ["inner (lib)"]
    page.key("Enter")
    assert page.value("details.textContent").splitlines()[0] == "inner (lib)"
    assert shown(page)[1] - shown(page)[0] <= 4_000_000
    page.key("Escape")
    assert page.value("matches.textContent") == ""
    assert len(rows(page)) == 4


@needs_chromium
def test_the_table_has_what_the_picture_has_and_is_sorted(page: browser.Page, tmp_path: Path) -> None:
    opened(page, write(nested_build(), tmp_path / "t.html"))
    assert page.value("[...table.tHead.rows[0].cells].map((cell) => cell.textContent)") == [
        "target", "start", "time", "processor", "lines", "ended", "critical path",
    ]  # fmt: skip
    assert rows(page) == [
        ["sub", "0", "2.00s", "", "", "passed", "yes"],
        ["last", "2.00s", "2.00s", "1.50s", "", "passed", "yes"],
        ["inner (lib)", "100ms", "1.80s", "", "", "passed", "yes"],
        ["a", "0", "1.00s", "", "2", "status 2", ""],
    ]
    page.value("table.tHead.rows[0].cells[0].firstChild.click()")
    assert [row[0] for row in rows(page)] == ["a", "inner (lib)", "last", "sub"]
    assert page.value("table.tHead.rows[0].cells[0].getAttribute('aria-sort')") == "ascending"
    page.value("table.tBodies[0].rows[2].click()")
    assert page.value("details.textContent").splitlines()[0] == "last"
    assert "4 targets" in page.value("chart.getAttribute('aria-label')")
    assert page.value("chart.tabIndex") == 0


@needs_chromium
def test_a_hostile_name_is_only_text(page: browser.Page, tmp_path: Path) -> None:
    targets = [target(name, 10 * at, 10 * at + 9, status=at % 2) for at, name in enumerate(HOSTILE)]
    makes = [MakeProcess(number=1, directory="/<b>", goals=("<i>",))]
    build = build_of(*targets, jobs=2, makes=makes, branch="<script>alert(2)</script>", commit="</title>" * 9)
    opened(page, write(build, tmp_path / "t.html"))
    for at in range(len(HOSTILE)):
        page.value(f"table.tBodies[0].rows[{at}].click()")
        assert page.value("details.textContent") != ""
    labels = [row[0] for row in rows(page)]
    assert HOSTILE[0] in labels
    assert HOSTILE[1] in labels
    assert "\\u202egnp.exe\\u2066" in labels  # what would turn the line around is escaped
    assert "\\x1b[31m\\n" in labels
    assert HOSTILE[4] in labels
    assert HOSTILE[7] in labels
    assert page.value("document.images.length + document.scripts.length - 2") == 0
    assert page.value("document.querySelectorAll('b, i').length") == 0
    assert page.value("document.body.scrollWidth <= innerWidth")
    assert complaints(page) == []


@needs_chromium
def test_the_policy_lets_nothing_else_run_or_load(page: browser.Page, tmp_path: Path) -> None:
    path = write(nested_build(), tmp_path / "t.html")
    path.write_text(
        path.read_text().replace("</body>", "<script>document.title = 'changed'</script><img src=x></body>")
    )
    opened(page, path)
    assert page.value("document.title") == "make all"
    refused = [
        event["params"]["entry"]["text"] for event in complaints(page) if event.get("method") == "Log.entryAdded"
    ]
    assert len([text for text in refused if "Content Security Policy" in text]) >= 2
    assert page.value("fetch('file:///etc/passwd').then(() => 'read', () => 'refused')") == "refused"


@needs_chromium
@pytest.mark.parametrize("dark", [False, True])
def test_it_is_light_or_dark_as_the_system_says_and_prints_without_its_tools(
    page: browser.Page, tmp_path: Path, dark: bool
) -> None:
    opened(page, write(nested_build(), tmp_path / "t.html"), dark=dark)
    corner = "[...chart.getContext('2d').getImageData(2, chart.height - 3, 1, 1).data].slice(0, 3)"
    assert (max(page.value(corner)) < 60) is dark
    page.value("dispatchEvent(new Event('beforeprint'))")
    assert min(page.value(corner)) > 200
    page.value("dispatchEvent(new Event('afterprint'))")
    assert (max(page.value(corner)) < 60) is dark
    page.send("Emulation.setEmulatedMedia", media="print")
    assert page.value("getComputedStyle(tools).display") == "none"
    page.send("Emulation.setEmulatedMedia", media="")


def big_build(count: int) -> Build:
    """A run of -j8 whose targets have names as those of a large project."""
    targets, ends = [], [0] * 8
    for at in range(count):
        lane = at % 8
        start, length = ends[lane], 20 + at * 7919 % 400
        ends[lane] = start + length + 3
        cuts = [start * 1_000, *([(start + length // 2) * 1_000] if at % 3 == 0 else []), (start + length) * 1_000]
        lines = tuple(RecipeLine(start_us=cuts[each], end_us=cuts[each + 1]) for each in range(len(cuts) - 1))
        name = f"build/src/module{at // 40}/part_{at * 31 % 1000}_{at}.o"
        usage = {"cpu_us": length * 900, "peak_kib": 20_000 + at * 37 % 90_000}
        targets.append(target(name, start, start + length, lines=lines, **usage))  # type: ignore[arg-type]
    return build_of(*targets, jobs=8)


@needs_chromium
def test_twenty_thousand_targets_stay_small_and_smooth(page: browser.Page, tmp_path: Path) -> None:
    path = write(big_build(20_000), tmp_path / "t.html")
    assert path.stat().st_size <= 20_000 * 60 + 150 * 1024
    opened(page, path)
    assert rows(page)[0][0].startswith("build/src/")
    times = [float(page.value("chart.dataset.drawMs"))]
    for _ in range(12):
        page.value("document.getElementById('in').click()")
        times.append(float(page.value("chart.dataset.drawMs")))
    assert sorted(times)[len(times) // 2] < 40, times
    page.key("/")
    page.type("module77/")
    assert page.value("matches.textContent") == "40 of 20000"
    assert complaints(page) == []


def test_a_page_without_targets_is_whole(tmp_path: Path) -> None:
    text = write(build_of(), tmp_path / "t.html").read_text()
    data = json.loads(text.partition('id="data">')[2].partition("</script>")[0])
    assert data["targets"]["start"] == []
