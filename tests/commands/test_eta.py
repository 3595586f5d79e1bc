"""`make-metrics eta`, from real makes and while one runs."""

from __future__ import annotations

import json

from tests.support.project import Project, started, until

MAKEFILE = """\
all quick:
\t@sleep $(or $(SECONDS),0.05)
broken:
\t@exit 3
"""


def test_the_runs_before_say_how_long_it_takes(each: Project) -> None:
    each.write(MAKEFILE)
    for seconds in ("0.05", "0.1", "0.15", "0.2", "0.4"):
        assert each.make(f"SECONDS={seconds}").returncode == 0
    assert each.make("quick", "SECONDS=0").returncode == 0
    done = each.cli("eta", "all", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["version"], document["goals"], document["runs"], document["running_ms"]) == (1, ["all"], 5, None)
    runs = json.loads(each.cli("runs", "--json").stdout)
    durations = sorted(run["duration_ms"] for run in runs if run["goals"] == ["all"])
    assert [document["low_ms"], document["median_ms"], document["high_ms"]] == durations[1:4]
    assert durations[2] >= 150
    text = each.cli("eta", "all").stdout
    assert text.startswith("make all takes about ")
    assert "half of its newest 5 runs took " in text
    assert each.cli("eta").stdout.startswith("make quick takes about ")
    assert each.cli("eta").stdout.endswith(": as its only run did.\n")


def test_of_a_make_that_runs_it_says_what_is_left(each: Project) -> None:
    each.write(MAKEFILE)
    assert each.make("SECONDS=1").returncode == 0
    with started(each.start("all", "SECONDS=60")):
        until(each.records)
        document = json.loads(each.cli("eta", "--json").stdout)
        assert document["goals"] == ["all"]
        assert document["running_ms"] > 0
        assert document["left_ms"] == max(document["median_ms"] - document["running_ms"], 0)
        assert each.cli("eta").stdout.startswith("make all has been running for ")


def test_a_failed_run_counts_only_where_all_failed(project: Project) -> None:
    project.write("all:\n\t@$(FAIL) sleep 0.3\n")
    assert project.make("FAIL=exit 1;").returncode == 2
    failed = json.loads(project.cli("eta", "--json").stdout)
    assert failed["runs"] == 1
    assert project.make().returncode == 0
    assert json.loads(project.cli("eta", "--json").stdout)["median_ms"] >= 300


def test_without_a_run_it_says_what_to_do(project: Project) -> None:
    project.write(MAKEFILE)
    done = project.cli("eta")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no run of this project is recorded yet" in done.stderr
    assert project.make().returncode == 0
    done = project.cli("eta", "nothing")
    assert done.returncode == 1
    assert "no run of this project was make nothing: make-metrics runs lists them" in done.stderr


def test_another_projects_runs_are_not_counted(project: Project) -> None:
    project.write("all:\n\t@sleep 0.3\n")
    (project.folder / "elsewhere").mkdir()
    (project.folder / "elsewhere/make-metrics.toml").write_text('name = "x"\n')
    project.write("all:\n\t@:\n", "elsewhere/Makefile")
    assert project.make("-C", "elsewhere").returncode == 0
    assert json.loads(project.cli("eta", "all", "-C", "elsewhere", "--json").stdout)["runs"] == 1
    assert project.make().returncode == 0
    assert json.loads(project.cli("eta", "all", "-C", "elsewhere", "--json").stdout)["runs"] == 1
    assert json.loads(project.cli("eta", "all", "--json").stdout)["runs"] == 2  # what lies below belongs to it
