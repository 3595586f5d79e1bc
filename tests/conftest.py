"""Fixtures: a home of one's own for every test, and a project for each make there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ci.build_launcher import NotBuilt
from ci.conformance.execute import stop_ignoring_signals
from make_metrics.environment import AGENT_VARIABLES, SERVICES_BY_VARIABLE
from make_metrics.project import git_command
from make_metrics.setup import bundle, fragment
from tests.support import combinations, launcher_variant, metric_distribution
from tests.support.git_repository import create_repository
from tests.support.launcher_driver import Driver, launcher_driver
from tests.support.launcher_variant import asks_nothing
from tests.support.project import SOURCE, Project, makes
from tests.support.segment_receiver import Receiver, receiving
from tests.support.sharing_project import Sharing
from tests.support.terminals import NONE, has_terminals

CI = ("CI", *SERVICES_BY_VARIABLE, *AGENT_VARIABLES)
# A slow machine is no failure, and the same examples are tried everywhere. To look for new ones:
# `pytest --hypothesis-profile=default --hypothesis-seed=random`.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")
stop_ignoring_signals()
_TERMINALS = has_terminals()


def pytest_configure() -> None:
    """Tests that break a copy of the package, or run its programs, are about this checkout's package alone."""
    if Path(fragment.__file__).resolve().parents[2] != SOURCE:
        pytest.exit(
            f"{fragment.__file__} is another checkout's: set PYTHONPATH={SOURCE}",
            returncode=pytest.ExitCode.USAGE_ERROR,
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option that has each make tried with each shim."""
    parser.addoption(combinations.OPTION, action="store_true", help="each make with each shim, in every test of both")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not its turn, and skip what only a launcher can do that asks the system if this does not."""
    items[:], left = combinations.chosen(items, config)
    config.hook.pytest_deselected(items=left)
    for item in items:
        if asks_nothing() and item.get_closest_marker(launcher_variant.MARK) and not _has_no_launcher(item):
            item.add_marker(pytest.mark.skip(reason=launcher_variant.REASON))


def _has_no_launcher(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return "python" in (params.get("compiled"), params.get("shim"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Where there are no pseudo-terminals, a test that opens one is skipped."""
    try:
        yield
    except OSError as error:
        if not _TERMINALS and "pty" in str(error):
            pytest.skip(NONE)
        raise


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests were skipped: each reason once, with the number of tests."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.section("skipped, and why")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count} test{'s' * (count != 1)}: {reason}")


@pytest.fixture(autouse=True, scope="session")
def _precompiled() -> None:
    """Set-up's work on this checkout, for tests that write a fragment without it."""
    bundle.write()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A make-metrics home below the test's own folder; no test sees the real one."""
    found = tmp_path / "home"
    found.mkdir()
    monkeypatch.setenv("MAKE_METRICS_HOME", str(found))
    monkeypatch.setenv("HOME", str(found))
    for name in ("MAKE_METRICS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DO_NOT_TRACK", *CI):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(git_command, "_LIMIT_S", 20.0)  # what it is to find out is not how busy this machine is
    return found


@pytest.fixture(params=makes().items(), ids=lambda made: f"make-{made[0]}")
def any_make(request: pytest.FixtureRequest) -> str:
    """Each GNU make that is to be had, in turn."""
    _, path = request.param
    return str(path)


@pytest.fixture(params=["compiled", "python"])
def compiled(request: pytest.FixtureRequest) -> bool:
    """Both shims in turn: the compiled fast path in front of the Python shim, and the latter alone."""
    if request.param == "compiled" and fragment.launcher() is None:
        pytest.skip("the compiled fast path was not built")
    return bool(request.param == "compiled")


@pytest.fixture
def each(tmp_path: Path, home: Path, any_make: str, compiled: bool) -> Project:
    """A project for each make there is, with each shim."""
    return Project(tmp_path / "project", home, any_make, compiled=compiled)


@pytest.fixture
def project(tmp_path: Path, home: Path, compiled: bool) -> Project:
    """A project for the first make there is, with each shim."""
    return Project(tmp_path / "project", home, next(iter(makes().values())), compiled=compiled)


@pytest.fixture(scope="session")
def shop_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment in which a distribution with metrics is installed beside make-metrics."""
    return metric_distribution.environment(tmp_path_factory.mktemp("shop") / "environment")


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """The launcher's functions, called one by one."""
    try:
        with launcher_driver(tmp_path_factory.mktemp("driver")) as driver:
            yield driver
    except NotBuilt as reason:
        pytest.skip(f"no compiled fast path here: {reason}")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback that speaks Segment's protocol."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    """A project whose settings name the receiver; its developer has decided nothing yet."""
    return Sharing(Project(tmp_path / "project", home, next(iter(makes().values()))), receiver)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit."""
    return create_repository(tmp_path / "repository", monkeypatch)
