"""The user's settings for all sinks, from the file `settings.toml` of their own. No repository can write it.

It may hold secrets: no problem's line shows a value of it, nor a line of its text. Some of it is for one origin: a
scheme, host and port (RFC 6454).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file, read_with_mode
from make_metrics.files.toml_file import Rule, check, parse_toml, unknown_keys, where
from make_metrics.sinks.sink import Network, Surroundings

_LONGEST_S = 300
HISTORY_MIB = 256
"""About six million targets: three months of a project that makes 3,000 of them in thirty builds each working day."""
_LARGEST_MIB = 1_048_576
_MOST = 16  # origins, and headers of each
_ORIGIN = re.compile(r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?/?")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")  # a token of RFC 9110, section 5.6.2
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,4094}[!-~])?")
# These say what a request is and how it goes over the connection.
_OURS = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host"}
    | {"keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)
_PORTS = {"http": 80, "https": 443}
_Headers = dict[str, tuple[tuple[str, str], ...]]


def read_user_settings(paths: Paths) -> tuple[Surroundings, list[str]]:
    """What the user has set, without the wrong values, and a line for each of those. Never raises.

    Keys: `proxy`, `no-proxy`, `ca-file`, `timeout` (seconds), `file-directory`, `allow-http`, tables `headers`, and the
    key of `read_history_limit`.
    """
    surroundings, problems, refused = _read(paths)
    return surroundings, [*problems, *dict.fromkeys(refused.values())]


def user_settings_for(paths: Paths, address: str) -> tuple[Surroundings, list[str]]:
    """What the user has set, and a line for each thing that is wrong and concerns sending to an address. Never raises.

    Without its headers nothing is sent to a host: it would be refused there, or be counted for somebody else.
    """
    surroundings, problems, refused = _read(paths)
    line = refused.get(origin_of(address))
    return surroundings, [*problems, *([line] if line else [])]


def _read(paths: Paths) -> tuple[Surroundings, list[str], dict[str, str]]:
    """The settings, the problems for all receivers, and the problem of each origin whose headers are not used."""
    shown, defaults = printable_path(paths.user_settings), Surroundings(paths.files)
    try:
        content, mode = read_with_mode(paths.user_settings) or (b"", 0)
        table = parse_toml(content, secret=True)
    except OSError as error:
        return defaults, [f"{shown}: cannot be read: {error.strerror}"], {}
    except ValueError as error:
        return defaults, [f"{shown}: {error}"], {}
    values, problems = check(table, _RULES)
    problems += unknown_keys(table, _RULES)
    headers, refused = values.get("headers", ({}, {}))
    if mode & 0o077 and (headers or refused):
        refused = dict.fromkeys(
            [*headers, *refused], f"headers: not used, since others may read them: chmod 600 {shown}"
        )
        headers = {}
    network = Network(
        proxy=values.get("proxy", ""),
        no_proxy=values.get("no-proxy", ""),
        ca_file=values.get("ca-file", ""),
        timeout_s=values.get("timeout", Network().timeout_s),
        headers=tuple(headers.items()),
        clear_text=values.get("allow-http", ()),
    )
    directory = Path(values.get("file-directory", paths.files))
    surroundings = Surroundings(directory, own_directory="file-directory" in values, network=network)
    return (
        surroundings,
        [f"{shown}: {problem}" for problem in problems],
        {origin: f"{shown}: {line}" for origin, line in refused.items()},
    )


def _header_tables(tables: object) -> tuple[_Headers, dict[str, str]]:
    """The rule for tables of headers: those of each origin, and a line for each origin whose table is wrong."""
    headers: _Headers = {}
    refused: dict[str, str] = {}
    if not isinstance(tables, Mapping) or len(tables) > _MOST:
        raise ValueError(f'must be at most {_MOST} tables such as [headers."https://collector.example.org"]')
    for address, table in tables.items():
        origin = _origin(address)
        if not origin or not isinstance(table, Mapping):  # the name of a header, with a secret for its value?
            raise ValueError('each table must name scheme, host and port: [headers."https://collector.example.org"]')
        if wrong := _wrong_header(table):
            refused[origin] = f'headers."{origin}": not used: {wrong}'
        elif origin in headers or origin in refused:
            refused[origin] = f'headers."{origin}": not used: there are two tables for it'
        else:
            headers[origin] = tuple(table.items())
    return {origin: pairs for origin, pairs in headers.items() if origin not in refused}, refused


def _wrong_header(table: Mapping[str, object]) -> str:
    """What is wrong with a table of headers, without its values; empty if nothing is."""
    if len(table) > _MOST:
        return f"at most {_MOST} headers"
    if len({name.lower() for name in table}) < len(table):
        return "a header is there twice"
    for name, value in table.items():
        if not _HEADER.fullmatch(name):
            return "a name is not that of a header"
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            return f"{name} is for make-metrics to set"
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            return f"the value of {name} must be a text of letters, digits and signs of ASCII, at most 4096"
    return ""


def _origin(address: object) -> str:
    """The origin that a text names, with nothing else in it; empty if it names none."""
    return origin_of(address) if isinstance(address, str) and _ORIGIN.fullmatch(address) else ""


def _origins(value: object) -> tuple[str, ...]:
    entries = value if isinstance(value, list) else [None]
    origins = tuple(_origin(entry) for entry in entries)
    if len(entries) > _MOST or not all(origin.startswith("http:") for origin in origins):
        raise ValueError(f'must be a list of at most {_MOST} addresses such as ["http://collector:4318"]')
    return origins


def read_history_limit(paths: Paths) -> int:
    """How many bytes the history on this machine may take: `history-mib`, a default without it. Never raises."""
    try:
        values, _ = check(parse_toml(read_file(paths.user_settings) or b""), _RULES)
    except (OSError, ValueError):
        values = {}
    return int(values.get("history-mib", HISTORY_MIB)) * 1024 * 1024


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_proxy(value: object) -> bool:
    try:
        parts = urlsplit(str(value))
        return _is_text(value) and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_absolute(value: object) -> bool:
    return _is_text(value) and Path(str(value)).is_absolute()


def _is_mib(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LARGEST_MIB


def _is_timeout(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LONGEST_S


_RULES: dict[str, Rule] = {
    "proxy": where(_is_proxy, "must be an address such as http://proxy.example.org:3128"),
    "no-proxy": where(_is_text, "must be a text, hosts with commas between them"),
    "ca-file": where(_is_absolute, "must be an absolute path"),
    "timeout": where(_is_timeout, f"must be a number of seconds, more than 0 and at most {_LONGEST_S}"),
    "file-directory": where(_is_absolute, "must be an absolute path"),
    "history-mib": where(_is_mib, f"must be a number of MiB, from 1 to {_LARGEST_MIB}"),
    "allow-http": _origins,
    "headers": _header_tables,
}


def origin_of(address: str) -> str:
    """The scheme, host and port of an http or https address (RFC 6454), in small letters and with its port.

    Empty if the address is of another kind, or is none.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if not host or parts.scheme not in _PORTS:
        return ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_clear_text(address: str) -> bool:
    """Whether anybody between here and an address can read what is sent: http, and not to this machine."""
    return origin_of(address).startswith("http:") and not is_loopback_url(address)


def is_loopback_url(url: str) -> bool:
    """Whether an address leads to this machine; False if it cannot be parsed."""
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host is localhost, a name below it (RFC 6761, section 6.3), or an address of 127.0.0.0/8 or ::1.

    Old spellings count (`127.1`, `0x7f.1`, `2130706433`: inet_aton(3)), and so do IPv4 addresses mapped into IPv6.
    """
    import ipaddress  # takes a millisecond that the walk need not wait for

    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return _is_ipv4_loopback(host)
    return address.is_loopback or (address.ipv4_mapped is not None and address.ipv4_mapped.is_loopback)


def _is_ipv4_loopback(host: str) -> bool:
    import socket

    try:
        return socket.inet_aton(host)[0] == 127 and not any(char.isspace() for char in host)
    except (OSError, UnicodeError, ValueError):
        return False
