"""The pages in a real Chromium: what loads and runs, hostile names, keys, widths, dark, without JavaScript."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from ci import browser
from make_metrics.server.pages.app import VIEWS
from make_metrics.server.projects.projects import add_project
from make_metrics.server.projects.tokens import add_token
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.storage.database import open_database
from make_metrics.server.storage.rollups import refresh
from tests.support.team_pages import MIDNIGHT, team_messages
from tests.support.team_receiver import message, sqlite_url
from tests.support.team_site import site

RUN = "0d7c2f1e-5a0e-5d0a-9c52-3f1d52a4b901"
CHROMIUM = browser.executable()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here (Debian: chromium)")
HOSTILE = (
    "<img src=http://127.0.0.1:9/x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</title></svg><script>alert(1)</script>",
    "\u202egnp.exe\u2066",
    "'\"&amp;`${1}",
    "\x1b[31m\n",
    "日本語-שלום",
    "x" * 200,
)


class Browser:
    """A page of a Chromium that is logged in at a site."""

    def __init__(self, page: browser.Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, path: str, **more: Any) -> None:
        self.page.open(f"{self.url}{path}", **more)

    def complaints(self) -> list[Any]:
        """Errors of scripts, refusals of the policy, dialogs, and requests to others."""
        self.page.value("1")
        kinds = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
        found: list[Any] = [event for event in self.page.events if event.get("method") in kinds]
        sent = [event for event in self.page.events if event.get("method") == "Network.requestWillBeSent"]
        addresses = [event["params"]["request"]["url"] for event in sent]
        # Chromium's own pictures in fields for dates and searches are data.
        return found + [address for address in addresses if not address.startswith((self.url, "data:image/svg+xml;"))]

    def until(self, expression: str) -> None:
        """Wait until an expression of JavaScript is true."""
        give_up = time.monotonic() + 60
        while True:
            try:
                if self.page.value(expression):
                    return
            except RuntimeError:  # the page is just being left
                pass
            assert time.monotonic() < give_up, expression


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium at a site with hostile names, for all tests."""
    assert CHROMIUM is not None
    database = open_database(sqlite_url(Path(tmp_path_factory.mktemp("pages"))))
    add_project(database, "team")
    sent = team_messages(7, 400)
    for name in HOSTILE:
        for number in range(8):
            for person in range(4):
                who = str(uuid.uuid5(uuid.NAMESPACE_URL, str(person)))
                at = MIDNIGHT - timedelta(days=2 * number, seconds=-1)
                sent.append(message(who, target=name, at=at, exit_status=number % 3, os="linux"))
    for number, name in enumerate(("all", "lib & <b>", *HOSTILE)):
        at = MIDNIGHT - timedelta(days=1, seconds=-number)
        more = {"goal": not number, "duration_ms": 900 + 20_000 * (not number), "exit_status": 2 * (number == 1)}
        sent.append(message(str(uuid.uuid4()), target=name, at=at, run_id=RUN, **more))
    import_messages(database, "team", sent, any_command=True)
    refresh(database)
    with ExitStack() as stack:
        url = stack.enter_context(site(database))
        try:
            page = stack.enter_context(browser.chromium(CHROMIUM))
        except (TimeoutError, BrokenPipeError) as error:  # as in a container without user namespaces
            pytest.skip(f"Chromium does not start here: {error}")
        page.open(f"{url}/login?token={add_token(database, None)}")
        yield Browser(page, url)
    database.close()


@pytest.mark.parametrize("name", VIEWS)
def test_no_page_runs_or_loads_anything_else(chromium: Browser, name: str) -> None:
    chromium.open(f"/projects/1/{name}?days=28")
    assert chromium.complaints() == []
    assert chromium.page.value("document.querySelectorAll('main h1').length") == 1
    assert chromium.page.value("document.querySelectorAll('img, iframe, script:not([src])').length") == 0


@pytest.mark.parametrize("target", HOSTILE[:-1])
def test_a_hostile_name_is_text(chromium: Browser, target: str) -> None:
    chromium.open(f"/projects/1/target?target={quote(target)}")
    assert chromium.complaints() == []
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in target)
    assert chromium.page.value("document.querySelector('h1 bdi').textContent") == shown
    # A name that controls something is not even taken.
    assert (chromium.page.value("document.querySelectorAll('table').length") >= 3) is target.isprintable()


def test_the_policy_stops_a_script_that_a_page_would_have(chromium: Browser) -> None:
    chromium.open("/projects/1/time")
    chromium.page.value(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        " document.body.append(s); new Image().src = 'http://127.0.0.1:9/leak'; })()"
    )
    assert chromium.page.value("window.hacked ?? 0") == 0
    refused = [event for event in chromium.page.events if event.get("method") == "Log.entryAdded"]
    assert len(refused) == 2
    assert all("Content Security Policy" in event["params"]["entry"]["text"] for event in refused)


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_pages_fit_narrow_and_wide_windows(chromium: Browser, width: int, dark: bool) -> None:
    for name in VIEWS:
        chromium.open(f"/projects/1/{name}?days=91&target=test", width=width, dark=dark)
        assert chromium.page.value("document.documentElement.scrollWidth") <= width, name
        ground, text = (
            sum(map(int, re.findall(r"\d+", chromium.page.value(f"getComputedStyle(document.body).{which}"))[:3]))
            for which in ("backgroundColor", "color")
        )
        assert (ground < text) is dark


