"""From `make` to a real receiver of OTLP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from make_metrics.deliver.delivery import deliver
from make_metrics.properties.machine import System
from make_metrics.sweep.sweep import sweep
from tests.support.otlp_server import OtlpServer, otlp_server
from tests.support.project import SOURCE, Project, until
from tests.support.segment_receiver import Answer, Receiver
from tests.support.sharing_project import TEXT, Sharing

JOINED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def _server() -> Iterator[OtlpServer]:
    with otlp_server() as found:
        yield found


@pytest.fixture
def server(_server: OtlpServer) -> OtlpServer:
    _server.traces.clear()
    _server.metrics.clear()
    return _server


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver, server: OtlpServer) -> Sharing:
    """A project that sends to both, with a make below `all`'s prerequisite `outer`, by way of a file."""
    found = Sharing(Project(tmp_path / "project", home), receiver)
    found.project.write(
        """
        all: outer
            @echo all
        outer:
            @$(MAKE) --no-print-directory out/file
        out/file:
            @$(MAKE) --no-print-directory inner
        inner:
            @echo inner
        b:
            @echo b
        fails:
            @exit 3
        """
    )
    sinks = (("segment", f'write-key = "key"\nhost = "{receiver.host}"'), ("otlp", f'host = "{server.url}"'))
    (found.project.folder / "make-metrics.toml").write_text(
        TEXT + "".join(f'\n[[sinks]]\ntype = "{kind}"\n{rest}\n' for kind, rest in sinks)
    )
    found.cli("opt-in", "--yes")
    found.cli("flush")
    server.traces.clear()
    server.metrics.clear()
    receiver.accepted.clear()
    return found


def named(server: OtlpServer) -> dict[str, dict[str, Any]]:
    spans = {span["name"]: span for span in server.spans}
    assert len(spans) == len(server.spans)
    return spans


def test_a_run_is_a_trace(sharing: Sharing, server: OtlpServer) -> None:
    sharing.make("all")
    previewed = sharing.cli("preview").splitlines()
    assert sharing.cli("flush") == "11 events sent\n"
    spans = named(server)
    assert set(spans) == {"RUN Example", "all", "outer", "inner"}
    assert len({span["traceId"] for span in spans.values()}) == 1
    parents = {name: span.get("parentSpanId") for name, span in spans.items()}
    root = spans["RUN Example"]["spanId"]
    # The file between them stays here: `inner` is below the next target that does not.
    assert parents == {"RUN Example": None, "all": root, "outer": root, "inner": spans["outer"]["spanId"]}
    assert {span["resource"]["service.instance.id"] for span in spans.values()} == {sharing.status()["id"]}
    assert spans["inner"]["attributes"]["make.level"] == 2
    first, last = int(spans["RUN Example"]["startTimeUnixNano"]), int(spans["RUN Example"]["endTimeUnixNano"])
    for span in spans.values():
        assert first <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]) <= last
    points = {point["attributes"].get("cicd.pipeline.task.name", point["name"]): point for point in server.points}
    assert set(points) == {"cicd.pipeline.run.duration", "all", "outer", "inner"}
    assert {(point["unit"], point["temporality"], point["count"]) for point in points.values()} == {("s", 1, "1")}
    for name, point in points.items():
        span = spans["RUN Example" if "." in name else name]
        assert round(point["sum"] * 1e9) == int(span["endTimeUnixNano"]) - int(span["startTimeUnixNano"])
    # What was shown before is what was sent, byte by byte; and what Segment gets has nothing of a trace.
    sent = sharing.cli("sent").splitlines()
    for kind in ("traces", "metrics"):
        line = previewed.index(f"POST {server.url}/v1/{kind}")
        assert previewed[line + 1].startswith("protobuf, ")
        assert previewed[line + 1] in sent
        assert previewed[line + 2] in sent
    (body,) = (json.loads(line) for line in previewed if line.startswith('{"batch"'))
    assert not any("trace" in message for message in [*sharing.receiver.accepted, *body["batch"]])
    assert set(sharing.receiver.commands) == {"all", "inner", "outer"}


def test_a_run_joins_the_trace_that_make_was_started_in(sharing: Sharing, server: OtlpServer) -> None:
    sharing.make("all", TRACEPARENT=JOINED)
    sharing.make("outer", TRACEPARENT="00-nonsense-01")
    assert '"traceId": "0af7651916cd43dd8448eb211c80319c"' in sharing.cli("preview")
    sharing.cli("flush")
    joined = [span for span in server.spans if span["traceId"] == "0af7651916cd43dd8448eb211c80319c"]
    assert {span["name"] for span in joined} == {"RUN Example", "all", "outer", "inner"}
    assert [span["name"] for span in joined if span["parentSpanId"] == "b7ad6b7169203331"] == ["RUN Example"]
    assert len(server.spans) - len(joined) == 3
    assert len({span["traceId"] for span in server.spans}) == 2
    assert b"0af7651916cd43dd8448eb211c80319c" not in b"".join(sharing.receiver.bodies)


