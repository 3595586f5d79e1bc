from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as patient
from hypothesis import strategies as st

from make_metrics.deliver import choice_event
from make_metrics.project import settings, settings_file
from make_metrics.project.project import Project, project_of
from make_metrics.sinks.builtin import FILE, OTLP
from make_metrics.sinks.sink import HOST, SinkSettings
from make_metrics.store.outbox import sink_id
from tests.support.project import SOURCE
from tests.support.settings_files import write_settings
from tests.support.sharing_project import TEXT

KEYS = {key.name: key.says for kind in (OTLP, FILE) for key in kind.keys}
SIGNALS, KEY_HEADER, NAME = KEYS["signals"], KEYS["key-header"], KEYS["name"]


def test_every_key_is_read(tmp_path: Path) -> None:
    found, problems = settings_file.read(write_settings(tmp_path))
    assert problems == []
    assert found == settings.Settings(
        directory=tmp_path,
        name="Example",
        collector="The example team",
        purpose="to make builds faster",
        retention="one year",
        contact="metrics@example.org",
        event="example.make",
        default_branch="trunk",
        file_targets=True,
        opt_out_event=True,
        sinks=(
            SinkSettings("segment", "abc", "https://events.example.org"),
            SinkSettings("segment", "def", "https://api.segment.io"),
        ),
    )


def _added(path: str, host: str) -> str:
    return f'sinks[0].host: leave out {path}, which is added to it: "{host}"'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("consent = true", "consent: unknown key"),
        ("mode = 'on'", "mode: unknown key"),
        ("properties = ['path']", "properties: unknown key"),
        ("include = '/etc/passwd'", "include: unknown key"),
        ("name = 3", "name: must be a text"),
        ('name = "a\\nb"', "name: must be one line of at most 300 characters"),
        ('purpose = "\\u001b[2J"', "purpose: must be one line of at most 300 characters"),
        ("send-file-targets = 'yes'", "send-file-targets: must be true or false"),
        ('event = "a/b"', "event: must be at most 100 letters, digits, blanks and _ . : -"),
        ('default-branch = "a b"', "default-branch: is no name of a branch"),
        ("sinks = 'https://x'", "sinks: must be tables, each beginning with [[sinks]]"),
        ("[[sinks]]\ntype='segment'", "sinks[0].write-key: must be the sink's public key"),
        ("[[sinks]]\ntype='../x'\nwrite-key='x'", "sinks[0].type: must name a kind of sink"),
        ("[[sinks]]\nwrite-key='x'", "sinks[0].type: must name a kind of sink"),
        ("[[sinks]]\ntype='otlp'", f"sinks[0].host: {HOST.says}"),
        ("[[sinks]]\ntype='otlp'\nhost='https://x/v1/traces'", _added("/v1/traces", "https://x")),
        (
            "[[sinks]]\ntype='otlp'\nhost='http://localhost:4318/a//v1/metrics/'",
            _added("/v1/metrics", "http://localhost:4318/a"),
        ),
        ("[[sinks]]\ntype='segment'\nwrite-key='x'\nhost='https://x/v1/batch'", _added("/v1/batch", "https://x")),
        ("[[sinks]]\ntype='otlp'\nhost='https://x'\nsignals='logs'", f"sinks[0].signals: {SIGNALS}"),
        ("[[sinks]]\ntype='otlp'\nhost='https://x'\nsignals=1", f"sinks[0].signals: {SIGNALS}"),
        ("[[sinks]]\ntype='otlp'\nhost='https://x'\nkey-header='a b'", f"sinks[0].key-header: {KEY_HEADER}"),
        *(
            (f"[[sinks]]\ntype='file'\nname='{name}'", f"sinks[0].name: {NAME}")
            for name in ("/etc/passwd", "../x", ".bashrc", "a.b", "", "-x", "a" * 41)
        ),
        ("[[sinks]]\ntype='file'\npath='/tmp/x'", "sinks[0].path: unknown key"),
        ("[[sinks]]\ntype='segment'\nwrite-key='x'\ncommand='y'", "sinks[0].command: unknown key"),
        (
            "[[sinks]]\ntype='segment'\nwrite-key='x'",
            "name, collected-by, purpose: missing: nothing can be sent without",
        ),
    ],
)
def test_a_wrong_value_is_ignored_and_reported_with_its_key(tmp_path: Path, text: str, problem: str) -> None:
    path = write_settings(tmp_path, text)
    found, problems = settings_file.read(path)
    assert problems == [f"{path}: {problem}"]
    assert found == settings.Settings(directory=tmp_path)


