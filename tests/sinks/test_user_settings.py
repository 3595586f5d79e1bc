"""The user's own settings: headers that stay secret, and receivers in clear text that only the user can allow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics.sinks.network import Session
from make_metrics.sinks.sink import Network, SinkSettings
from make_metrics.sinks.user_settings import is_clear_text, origin_of, read_user_settings, user_settings_for
from tests.support.project import Project
from tests.support.proxy import Proxy, proxying
from tests.support.records import paths_in
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.sharing_project import TEXT, Sharing

SECRET = "s3cret-of-the-team"  # noqa: S105
KINDS = ("segment", "otlp")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as found:
        yield found


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    return Sharing(Project(tmp_path / "project", home), receiver)


def name_sinks(sharing: Sharing, *sinks: tuple[str, str], more: str = "") -> None:
    """Name kinds of sink and their hosts in the project's settings."""
    key = 'write-key = "key"\n'
    tables = "".join(f'\n[[sinks]]\ntype = "{kind}"\n{key}host = "{host}"\n' for kind, host in sinks)
    (sharing.project.folder / "make-metrics.toml").write_text(f"{TEXT}{more}\n{tables}")


def write(sharing: Sharing, text: str, mode: int = 0o600) -> Path:
    path = sharing.paths.user_settings
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(f"timeout = 60\n{text}")
    path.chmod(mode)
    return path


def headers_for(host: str, text: str = f'Authorization = "Bearer {SECRET}"\nX-Tenant = "build"') -> str:
    return f'[headers."{host}"]\n{text}\n'


@pytest.mark.parametrize("kind", KINDS)
def test_a_host_gets_the_users_headers_and_no_other_does(
    sharing: Sharing, receiver: Receiver, other: Receiver, kind: str
) -> None:
    name_sinks(sharing, (kind, receiver.host), (kind, other.host))
    write(sharing, headers_for(receiver.host))
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.cli("flush")
    assert {request.headers["Authorization"] for request in receiver.requests} == {f"Bearer {SECRET}"}
    assert {request.headers["X-Tenant"] for request in receiver.requests} == {"build"}
    assert other.requests
    assert not any("X-Tenant" in request.headers for request in other.requests)
    assert not any(SECRET in request.headers["Authorization"] for request in other.requests)


def test_nothing_shows_a_header(sharing: Sharing, receiver: Receiver, other: Receiver) -> None:
    """Neither a command nor any file of ours, also if a receiver repeats the header in its answer."""
    name_sinks(sharing, ("segment", receiver.host), ("otlp", other.host))
    path = write(sharing, headers_for(receiver.host) + headers_for(other.host))
    texts = [sharing.cli("opt-in", "--yes")]
    sharing.make("all")
    texts += [
        sharing.cli("preview"),
        sharing.cli("preview", "--json"),
        sharing.cli("flush", environ={"MAKE_METRICS": "log"}),
    ]
    # A refusal of all points, whose reason repeats the key: field 1 (rejected) and 2 (error_message) of field 1.
    reason = f"bad key Bearer {SECRET}".encode()
    partial = b"\x08\x05\x12" + bytes([len(reason)]) + reason
    answer = Answer(body=b"\x0a" + bytes([len(partial)]) + partial, headers={"Content-Type": "application/x-protobuf"})
    other.answers(answer, answer, answer)
    receiver.answers(Answer(401, body=SECRET.encode()))
    texts.append(sharing.cli("flush", status=1) + sharing.errors)
    for words in (["sent"], ["sent", "--json"], ["status"], ["status", "--json"], ["doctor"], ["events"], ["schema"]):
        texts += [sharing.cli(*words), sharing.errors]
    assert "(secret)" in "".join(texts)
    assert not any(SECRET in text for text in texts)
    assert [name for name, content in sharing.files().items() if SECRET.encode() in content] == [str(path)]
    assert SECRET not in repr(read_user_settings(sharing.paths))


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirect_gets_no_header(sharing: Sharing, receiver: Receiver, other: Receiver, kind: str) -> None:
    name_sinks(sharing, (kind, receiver.host))
    write(sharing, headers_for(receiver.host))
    sharing.cli("opt-in", "--yes")
    receiver.answers(*[Answer(307, {"Location": f"{other.host}/v1/batch"})] * 3)
    sharing.cli("flush", status=1)
    assert receiver.requests
    assert other.requests == []


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o606, 0o610])
def test_headers_that_others_may_read_are_refused_and_the_rest_counts(
    sharing: Sharing, receiver: Receiver, other: Receiver, mode: int
) -> None:
    name_sinks(sharing, ("segment", receiver.host), ("segment", other.host))
    path = write(sharing, headers_for(receiver.host), mode)
    sharing.cli("opt-in", "--yes")
    sharing.cli("flush", status=1)
    line = f"{path}: headers: not used, since others may read them: chmod 600 {path}"
    assert sharing.errors.count(line) == 1
    assert receiver.requests == []  # without its key it would take the events for somebody else's
    assert len(other.requests) == 1
    assert sharing.status()["problems"] == [line]
    found, _ = read_user_settings(sharing.paths)
    assert (found.network.timeout_s, found.network.headers) == (60, ())
    path.chmod(0o600)
    sharing.cli("flush")
    assert receiver.requests[0].headers["X-Tenant"] == "build"
    assert sharing.status()["problems"] == []


