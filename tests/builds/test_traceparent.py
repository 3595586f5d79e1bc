"""METRICS_TRACEPARENT: what recipes of real makes see, and what an OTLP receiver gets."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from make_metrics.deliver import traceparent
from make_metrics.deliver.trace import span_id, trace_id
from tests.support.project import Project, started, until
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import TEXT, Sharing

JOINED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SHOW = "@echo $@ $$TRACEPARENT"
MAKEFILE = f"""\
METRICS_TRACEPARENT := 1
all: ./a é nested
\t{SHOW}
./a:
\t{SHOW}
\t@printenv TRACEPARENT
é:
\t{SHOW}
nested:
\t@$(MAKE) --no-print-directory -C below
\t{SHOW}
.PHONY: all ./a é nested
"""


def write(project: Project) -> None:
    project.write(MAKEFILE)
    project.write(f"METRICS_TRACEPARENT := 1\nx:\n\t{SHOW}\n.PHONY: x\n", "below/Makefile")


def shown(text: str) -> dict[str, str]:
    return {line.split()[0].removeprefix("./"): line.split()[1] for line in text.splitlines() if " " in line}


def spans(project: Project, anonymous_id: str = "") -> dict[str, tuple[str, str]]:
    """The trace and span of each target that was recorded."""
    documents = [json.loads(line) for line in project.cli("events").stdout.splitlines()]
    return {
        event["local"]["target"]: (
            trace_id(event["local"]["run"], anonymous_id), span_id(event["messageId"], anonymous_id)
        )
        for event in documents
    }  # fmt: skip


def test_each_line_names_the_span_of_its_target(each: Project) -> None:
    write(each)
    done = each.make("-j2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = shown(done.stdout)
    assert set(lines) == {"all", "a", "é", "nested", "x"}
    assert lines["a"] in done.stdout.splitlines()  # also of a line that make starts without a shell
    for target, ids in spans(each).items():
        assert traceparent.parse(lines[target]) == ids, target


def test_it_is_off_unless_the_makefile_asks(each: Project) -> None:
    for value in ("", "METRICS_TRACEPARENT := 0\n", "METRICS_TRACEPARENT :=\n"):
        each.write(f"{value}all:\n\t@echo all $${{TRACEPARENT-unset}}\n")
        assert each.make().stdout == "all unset\n"


def test_a_trace_that_make_is_started_in_is_kept(each: Project) -> None:
    write(each)
    done = each.make(env=each.environment(TRACEPARENT=JOINED))
    lines = shown(done.stdout)
    assert {line[3:35] for line in lines.values()} == {JOINED[3:35]}
    assert {target: line[36:52] for target, line in lines.items()} == {
        target: span for target, (_, span) in spans(each).items()
    }


def test_umask_status_and_signals_are_as_without_it(each: Project) -> None:
    each.write("METRICS_TRACEPARENT := 1\nall:\n\t@umask; sh -c 'exit 7'\nlong:\n\t@touch begun; exec sleep 60\n")
    done = each.run(["sh", "-c", 'umask 0277; "$0"', each.make_path])
    assert (done.stdout, done.returncode) == ("0277\n", 2)
    assert "Error 7" in done.stderr
    with started(each.start("long")) as make:
        until((each.folder / "begun").exists)
        make.send_signal(signal.SIGTERM)
        assert make.wait(60) == -signal.SIGTERM


def test_where_nothing_can_be_recorded_the_line_runs_without_it(each: Project) -> None:
    each.write("METRICS_TRACEPARENT := 1\nall:\n\t@echo all $${TRACEPARENT-unset}\n")
    each.paths.state.parent.mkdir(parents=True, exist_ok=True)
    each.paths.state.write_text("no directory")
    done = each.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all unset\n", "")


def test_after_a_yes_it_is_what_receivers_get(tmp_path: Path, home: Path, receiver: Receiver) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), receiver)
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}\n[[sinks]]\ntype = "otlp"\nhost = "{receiver.host}"\n'
    )
    sharing.project.write(f"METRICS_TRACEPARENT := 1\nall: b\n\t{SHOW}\nb:\n\t{SHOW}\n.PHONY: all b\n")
    sharing.cli("opt-in", "--yes")
    done = sharing.project.make()
    previewed = sharing.cli("preview")
    for target, value in shown(done.stdout).items():
        ids = traceparent.parse(value)
        assert ids is not None, target
        trace, span = ids
        assert f'"traceId": "{trace}"' in previewed
        assert f'"spanId": "{span}"' in previewed
