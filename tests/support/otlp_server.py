"""A real OTLP receiver: `@elastic/mockotlpserver` from npm, installed once beside the tests' environment."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support import npm
from tests.support.project import started, until

PACKAGE, VERSION = "@elastic/mockotlpserver", "0.10.0"
_SCRIPT = Path(__file__).with_suffix(".js")


@dataclass(slots=True)
class OtlpServer:
    """The requests so far, as the receiver decoded them: `traces` and `metrics`."""

    url: str = ""
    traces: list[dict[str, Any]] = field(default_factory=list)
    metrics: list[dict[str, Any]] = field(default_factory=list)

    @property
    def spans(self) -> list[dict[str, Any]]:
        """All spans, each with its resource's attributes as `resource`."""
        return [
            {**span, "resource": resource["resource"]["attributes"]}
            for request in self.traces
            for resource in request["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]

    @property
    def points(self) -> list[dict[str, Any]]:
        """All points of histograms, each with its metric's `name`, `unit` and `temporality`."""
        return [
            {
                **point,
                "name": metric["name"],
                "unit": metric["unit"],
                "temporality": metric["histogram"]["aggregationTemporality"],
            }
            for request in self.metrics
            for resource in request["resourceMetrics"]
            for scope in resource["scopeMetrics"]
            for metric in scope["metrics"]
            for point in metric["histogram"]["dataPoints"]
        ]


def install() -> str:
    """Install the package unless it is there; the reason if that is impossible, else empty."""
    return npm.cannot_install(PACKAGE, VERSION)


@contextmanager
def otlp_server() -> Iterator[OtlpServer]:
    """Run the receiver on a free port."""
    server = OtlpServer()
    missing = install()
    if missing:
        pytest.skip(missing)
    command = ["node", str(_SCRIPT), str(npm.folder(PACKAGE, VERSION))]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with started(process):
        assert process.stdout is not None

        def listen(lines: Iterator[str]) -> None:
            for line in lines:
                entry = json.loads(line)
                if entry["kind"] == "url":
                    server.url = entry["value"].rstrip("/")
                else:
                    getattr(server, entry["kind"]).append(entry["value"])

        thread = threading.Thread(target=listen, args=(iter(process.stdout),), daemon=True)
        thread.start()
        until(lambda: server.url or process.poll() is not None, seconds=60)
        assert server.url, "the receiver did not start"
        yield server
        process.kill()
        thread.join(20)


if __name__ == "__main__":  # ci/test, so that no test has to wait for it
    sys.stderr.write(f"{reason}\n" if (reason := install()) else "")
