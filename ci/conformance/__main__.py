"""Run the conformance suite: every case with plain make and with the include line.

    python -m ci.conformance --make PATH --out report.json

The exit status is 1 for a difference that is not approved, and for an approval that no difference needs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ci import find_makes
from ci.build_launcher import as_macos, posix, sanitized, variant
from ci.conformance import approved, cases, events, report
from ci.conformance.cases import Case, Mode
from ci.conformance.execute import PATH, Bench, prepare, stop_ignoring_signals
from ci.conformance.progress import say_progress
from make_metrics.files.paths import private_directory
from make_metrics.setup import fragment

_PROGRESS_S = 60
_BUILT = {"sanitized": sanitized, "posix": posix, "as-macos": as_macos}
# Cases in which a sanitizer cannot work, and why.
_NOT_SANITIZED = {"f06_limits": "an address space of 2 GB is less than AddressSanitizer reserves for itself"}


def _replace_launcher(root: Path, launcher: Path) -> None:
    """Have the fragments of all benches below a folder name another launcher."""
    for path in root.glob("b*/m/data/metrics.mk"):
        text = path.read_text().replace(str(fragment.launcher()), str(launcher))
        path.write_text(re.sub(r"(?m)^(\.metrics\.baked\.copy :=).*", r"\1", text))


_SETTINGS = """name = "conformance"
collected-by = "nobody"
purpose = "to see that an opt-in changes no build"