@pytest.mark.parametrize(
    "host",
    ["http://example.org", "ftp://example.org", "https://", "https://a@b", "https://a?b", "https://a b", "https://a:x",
     "file:///etc/passwd", "http://127.0.0.1.example.org", "//example.org", "https://a\\b", "https://[::1"],
)  # fmt: skip
def test_an_address_that_is_unsafe_or_malformed_is_refused(tmp_path: Path, host: str) -> None:
    _, problems = settings_file.read(
        write_settings(tmp_path, f"[[sinks]]\ntype='segment'\nwrite-key='x'\nhost='{host}'")
    )
    assert [problem.split(": ")[1] for problem in problems] == ["sinks[0].host"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = ", b"a" * 70_000, b"[" * 5_000, b"a = " + b"[" * 20_000])
def test_a_file_that_cannot_be_parsed_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / settings.NAME
    path.write_bytes(content)
    found, problems = settings_file.read(path)
    assert found is None
    assert len(problems) == 1
    assert problems[0].replace("\n    ", "").isprintable()


@pytest.mark.parametrize("kind", ["link", "directory", "fifo", "closed"])
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / settings.NAME
    if kind == "link":
        path.symlink_to(write_settings(tmp_path / "elsewhere"))
    elif kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(path)
    found, problems = settings_file.read(path)
    assert found is None
    assert len(problems) == 1
    assert project_of(tmp_path).sinks == ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@patient(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["name", "event", "sinks", "default-branch", "send-opt-out", "x"]),
        VALUES | st.lists(st.dictionaries(st.sampled_from(["type", "write-key", "host"]), VALUES)),
    )
)
def test_no_document_raises(document: dict[str, object]) -> None:
    found, problems = settings_file.parse(document, directory=Path("/"))
    assert found.sinks == ()
    assert all(problem.isprintable() for problem in problems)


def test_the_nearest_file_counts_up_to_the_repositorys_root(tmp_path: Path) -> None:
    write_settings(tmp_path)
    inner = tmp_path / "repository" / "a" / "b"
    inner.mkdir(parents=True)
    assert project_of(inner).directory == inner
    (tmp_path / "repository" / ".git").mkdir()
    assert project_of(inner) == Project(tmp_path / "repository")
    write_settings(tmp_path / "repository")
    assert project_of(inner).directory == tmp_path / "repository"
    assert len(project_of(inner).sinks) == 2
    write_settings(inner.parent, "name = 'inner'")
    found = project_of(inner)
    assert found.directory == inner.parent
    assert found.settings is not None
    assert found.settings.name == "inner"
    (inner / ".git").write_text("gitdir: elsewhere")  # a submodule is a repository of its own
    assert project_of(inner) == Project(inner)


def test_a_directory_that_is_gone_has_no_settings(tmp_path: Path) -> None:
    assert project_of(tmp_path / "gone").settings is None
    (tmp_path / "loop").symlink_to("loop")
    assert project_of(tmp_path / "loop").settings is None


def test_one_table_may_be_several_receivers(tmp_path: Path) -> None:
    text = """name = "E"\ncollected-by = "E"\npurpose = "E"
        [[sinks]]\ntype = "otlp"\nhost = "https://x/"\nservice = "build"
        [[sinks]]\ntype = "otlp"\nhost = "https://y"\nwrite-key = "k"\nkey-header = "x-key"\nsignals = "traces"
        [[sinks]]\ntype = "file"
        [[sinks]]\ntype = "file"\nname = "builds\""""
    found, problems = settings_file.read(write_settings(tmp_path, text))
    assert problems == []
    assert found is not None
    service, header = (("service", "build"),), (("key-header", "x-key"),)
    assert found.sinks == (
        SinkSettings("otlp", "", "https://x/v1/traces", service),
        SinkSettings("otlp", "", "https://x/v1/metrics", service),
        SinkSettings("otlp", "k", "https://y/v1/traces", header),
        SinkSettings("file", "", "events.jsonl"),
        SinkSettings("file", "", "builds.jsonl"),
    )
    keys = [sink_id(sink) for sink in found.sinks]
    assert len(set(keys)) == 5
    assert sink_id(SinkSettings("segment", "k", "https://x")) == f"segment https://x {sha256(b'k').hexdigest()[:8]}"


@pytest.mark.parametrize("bad", ["host = 'ftp://x'", "host = 3", "write-key = 'a b\u00a0'", "x = [1]", "'a b' = 1"])
def test_a_sink_that_is_not_installed_is_kept_as_it_is_written(tmp_path: Path, bad: str) -> None:
    head = "name = 'E'\ncollected-by = 'E'\npurpose = 'E'\n[[sinks]]\ntype = 'nowhere'\n"
    path = write_settings(tmp_path, f"{head}host = 'https://x/'\nregion = 'eu'\nport = 3\n")
    found, problems = settings_file.read(path)
    assert found is not None
    assert found.sinks == (SinkSettings("nowhere", "", "https://x", (("port", 3), ("region", "eu"))),)
    (problem,) = problems
    assert problem.startswith(f'{path}: sinks[0].type: no sink "nowhere" is installed: install the package')
    found, problems = settings_file.read(write_settings(tmp_path, f"{head}{bad}\n"))
    assert found is not None
    assert found.sinks == ()
    assert len(problems) == 2


def test_settings_load_no_library() -> None:
    heavy = {
        "requests",
        "opentelemetry",
        "segment",
        "importlib.metadata",
        "make_metrics.sinks.network",
        "make_metrics.sinks.otlp.sink",
    }
    code = f"import sys, make_metrics.project.settings_file; print(*({heavy!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=SOURCE, capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_yes_is_sent_to_traces_and_not_to_metrics(tmp_path: Path) -> None:
    sinks = [f'[[sinks]]\ntype = "{kind}"\nhost = "https://x"\n' for kind in ("otlp", "nowhere")]
    write_settings(tmp_path, "name = 'E'\ncollected-by = 'E'\npurpose = 'E'\n" + "".join(sinks))
    entries = choice_event.entries(project_of(tmp_path), choice="in", anonymous_id=str(uuid4()), now_ns=1)
    assert [entry.sink.rpartition(" ")[0] for entry in entries] == ["otlp https://x/v1/traces", "nowhere https://x"]


@pytest.mark.parametrize(
    "dsn",
    ["http://key@example.org/1", "https://example.org/1", "https://key:secret@example.org/1", "", "file:///1",
     "https://key@example.org/x", "https://key@example.org/", "ftp://key@example.org/1", "https://key@example.org/1?x=1",
     "https://key@exa mple.org/1", "https://key@user@example.org/1"],
)  # fmt: skip
def test_a_bad_dsn_is_refused(tmp_path: Path, dsn: str) -> None:
    write_settings(tmp_path, f'{TEXT}crash-reports-dsn = "{dsn}"\n')
    project = project_of(tmp_path)
    assert project.crash_dsn is None
    assert len(project.problems) == 1
    assert "crash-reports-dsn: " in project.problems[0]


@pytest.mark.parametrize(
    ("dsn", "host"),
    [("https://abc@o1.ingest.example.org/42", "https://o1.ingest.example.org"),
     ("https://abc@example.org:8443/sub/path/42", "https://example.org:8443/sub/path"),
     ("http://abc@localhost:8000/1", "http://localhost:8000"), ("http://abc@[::1]:8000/1", "http://[::1]:8000")],
)  # fmt: skip
def test_a_good_dsn_is_accepted(tmp_path: Path, dsn: str, host: str) -> None:
    write_settings(tmp_path, f'{TEXT}crash-reports-dsn = "{dsn}"\n')
    project = project_of(tmp_path)
    assert (project.crash_dsn and project.crash_dsn.host, project.problems) == (host, ())
    write_settings(tmp_path, f'crash-reports-dsn = "{dsn}"\n')
    assert project_of(tmp_path).crash_dsn is None
