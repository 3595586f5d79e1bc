"""`python -m ci.conformance --make PATH --out report.json`: run the suite; status 1 for any difference not approved."""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ci.build_launcher import sanitized
from ci.conformance import approved, cases, events, report
from ci.conformance.cases import Case, Mode
from ci.conformance.execute import PATH, Bench, heed_signals
from make_metrics.files.paths import private_directory
from make_metrics.setup import fragment


def prepare(root: Path, make: Path, *, compiled: bool) -> Bench:
    """A bench with a fragment as set-up writes it."""
    root.mkdir()
    bench = Bench(root, make, compiled=compiled)
    private_directory(bench.paths.data)
    (root / "bin").mkdir()
    (root / "bin" / "make").symlink_to(make)  # a case that says just "make" means this one
    bench.paths.fragment.write_text(fragment.render(bench.paths, compiled=compiled))
    return bench


# What the sanitizers themselves need, and a case takes away.
_NOT_SANITIZED = {"f06_limits": "an address space of 2 GB is less than AddressSanitizer reserves for itself"}


def _exchange_launcher(root: Path, other: Path) -> None:
    """Have the fragments of all benches below a root name another launcher."""
    for path in root.glob("b*/m/data/metrics.mk"):
        path.write_text(path.read_text().replace(str(fragment.launcher()), str(other)))


_SETTINGS = """name = "conformance"
collected-by = "nobody"
purpose = "to see that a yes changes no build"

[[sinks]]
type = "segment"
write-key = "key"
host = "http://127.0.0.1:9"
"""


@contextmanager
def agreed(root: Path) -> Iterator[None]:
    """The working folder below a root belongs to a project that its developer has said yes to."""
    settings = root / "make-metrics.toml"
    settings.write_text(_SETTINGS)
    env = {**os.environ, "MAKE_METRICS_HOME": str(root / "m")}
    command = [sys.executable, "-m", "make_metrics", "opt-in", "--yes", "-C", str(root)]
    try:
        subprocess.run(command, env=env, check=True, capture_output=True)
        yield
    finally:
        settings.unlink()


def examine(
    case: Case, mode: Mode, bench: Bench, approvals: list[approved.Approval], *, version: str
) -> report.Verdict:
    """One case in one mode: plain, then ours; `version` is the make's."""
    if case.needs:
        able = subprocess.run(["/bin/sh", "-c", case.needs], env={"PATH": PATH, "MAKE": str(bench.make)},
                              capture_output=True, check=False)  # fmt: skip
        if able.returncode:
            return report.Verdict(case.name, mode.name, report.SKIPPED, why=f"needs: {case.needs}")
    state = bench.paths.state
    plain = bench.run(case, mode, ours=False)
    if recorded := events.taken(state):
        raise RuntimeError(f"{case.name} records without the line: {recorded}")
    if bench.compiled:  # which leaves a developer's very first line to Python: to have nowhere to record is rare
        for directory in (state, bench.paths.records, bench.paths.makes):
            private_directory(directory)
    with agreed(bench.root) if mode.agreed else nullcontext():
        ours = bench.run(case, mode, ours=True)
    verdict = report.Verdict(case.name, mode.name, report.SAME, events=events.taken(state))
    expected = case.events(mode, version)
    if expected is not None:
        verdict.events_differ = report.differences({"event": expected.splitlines()}, {"event": verdict.events})
    report.judge(verdict, plain, ours, approvals, at_once=bool(mode.jobs) and "-O" not in mode.jobs)
    return verdict


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    ask = argparse.ArgumentParser(prog="python -m ci.conformance", description=__doc__)
    ask.add_argument("--make", type=Path, default=Path("/usr/bin/make"), help="the make to examine")
    ask.add_argument("--out", type=Path, help="where to write the report")
    ask.add_argument("--case", nargs="*", default=[], metavar="NAME", help="only these cases")
    ask.add_argument(
        "--mode", nargs="*", default=[], metavar="MODE", choices=list(cases.MODES), help="only these modes"
    )
    ask.add_argument("--cases", type=Path, default=cases.CASES, help="a folder of cases")
    ask.add_argument("--quick", action="store_true", help="the mode that shows most, without the slow cases")
    ask.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="how many cases at once")
    ask.add_argument("--shim", choices=["compiled", "sanitized", "python"],
                     default="compiled" if fragment.launcher() else "python",
                     help="the compiled fast path in front of the shim, the same built with the compiler's checks for "
                          "what C leaves undefined, or the shim alone")  # fmt: skip
    asked = ask.parse_args(words)
    found = shutil.which(asked.make)
    if not found:
        ask.error(f"--make: there is no program {asked.make}")
    asked.make = Path(found).absolute()
    if asked.shim != "python" and not fragment.launcher():
        ask.error("the compiled fast path was not built")
    return asked


def run(asked: argparse.Namespace) -> tuple[list[report.Verdict], list[approved.Approval]]:
    """All verdicts, and the approvals that nothing needed (none unless the whole suite was asked for)."""
    make = asked.make
    place = {"platform": platform.system().lower(), "make": report.probe(make)["version"], "shim": asked.shim}
    approvals = [entry for entry in approved.load() if entry.between == "plain"]
    benches: queue.Queue[Bench] = queue.Queue()

    def one(case: Case, mode: Mode) -> report.Verdict:
        if asked.shim == "sanitized" and case.name in _NOT_SANITIZED:
            return report.Verdict(case.name, mode.name, report.SKIPPED, why=_NOT_SANITIZED[case.name])
        bench = benches.get()
        began = time.monotonic()
        try:
            fitting = [entry for entry in approvals if entry.covers(case=case.name, mode=mode.name, **place)]
            verdict = examine(case, mode, bench, fitting, version=place["make"])
            verdict.seconds = round(time.monotonic() - began, 2)
            return verdict
        finally:
            benches.put(bench)

    with tempfile.TemporaryDirectory(prefix="mm-") as root, ThreadPoolExecutor(asked.jobs) as pool:
        for number in range(asked.jobs):
            benches.put(prepare(Path(root) / f"b{number}", make, compiled=asked.shim != "python"))
        if asked.shim == "sanitized":
            _exchange_launcher(Path(root), sanitized(Path(root)))
        found = [case for case in cases.load(asked.cases, asked.case) if not (asked.quick and case.slow)]
        todo = [(case, mode) for case in found for mode in modes(case, asked)]
        verdicts = list(pool.map(lambda both: one(*both), todo))
    whole = not (asked.case or asked.mode or asked.quick)
    stale = [entry for entry in approvals if not entry.used and entry.covers(case=entry.case, mode=entry.mode, **place)]
    return verdicts, stale if whole else []


def modes(case: Case, asked: argparse.Namespace) -> list[Mode]:
    """The modes to run a case in."""
    wanted = asked.mode or (cases.QUICK if asked.quick else case.modes)
    return [cases.MODES[name] for name in case.modes if name in wanted]


def main(words: Sequence[str] | None = None) -> int:
    """Run, print what differs, write the report."""
    asked = arguments(words)
    heed_signals()
    verdicts, stale = run(asked)
    if asked.out:
        about = {**report.environment(asked.make, platform.python_version()), "shim": asked.shim}
        asked.out.write_text(json.dumps(report.document(about, verdicts, stale), indent=1) + "\n")
    print(report.summary(verdicts, stale))
    return 1 if stale or any(verdict.verdict == report.DIFFERS for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