[[sinks]]
type = "segment"
write-key = "key"
host = "http://127.0.0.1:9"
"""


@contextmanager
def agreed(root: Path) -> Iterator[None]:
    """The folder is a project with settings, and its developer has opted in."""
    settings = root / "make-metrics.toml"
    settings.write_text(_SETTINGS)
    # Without a terminal only a CI job may say yes.
    env = {**os.environ, "MAKE_METRICS_HOME": str(root / "m"), "CI": "true"}
    command = [sys.executable, "-m", "make_metrics", "opt-in", "--yes", "-C", str(root)]
    try:
        subprocess.run(command, env=env, check=True, capture_output=True)
        yield
    finally:
        settings.unlink()


def examine(
    case: Case, mode: Mode, bench: Bench, approvals: list[approved.Approval], *, version: str
) -> report.Verdict:
    """Run a case in a mode, with plain make and with the include line; `version` is that of make."""
    if case.needs:
        check = subprocess.run(["/bin/sh", "-c", case.needs], env={"PATH": PATH, "MAKE": str(bench.make)},
                               capture_output=True, check=False)  # fmt: skip
        if check.returncode:
            return report.Verdict(case.name, mode.name, report.SKIPPED, why=f"needs: {case.needs}")
    state = bench.paths.state
    plain = bench.run(case, mode, ours=False)
    if recorded := events.take_events(state):
        raise RuntimeError(f"{case.name} has recorded events without the include line: {recorded}")
    if bench.compiled:  # where the directories are missing the launcher starts the Python shim
        for directory in (state, bench.paths.records, bench.paths.makes):
            private_directory(directory)
    with agreed(bench.root) if mode.agreed else nullcontext():
        ours = bench.run(case, mode, ours=True)
    verdict = report.Verdict(case.name, mode.name, report.SAME, events=events.take_events(state))
    expected = case.events(mode, version)
    if expected is not None:
        verdict.events_differ = report.differences({"event": expected.splitlines()}, {"event": verdict.events})
    report.judge(verdict, plain, ours, approvals, interleaved=bool(mode.jobs) and "-O" not in mode.jobs)
    return verdict


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--make",
        type=Path,
        default=Path("/usr/bin/make"),
        help="the make to examine, or the version of one that `ci/makes` finds",
    )
    parser.add_argument("--out", type=Path, help="where to write the report")
    parser.add_argument("--case", nargs="*", default=[], metavar="NAME", help="only these cases")
    parser.add_argument(
        "--mode", nargs="*", default=[], metavar="MODE", choices=list(cases.MODES), help="only these modes"
    )
    parser.add_argument("--cases", type=Path, default=cases.CASES, help="a folder of cases")
    parser.add_argument("--quick", action="store_true", help="two modes, without the slow cases")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1), help="how many cases to run at once")
    parser.add_argument(
        "--shim",
        choices=["compiled", *_BUILT, "python"],
        default="compiled" if fragment.launcher() else "python",
        help="the compiled launcher, the same with the compiler's sanitizers, one that asks the system nothing, one "
        "that does around a line what macOS's does (on Linux), or the Python shim alone",
    )
    parser.add_argument(
        "--progress",
        type=float,
        nargs="?",
        const=_PROGRESS_S,
        default=_PROGRESS_S if sys.stderr.isatty() else None,
        metavar="SECONDS",
        help=f"say on standard error how far the run is, every so many seconds ({_PROGRESS_S}); on a terminal it does",
    )
    options = parser.parse_args(words)
    make = shutil.which(options.make) or find_makes.find().get(str(options.make))
    if not make:
        parser.error(f"--make: there is no program {options.make}, and ci/makes names no make of such a version")
    options.make = Path(make).absolute()
    unknown = set(options.case).difference(case.name for case in cases.load(options.cases))
    if unknown:
        parser.error(f"--case: there is no case {', '.join(sorted(unknown))} in {options.cases}")
    if options.shim != "python" and not fragment.launcher():
        parser.error("the compiled launcher was not built: python ci/build_launcher.py")
    return options


def run(options: argparse.Namespace) -> tuple[list[report.Verdict], list[approved.Approval]]:
    """Run the suite: all verdicts, and, if the whole suite was run, the approvals that no difference needed."""
    make = options.make
    # With VARIANT_VARIABLE that launcher stands in the place of the usual one.
    shim = "posix" if options.shim == "compiled" and variant() else options.shim
    where = {"platform": platform.system().lower(), "make": report.probe(make)["version"], "shim": shim}
    approvals = [entry for entry in approved.load() if entry.between == "plain"]
    benches: queue.Queue[Bench] = queue.Queue()

    def run_one(case: Case, mode: Mode) -> report.Verdict:
        if options.shim == "sanitized" and case.name in _NOT_SANITIZED:
            return report.Verdict(case.name, mode.name, report.SKIPPED, why=_NOT_SANITIZED[case.name])
        bench = benches.get()
        began = time.monotonic()
        try:
            fitting = [entry for entry in approvals if entry.covers(case=case.name, mode=mode.name, **where)]
            verdict = examine(case, mode, bench, fitting, version=where["make"])
            verdict.seconds = round(time.monotonic() - began, 2)
            return verdict
        finally:
            benches.put(bench)

    with tempfile.TemporaryDirectory(prefix="mm-") as root, ThreadPoolExecutor(options.jobs) as pool:
        for number in range(options.jobs):
            benches.put(prepare(Path(root) / f"b{number}", make, compiled=options.shim != "python"))
        if options.shim in _BUILT:
            _replace_launcher(Path(root), _BUILT[options.shim](Path(root)))
        chosen = [case for case in cases.load(options.cases, options.case) if not (options.quick and case.slow)]
        pairs = [(case, mode) for case in chosen for mode in modes(case, options)]
        futures = [pool.submit(run_one, case, mode) for case, mode in pairs]
        try:
            if options.progress:
                say_progress(futures, sys.stderr, options.progress)
            verdicts = [future.result() for future in futures]
        finally:
            for future in futures:  # those that wait, if one has failed
                future.cancel()
    whole = not (options.case or options.mode or options.quick)
    stale = [entry for entry in approvals if not entry.used and entry.covers(case=entry.case, mode=entry.mode, **where)]
    return verdicts, stale if whole else []


def modes(case: Case, options: argparse.Namespace) -> list[Mode]:
    """The modes to run a case in."""
    names = case.quick_modes if options.quick and not options.mode else case.modes
    return [cases.MODES[name] for name in names if name in (options.mode or names)]


def main(words: Sequence[str] | None = None) -> int:
    """Run the suite, print what differs, write the report."""
    options = arguments(words)
    stop_ignoring_signals()
    verdicts, stale = run(options)
    if options.out:
        about = {**report.environment(options.make, platform.python_version()), "shim": options.shim}
        options.out.write_text(json.dumps(report.document(about, verdicts, stale), indent=1) + "\n")
    print(report.summary(verdicts, stale))
    return 1 if stale or any(verdict.verdict == report.DIFFERS for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