def test_keys_lead_through_pages_and_tables(chromium: Browser) -> None:
    chromium.open("/projects/1/time?system=linux")
    chromium.page.key("Tab")
    assert chromium.page.value("document.activeElement.className") == "skip"
    chromium.page.key("Enter")
    chromium.until("location.hash === '#main'")
    chromium.page.key("3")
    chromium.until("location.pathname.endsWith('/target') && document.readyState === 'complete'")
    assert chromium.page.value("location.search") == "?system=linux"
    chromium.page.key("/")
    assert chromium.page.value("document.activeElement.name") == "target"
    chromium.page.type("lint")
    chromium.page.key("Enter")
    chromium.until("document.querySelector('h1 bdi')?.textContent === 'lint'")
    assert chromium.page.value("new URLSearchParams(location.search).get('system')") == "linux"


def test_a_filter_applies_at_once_and_a_table_is_sorted(chromium: Browser) -> None:
    chromium.open("/projects/1/time")
    chromium.page.value(
        "(() => { const s = document.querySelector('select[name=days]'); s.value = '91';"
        " s.dispatchEvent(new Event('change', {bubbles: true})); })()"
    )
    chromium.until("location.search.includes('days=91') && document.readyState === 'complete'")
    cells = "[...document.querySelector('tbody').rows].map((row) => Number(row.cells[2].dataset.value))"
    chromium.page.value("document.querySelectorAll('th button')[2].click()")
    runs = chromium.page.value(cells)
    assert runs == sorted(runs, reverse=True)
    chromium.page.value("document.querySelectorAll('th button')[2].click()")
    assert chromium.page.value(cells) == sorted(runs)


def test_a_run_is_an_interactive_timeline(chromium: Browser) -> None:
    chromium.open(f"/projects/1/run?run={RUN}")
    assert chromium.complaints() == []
    value, key = chromium.page.value, chromium.page.key
    visible = "[...document.querySelectorAll('%s')].map((part) => part.checkVisibility())"
    assert value(visible % "[data-plain]") == [False, False]
    assert value(visible % "#chart, #table, #search") == [True, True, True]
    # Names that control something were not taken: `all`, `lib & <b>` and six of HOSTILE are there.
    assert value("document.getElementById('rows').textContent") == "8 of 8 targets"
    shown = value("document.getElementById('chart').dataset.to")
    value("document.getElementById('chart').focus()")
    key("w")
    chromium.until(f"Number(document.getElementById('chart').dataset.to) < {shown}")
    key("0")
    chromium.until(f"document.getElementById('chart').dataset.to === '{shown}'")
    key("/")
    chromium.page.type("lib &")
    chromium.until("document.getElementById('matches').textContent === '1 of 8'")
    key("Enter")
    chromium.until("document.getElementById('details').textContent.includes('failed: status 2')")
    value("document.querySelector('#table a').click()")
    chromium.until("document.querySelector('h1 bdi')?.textContent === 'lib & <b>'")


def test_a_run_says_under_the_mouse_what_a_target_is(chromium: Browser) -> None:
    chromium.open(f"/projects/1/run?run={RUN}", width=900)
    box = "document.getElementById('chart').getBoundingClientRect()"
    left, top = chromium.page.value(f"[{box}.left, {box}.top]")
    for across in range(60, 840, 10):
        chromium.page.mouse("mouseMoved", left + across, top + 90)
        if not chromium.page.value("document.getElementById('hover').hidden"):
            break
    assert re.search(r"\n.*, from .* to ", chromium.page.value("document.getElementById('hover').textContent"))


def test_pages_work_without_javascript(chromium: Browser) -> None:
    chromium.page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        for name in VIEWS:
            chromium.open(f"/projects/1/{name}?target=test")
            root = chromium.page.send("DOM.getDocument", depth=0)["root"]["nodeId"]
            text = chromium.page.send("DOM.getOuterHTML", nodeId=root)["outerHTML"]
            assert "<th scope=" in text or name == "run"
            assert "<button>Show</button>" in text
            assert '<th scope="col"><button' not in text  # what only the script adds
        chromium.open(f"/projects/1/run?run={RUN}")
        root = chromium.page.send("DOM.getDocument", depth=0)["root"]["nodeId"]
        text = chromium.page.send("DOM.getOuterHTML", nodeId=root)["outerHTML"]
        assert text.count("<rect") == 8
        assert text.count("data-timeline hidden") + text.count('data-timeline="" hidden') == 2
    finally:
        chromium.page.send("Emulation.setScriptExecutionDisabled", value=False)
