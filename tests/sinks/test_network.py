"""Proxies and certificate authorities, for every sink that goes through the network."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from make_metrics.sinks import Network, Outcome, SinkSettings, Verdict, kinds
from make_metrics.sinks.user_settings import read_user_settings
from tests.support.events import traced_batch
from tests.support.project import Project
from tests.support.proxy import Proxy, proxying
from tests.support.records import paths_in
from tests.support.segment_receiver import Receiver, receiving
from tests.support.sharing_project import TEXT, Sharing

Send = Callable[..., Verdict]


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "receiver.invalid").configure_cert(context)
    with receiving(context, made_up=True) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as found:
        yield found


@pytest.fixture(params=["segment", "otlp"])
def send(request: pytest.FixtureRequest, home: Path) -> Send:
    """Sends a batch to a host by the kind of sink, as delivery does, with the user's own settings."""

    def to(host: str, network: Network | None = None) -> Verdict:
        from make_metrics.sinks.otlp.sink import OtlpSink
        from make_metrics.sinks.segment import SegmentSink

        url = f"{host}/v1/traces" if request.param == "otlp" else host
        settings = SinkSettings(request.param, "key", url)
        if network is None:
            sink = kinds.sink_of(settings)
        elif request.param == "otlp":
            sink = OtlpSink(settings, network)
        else:
            sink = SegmentSink(key="key", host=url, network=network)
        return sink.send(traced_batch(), timeout_s=20)

    return to


def test_a_certificate_of_an_unknown_authority_is_refused(send: Send, secure: Receiver) -> None:
    verdict = send(secure.host)
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "the receiver's certificate could not be verified")
    assert secure.requests == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_may_name_an_authority(
    send: Send, secure: Receiver, ca_file: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, ca_file)
    assert send(secure.host).outcome is Outcome.ACCEPTED
    monkeypatch.setenv(name, f"{ca_file}.gone")
    verdict = send(secure.host)
    assert (verdict.outcome, f"where {name} says" in verdict.said) == (Outcome.HELD, True)
    assert len(secure.requests) == 1


def test_the_user_may_name_an_authority(send: Send, secure: Receiver, ca_file: str) -> None:
    assert send(secure.host, Network(ca_file=ca_file)).outcome is Outcome.ACCEPTED
    verdict = send(secure.host, Network(ca_file="/gone"))
    assert (verdict.outcome, "where ca-file says" in verdict.said) == (Outcome.HELD, True)


def test_a_certificate_of_another_host_is_refused(
    send: Send, authority: trustme.CA, ca_file: str, receiver: Receiver
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("another.invalid").configure_cert(context)
    with receiving(context, made_up=True) as other:
        assert send(other.host, Network(ca_file=ca_file)).outcome is Outcome.LATER
        assert other.requests == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_a_tunnel_for_https(
    send: Send, secure: Receiver, proxy: Proxy, ca_file: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy.url)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert send(secure.host).outcome is Outcome.ACCEPTED
    assert proxy.asked == [("CONNECT", f"127.0.0.1:{secure.port}")]
    assert len(secure.requests) == 1


def test_a_proxy_of_the_environment_is_used_but_for_no_proxy(
    send: Send, receiver: Receiver, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert send(receiver.host).outcome is Outcome.ACCEPTED
    ((method, url),) = proxy.asked
    assert (method, url.startswith(receiver.host)) == ("POST", True)
    monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
    assert send(receiver.host).outcome is Outcome.ACCEPTED
    assert send(receiver.host, Network(proxy=proxy.url)).outcome is Outcome.ACCEPTED
    assert len(proxy.asked) == 1
    assert len(receiver.requests) == 3


def test_a_proxy_of_the_users_settings_is_used(send: Send, secure: Receiver, proxy: Proxy, ca_file: str) -> None:
    network = Network(proxy=proxy.url, ca_file=ca_file)
    assert send(secure.host, network).outcome is Outcome.ACCEPTED
    assert len(proxy.asked) == 1
    assert send(secure.host, Network(proxy.url, "127.0.0.1", ca_file)).outcome is Outcome.ACCEPTED
    assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_or_is_gone_delays(send: Send, secure: Receiver, proxy: Proxy, ca_file: str) -> None:
    proxy.refuses = 407
    network = Network(proxy=proxy.url, ca_file=ca_file)
    verdict = send(secure.host, network)
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "the proxy cannot be reached, or refuses")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert send(secure.host, Network(proxy=f"http://127.0.0.1:{port}")).outcome is Outcome.LATER
    assert secure.requests == []


def test_flush_uses_the_users_settings(
    tmp_path: Path, home: Path, secure: Receiver, proxy: Proxy, ca_file: str
) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), secure)
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}\n[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{secure.host}"\n'
    )
    sharing.cli("opt-in", "--yes")
    sharing.cli("flush", status=1)
    assert "the receiver's certificate could not be verified" in sharing.errors
    settings = sharing.paths.user_settings
    settings.write_text(f'ca-file = "{ca_file}"\nproxy = "socks://x"\n')
    sharing.cli("flush", status=1)
    assert f"{settings}: proxy: must be an address such as" in sharing.errors
    assert secure.requests == []
    settings.write_text(f'ca-file = "{ca_file}"\nproxy = "{proxy.url}"\ntimeout = 60\n')
    assert sharing.cli("flush") == "1 event sent\n"
    assert [method for method, _ in proxy.asked] == ["CONNECT"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timeout = 0", "timeout: must be a number of seconds"),
        ("timeout = 301", "timeout: must be a number of seconds"),
        ("timeout = true", "timeout: must be a number of seconds"),
        ("timeout = '5'", "timeout: must be a number of seconds"),
        ("proxy = 'proxy:3128'", "proxy: must be an address such as"),
        ("proxy = 'http://x:port'", "proxy: must be an address such as"),
        ("proxy = 3", "proxy: must be an address such as"),
        ("no-proxy = 3", "no-proxy: must be a text"),
        ("ca-file = 'ca.pem'", "ca-file: must be an absolute path"),
        ("write-key = 'x'", "write-key: unknown key"),
        ("a = ", "is not TOML"),
        ("a = '\\ufffd'", "unknown key"),
        ("a = " + "[" * 5_000, "is not TOML"),
    ],
)
def test_a_wrong_value_in_the_users_settings_is_ignored_and_reported(tmp_path: Path, text: str, problem: str) -> None:
    paths = paths_in(tmp_path / "mm")
    paths.config.mkdir(parents=True)
    paths.user_settings.write_text(f"{text}\n")
    found, (said,) = read_user_settings(paths)
    assert said.startswith(f"{paths.user_settings}: ")
    assert problem in said
    assert said.isprintable()
    assert found.network == Network()


def test_every_key_of_the_users_settings_is_read(tmp_path: Path) -> None:
    paths = paths_in(tmp_path / "mm")
    assert read_user_settings(paths) == (read_user_settings(paths)[0], [])
    paths.config.mkdir(parents=True)
    paths.user_settings.write_text(
        'proxy = "http://proxy:3128"\nno-proxy = "a,b"\nca-file = "/ca.pem"\ntimeout = 2.5\nfile-directory = "/srv"\n'
    )
    found, problems = read_user_settings(paths)
    assert problems == []
    assert found.network == Network("http://proxy:3128", "a,b", "/ca.pem", 2.5)
    assert (found.directory, found.own_directory) == (Path("/srv"), True)
