"""Proxies and certificate authorities, for every sink that goes through the network."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from make_metrics.sinks import Network, Outcome, SinkSettings, Verdict
from make_metrics.sinks.apart.here import sink_here
from make_metrics.sinks.network import proxies_for
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


def distant(receiver: Receiver) -> str:
    """The address of a receiver that only the proxy can reach, since it is not this machine by its name."""
    return f"{receiver.scheme}://receiver.invalid:{receiver.port}"


@pytest.fixture(params=["segment", "otlp"])
def send(request: pytest.FixtureRequest, home: Path) -> Send:
    """Sends a batch to a host by the kind of sink, as delivery does, with the user's own settings."""

    def to(host: str, network: Network | None = None) -> Verdict:
        from make_metrics.sinks.otlp.sink import OtlpSink
        from make_metrics.sinks.segment import SegmentSink

        url = f"{host}/v1/traces" if request.param == "otlp" else host
        settings = SinkSettings(request.param, "key", url)
        if network is None:
            sink = sink_here(settings)
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
    assert send(distant(secure)).outcome is Outcome.ACCEPTED
    assert proxy.asked == [("CONNECT", f"receiver.invalid:{secure.port}")]
    assert len(secure.requests) == 1


def test_a_proxy_of_the_environment_is_used_but_for_no_proxy(
    send: Send, receiver: Receiver, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    assert send(distant(receiver)).outcome is Outcome.ACCEPTED
    ((method, url),) = proxy.asked
    assert (method, url.startswith(distant(receiver))) == ("POST", True)
    assert len(receiver.requests) == 1
    monkeypatch.setenv("NO_PROXY", "example.org,receiver.invalid")
    assert send(distant(receiver)).outcome is Outcome.LATER
    assert send(distant(receiver), Network(proxy=proxy.url)).outcome is Outcome.LATER
    assert len(proxy.asked) == 1


HERE = [
    "localhost", "LOCALHOST", "localhost.", "receiver.localhost", "127.0.0.1", "127.1.2.3", "127.1", "127.0.1",
    "2130706433", "0x7f.1", "0177.1", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
]  # fmt: skip
ELSEWHERE = [
    "localhost.example.org", "notlocalhost", "128.0.0.1", "127.example.org", "127.0.0.1.example.org", "1270.0.0.1",
    "[::2]", "[::ffff:128.0.0.1]", "[fe80::1]", "10.0.0.1", "example.org",
]  # fmt: skip


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", ""])
def test_this_machine_is_reached_without_a_proxy(
    send: Send, receiver: Receiver, proxy: Proxy, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy would see in clear text what is allowed in clear text only because it does not leave."""
    if name:
        monkeypatch.setenv(name, proxy.url)
    for host in ("127.0.0.1", "localhost", "127.1"):
        network = None if name else Network(proxy=proxy.url)
        assert send(f"http://{host}:{receiver.port}", network).outcome is Outcome.ACCEPTED
    assert proxy.asked == []
    assert len(receiver.requests) == 3
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert send(f"http://127.0.0.1:{nobody.getsockname()[1]}").outcome is Outcome.LATER
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HERE)
def test_each_spelling_of_this_machine_has_no_proxy(host: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://proxy.invalid:3128")
    network = Network(proxy="http://proxy.invalid:3128")
    assert proxies_for(network, f"{scheme}://{host}:4318/v1/traces") == {}


@pytest.mark.parametrize("host", ELSEWHERE)
def test_other_hosts_have_the_proxy(host: str) -> None:
    network = Network(proxy="http://proxy.invalid:3128")
    assert proxies_for(network, f"https://{host}:4318/v1/traces")["https"] == network.proxy


def test_a_proxy_of_the_users_settings_is_used(send: Send, secure: Receiver, proxy: Proxy, ca_file: str) -> None:
    network = Network(proxy=proxy.url, ca_file=ca_file)
    assert send(distant(secure), network).outcome is Outcome.ACCEPTED
    assert len(proxy.asked) == 1
    assert send(distant(secure), Network(proxy.url, "receiver.invalid", ca_file)).outcome is Outcome.LATER
    assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_or_is_gone_delays(send: Send, secure: Receiver, proxy: Proxy, ca_file: str) -> None:
    proxy.refuses = 407
    network = Network(proxy=proxy.url, ca_file=ca_file)
    verdict = send(distant(secure), network)
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "the proxy cannot be reached, or refuses")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert send(distant(secure), Network(proxy=f"http://127.0.0.1:{port}")).outcome is Outcome.LATER
    assert secure.requests == []


def test_flush_uses_the_users_settings(
    tmp_path: Path, home: Path, secure: Receiver, proxy: Proxy, ca_file: str
) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), secure)
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}\n[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{distant(secure)}"\n'
    )
    settings = sharing.paths.user_settings
    settings.parent.mkdir(mode=0o700, parents=True)
    settings.write_text(f'proxy = "{proxy.url}"\n')
    sharing.cli("opt-in", "--yes")
    sharing.cli("flush", status=1)
    assert "the receiver's certificate could not be verified" in sharing.errors
    settings.write_text(f'ca-file = "{ca_file}"\nproxy = "socks://x"\n')
    sharing.cli("flush", status=1)
    assert f"{settings}: proxy: must be an address such as" in sharing.errors
    assert secure.requests == []
    settings.write_text(f'ca-file = "{ca_file}"\nproxy = "{proxy.url}"\ntimeout = 60\n')
    assert sharing.cli("flush") == "1 event sent\n"
    assert [method for method, _ in proxy.asked] == ["CONNECT"] * 2


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
    assert all(part.isprintable() for part in said.split("\n"))
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
