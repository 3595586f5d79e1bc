"""`make-metrics view`, and the made-up team of `make-metrics serve --demo`: as processes, looked at by a client."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.project import SOURCE, Project
from tests.support.team_site import Client


@contextlib.contextmanager
def pages(environ: Mapping[str, str], *words: str, said: list[str] | None = None) -> Iterator[Client]:
    """A client that is logged in at the pages that a command serves; at the end Ctrl-C.

    The second line that the command prints is added to `said`.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "make_metrics", *words],
        env={**environ, "PYTHONPATH": str(SOURCE)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        match = re.fullmatch(r"(http://127\.0\.0\.1:\d+)(/login\?token=\S+)", address)
        assert match, address
        (said if said is not None else []).append(process.stdout.readline().strip())
        client = Client(match[1])
        assert client.get("/").status == 303  # nobody looks without the token, also on this machine
        assert client.get(match[2]).headers["location"] == "/"
        yield client
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, -signal.SIGINT, 130)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("make-metrics-")]


def test_view_shows_what_was_recorded_here_and_keeps_nothing(project: Project, tmp_path: Path) -> None:
    project.write("all: a\n\t@true\na:\n\t@sleep 0.01\nbad:\n\t@exit 3\n")
    assert project.make().returncode == 0
    assert project.make("bad").returncode == 2
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pages(project.environment(TMPDIR=str(scratch)), "view") as client:
        assert len(left_over(scratch)) == 1
        assert (scratch / left_over(scratch)[0]).stat().st_mode & 0o777 == 0o700
        text = client.get("/projects/1/time").body.decode()
        # One person is no too small group of one's own store.
        assert re.findall(r'<bdi class="name">([^<]+)</bdi>', text).count("a") == 1
        failures = client.get("/projects/1/failures").body.decode()
        assert re.search(r'class="name">bad</bdi></a></td>\s*<td class="number" data-value="1">1</td>', failures)
        (run, *_) = re.findall(r'href="run\?run=([0-9a-f-]+)"', client.get("/projects/1/run").body.decode())
        assert client.get(f"/projects/1/run?run={run}").body.count(b"<rect") in (1, 2)
        assert client.post("/v1/batch", {}).status == 404
    assert left_over(scratch) == []


def test_view_of_a_project_has_the_runs_below_it_too(project: Project, tmp_path: Path) -> None:
    project.write("all: ; @true\n")
    project.write("inner: ; @true\n", name="sub/Makefile")
    (project.folder / ".git").mkdir()
    assert project.make("-C", "sub").returncode == 0
    assert project.make().returncode == 0
    (tmp_path / "elsewhere").mkdir()
    for words in ([], ["-C", str(project.folder / "sub")]):
        with pages(project.environment(TMPDIR=str(tmp_path)), "view", *words) as client:
            assert client.get("/").headers["location"] == "/projects/1/time"  # one project, so no list of them
            shown = re.findall(r'<bdi class="name">([^<]+)</bdi>', client.get("/projects/1/time").body.decode())
            assert sorted(shown) == ["all", "inner"]
    done = project.cli("view", "-C", str(tmp_path / "elsewhere"))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"nothing is recorded of {tmp_path}/elsewhere" in done.stderr


def test_view_says_that_nothing_is_recorded(project: Project) -> None:
    done = project.cli("view")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing is recorded here yet" in done.stderr


def test_the_demo_has_something_to_find_on_each_page(tmp_path: Path) -> None:
    said: list[str] = []
    with pages(
        {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}, "serve", "--demo", "--port", "0", said=said
    ) as client:
        slower = client.get("/projects/1/slower").body.decode()
        assert re.search(r'class="name">test</bdi></a></td>\s*<td>slower', slower)
        assert b">docs.pdf<" in client.get("/projects/1/use?days=28").body
        assert b"signal 2 (Ctrl-C)" in client.get("/projects/1/failures?days=91").body
        for name in ("time", "target?target=test", "first-day", "health"):
            page = client.get(f"/projects/1/{name}")
            assert (page.status, b"Nothing to show in this period" in page.body) == (200, name == "health")
        new = client.get("/projects/1/first-day?csv=weeks").body.decode().splitlines()[1:]
        assert len(new) == 2
        assert sum(int(line.split(",")[1]) for line in new) == 7
        match = re.fullmatch(r"then one run: http://127\.0\.0\.1:\d+(/projects/1/run\?run=\S+)", said[0])
        assert match, said
        assert b"deploy.staging" in client.get(match[1]).body
    assert left_over(tmp_path) == []