def test_headers_behind_a_link_are_refused(sharing: Sharing, receiver: Receiver, tmp_path: Path) -> None:
    path = write(sharing, headers_for(receiver.host))
    path.rename(tmp_path / "mine.toml")
    path.symlink_to(tmp_path / "mine.toml")
    found, (problem,) = read_user_settings(sharing.paths)
    assert problem.startswith(f"{path}: cannot be read")
    assert found.network == Network()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f'[headers]\nAuthorization = "{SECRET}"', "each table must name scheme, host and port"),
        (f'[headers."https://me:{SECRET}@x.org"]\nA = "b"', "each table must name scheme, host and port"),
        (f'[headers."https://x.org/{SECRET}"]\nA = "b"', "each table must name scheme, host and port"),
        (f'[headers."x.org"]\nA = "{SECRET}"', "each table must name scheme, host and port"),
        (f'headers = "{SECRET}"', "must be at most 16 tables"),
        (f'[headers."https://x.org"]\nAuthorization = "{SECRET}', "is not TOML: line 3"),
        (f'[headers."https://x.org"]\nAuthorization = {SECRET}', "is not TOML: line 3"),
        (f'[headers."https://x.org"]\nAuthorization = "{SECRET}\\n"', "the value of Authorization must be"),
        (f'[headers."https://x.org"]\nAuthorization = "{SECRET}é"', "the value of Authorization must be"),
        (f'[headers."https://x.org"]\nAuthorization = ["{SECRET}"]', "the value of Authorization must be"),
        ('[headers."https://x.org"]\nAuthorization = ""', "the value of Authorization must be"),
        (f'[headers."https://x.org"]\n"Bearer {SECRET}" = "x"', "a name is not that of a header"),
        (f'[headers."https://x.org"]\nHost = "{SECRET}"', "Host is for make-metrics to set"),
        (f'[headers."https://x.org"]\ncontent-length = "{SECRET}"', "content-length is for make-metrics to set"),
        (f'[headers."https://x.org"]\nProxy-Authorization = "{SECRET}"', "is for make-metrics to set"),
        (f'[headers."https://x.org"]\nA = "{SECRET}"\na = "b"', "a header is there twice"),
        (f'[headers."https://x.org"]\nA="{SECRET}"\n[headers."https://X.org:443/"]\nA="b"', "two tables for it"),
        (f'[header."https://x.org"]\nA = "{SECRET}"', "header: unknown key"),
        (f'proxy = "{SECRET}"', "proxy: must be an address"),
        ('allow-http = "http://x"', "allow-http: must be a list"),
        ('allow-http = ["https://x"]', "allow-http: must be a list"),
        ('allow-http = ["http://x/path"]', "allow-http: must be a list"),
        ('allow-http = ["http://*"]', "allow-http: must be a list"),
        ('allow-http = ["x:4318"]', "allow-http: must be a list"),
        ("allow-http = [3]", "allow-http: must be a list"),
    ],
)
def test_a_wrong_header_is_one_line_without_its_value(sharing: Sharing, text: str, problem: str) -> None:
    write(sharing, text)
    found, (line,) = read_user_settings(sharing.paths)
    assert problem in line
    assert SECRET not in line
    assert line.isprintable()
    assert (found.network.headers, found.network.clear_text) == ((), ())


def test_a_wrong_table_holds_its_own_host_only(sharing: Sharing) -> None:
    write(sharing, headers_for("https://a.org", 'Host = "x"') + headers_for("https://b.org"))
    for address, count in (
        ("https://a.org/v1/traces", 1),
        ("https://A.org:443", 1),
        ("https://b.org", 0),
        ("f.jsonl", 0),
    ):
        found, problems = user_settings_for(sharing.paths, address)
        assert len(problems) == count
        assert dict(found.network.headers).keys() == {"https://b.org:443"}


def test_an_origin_is_scheme_host_and_port(receiver: Receiver) -> None:
    def sent(origin: str) -> bool:
        network = Network(headers=((origin, (("X-Tenant", "build"),)),))
        receiver.requests.clear()
        with Session(network) as session:
            session.post(f"{receiver.host}/any", b"", timeout=20)
        return "X-Tenant" in receiver.requests[0].headers

    assert sent(receiver.host)
    for origin in (f"https://127.0.0.1:{receiver.port}", "http://127.0.0.1:80", f"http://localhost:{receiver.port}"):
        assert not sent(origin)