def test_a_makefile_cannot_choose_the_trace(sharing: Sharing, server: OtlpServer) -> None:
    sharing.project.write(f"export TRACEPARENT := {JOINED}\nall:\n\t@$(MAKE) --no-print-directory b\nb:\n\t@echo b\n")
    sharing.make("all")
    sharing.cli("flush")
    assert {span["name"] for span in server.spans} == {"RUN Example", "all", "b"}
    assert "0af7651916cd43dd8448eb211c80319c" not in {span["traceId"] for span in server.spans}


def test_a_failed_run_is_an_error_in_its_span(sharing: Sharing, server: OtlpServer) -> None:
    assert sharing.project.make("fails").returncode == 2
    until(lambda: all(b"\nM " in path.read_bytes() for path in sharing.project.records()))
    sharing.cli("flush")
    spans = named(server)
    assert set(spans) == {"RUN Example", "fails"}
    assert {span["status"]["code"] for span in spans.values()} == {"STATUS_CODE_ERROR"}
    assert spans["fails"]["attributes"]["process.exit.code"] == 3
    assert spans["RUN Example"]["attributes"]["cicd.pipeline.result"] == "failure"


def test_after_an_outage_everything_is_there_once(sharing: Sharing, receiver: Receiver) -> None:
    settings = sharing.project.folder / "make-metrics.toml"
    settings.write_text(f'{TEXT}\n[[sinks]]\ntype = "otlp"\nhost = "{receiver.host}"\n')
    sharing.cli("opt-in", "--yes")
    receiver.requests.clear()
    sharing.make("b")
    assert sweep(sharing.paths).problems == []
    receiver.answers(503, Answer(deed="reset"), Answer(deed="garbage"), 500, Answer(deed="cut-short"))
    assert [len(deliver(sharing.paths, {}, timeout_s=20).problems) for _ in range(5)] == [2, 2, 1, 0, 0]
    assert [request.path.rpartition("/")[2] for request in receiver.requests] == ["traces", "metrics"] * 3 + ["traces"]
    assert len({request.body for request in receiver.requests}) == 2  # so that a receiver can tell what it has already


def test_another_receiver_pauses_sending_and_a_missing_library_delays_it(sharing: Sharing, tmp_path: Path) -> None:
    (tmp_path / "no" / "opentelemetry").mkdir(parents=True)
    (tmp_path / "no" / "opentelemetry" / "__init__.py").write_text("")
    without = {"PYTHONPATH": f"{SOURCE}:{tmp_path / 'no'}"}
    sharing.make("inner")
    assert sharing.cli("flush", status=1, environ=without) == "1 event sent\n"
    assert "sink \"otlp\" lacks a library: pip install 'make-metrics[otlp]': 2 events wait" in sharing.errors
    assert "pip install 'make-metrics[otlp]'" in sharing.status(**without)["problems"][0]
    assert "pip install 'make-metrics[otlp]'" in sharing.cli("doctor", status=1, environ=without)
    assert sharing.cli("flush") == "4 events sent\n"
    settings = sharing.project.folder / "make-metrics.toml"
    settings.write_text(f'{settings.read_text()}service = "build"\n')
    assert sharing.mode() == ("local", "decision")


def test_metrics_that_the_project_asks_for_are_attributes_of_spans(sharing: Sharing, server: OtlpServer) -> None:
    settings = sharing.project.folder / "make-metrics.toml"
    settings.write_text(f'metrics = ["os", "jobs"]\nsend-opt-out = true\n{settings.read_text()}')
    assert "  os: " in sharing.cli("opt-in", "--yes")
    sharing.cli("flush")
    server.traces.clear()
    sharing.make("b")
    for shown in (sharing.cli("flush", environ={"MAKE_METRICS": "log"}), sharing.cli("preview")):
        assert '"make.os"' in shown
    assert sharing.cli("flush") == "5 events sent\n"
    assert '"make.os"' in sharing.cli("preview")  # of the same event, computed again
    attributes = {name: span["attributes"] for name, span in named(server).items()}
    assert attributes["b"]["make.os"] in System.choices
    assert attributes["b"]["make.jobs"] == 1
    assert not {"make.os", "make.jobs"} & attributes["RUN Example"].keys()
    server.traces.clear()
    said = sharing.cli("opt-out", environ={"MAKE_METRICS": "log"})
    assert f"POST {server.url}/v1/traces\nprotobuf, " in said
    assert server.spans == []