def test_a_repository_alone_cannot_send_in_clear_text(sharing: Sharing, receiver: Receiver, proxy: Proxy) -> None:
    host = f"http://receiver.invalid:{receiver.port}"
    through = {"HTTP_PROXY": proxy.url, "NO_PROXY": ""}
    name_sinks(sharing, ("segment", host), more='allow-http = ["http://receiver.invalid"]\n')
    (problem,) = (line for line in sharing.status()["problems"] if "sinks[0]" in line)
    assert problem.endswith(f'your own settings.toml says allow-http = ["{host}"]')
    assert sharing.status()["sinks"] == []
    sharing.cli("opt-in", "--yes", status=1)
    # The project's file cannot allow it, and neither can a file of the user's for another port or host.
    name_sinks(sharing, ("segment", host))
    assert "no faults" in sharing.cli("check")
    assert "can be read on the way" not in sharing.errors
    assert "may be read on the way" in sharing.errors
    for address in ("http://receiver.invalid", "http://other.invalid:" + str(receiver.port)):
        write(sharing, f'allow-http = ["{address}"]\n')
        assert sharing.status()["sinks"] == []
    write(sharing, f'allow-http = ["{host.upper().replace("HTTP", "http")}"]\n')
    assert "it is not encrypted" in sharing.cli("opt-in", "--yes")
    sharing.make("all")
    assert sharing.status()["sinks"] == [{"type": "segment", "host": host, "clear_text": True, "erases": False}]
    assert "in clear text: it can be read on the way" in sharing.cli("status")
    sharing.cli("preview")
    assert f"Whoever is on the way to {host} can read what is sent there" in sharing.errors
    assert sharing.cli("flush", environ=through) == "3 events sent\n"
    assert len(receiver.requests) == 1
    # Taken back: nothing more goes there.
    write(sharing, "")
    sharing.make("all")
    sharing.cli("flush", environ=through)
    assert sharing.mode()[0] == "local"
    assert len(receiver.requests) == 1


def test_the_services_name_is_the_projects(sharing: Sharing, receiver: Receiver) -> None:
    from make_metrics.sinks.otlp.sink import OtlpSink

    for settings, name in (
        (SinkSettings("otlp", "", "https://x/v1/traces"), "make"),
        (SinkSettings("otlp", "", "https://x/v1/traces", (), "The böse project"), "The böse project"),
        (SinkSettings("otlp", "", "https://x/v1/traces", (("service", "own"),), "Example"), "own"),
    ):
        assert OtlpSink(settings)._service == name
    name_sinks(sharing, ("otlp", receiver.host))
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.cli("flush")
    assert all(b"service.name\x12\x09\x0a\x07Example" in request.body for request in receiver.requests)


def test_headers_reach_a_sink_through_its_session_whatever_it_sets(receiver: Receiver) -> None:
    network = Network(headers=((receiver.host, (("Authorization", SECRET), ("x-tenant", "build"))),))
    with Session(network) as session:
        session.post(f"{receiver.host}/any", b"", headers={"authorization": "public", "X-TENANT": "a"}, timeout=20)
    headers = receiver.requests[0].headers
    assert (headers["Authorization"], headers["X-Tenant"]) == (SECRET, "build")


def test_a_file_of_another_user_or_kind_is_refused(sharing: Sharing) -> None:
    path = write(sharing, "")
    path.unlink()
    os.mkfifo(path, 0o600)
    found, (problem,) = read_user_settings(sharing.paths)
    assert problem == f"{path}: cannot be read: is not a file"
    assert found == read_user_settings(paths_in(sharing.project.home / "none"))[0].__class__(sharing.paths.files)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://Example.org", "https://example.org:443"),
        ("HTTPS://example.org:443/v1/traces", "https://example.org:443"),
        ("http://example.org/", "http://example.org:80"),
        ("http://collector:4318/v1", "http://collector:4318"),
        ("https://[::1]:8080", "https://[::1]:8080"),
        ("https://me@example.org", "https://example.org:443"),
        ("ftp://example.org", ""), ("events.jsonl", ""), ("", ""), ("https://", ""), ("https://a:x", ""),
        ("https://a:99999", ""), ("https://[::1", ""), ("file:///tmp", ""),
    ],
)  # fmt: skip
def test_an_origin_has_its_port(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://collector:4318", True), ("HTTP://example.org", True), ("http://10.0.0.1", True),
        ("http://localhost.example.org", True), ("http://localhost:1", False), ("http://127.0.0.1:1/v1", False),
        ("http://[::1]", False), ("https://example.org", False), ("events.jsonl", False), ("", False),
    ],
)  # fmt: skip
def test_clear_text_is_http_that_leaves_the_machine(address: str, expected: bool) -> None:
    assert is_clear_text(address) is expected
