"""The user's settings for all sinks, from the file `settings.toml` of their own. No repository can write it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file
from make_metrics.files.toml_file import Rule, check, parse_toml, unknown_keys, where
from make_metrics.sinks.sink import Network, Surroundings

_LONGEST_S = 300


def read_user_settings(paths: Paths) -> tuple[Surroundings, list[str]]:
    """What the user has set, without the wrong values, and a line for each of those. Never raises.

    Keys: `proxy`, `no-proxy`, `ca-file`, `timeout` (seconds), `file-directory`.
    """
    shown, defaults = printable_path(paths.user_settings), Surroundings(paths.files)
    try:
        table = parse_toml(read_file(paths.user_settings) or b"")
    except OSError as error:
        return defaults, [f"{shown}: cannot be read: {error.strerror}"]
    except ValueError as error:
        return defaults, [f"{shown}: {error}"]
    values, wrong = check(table, _RULES)
    network = Network(
        proxy=values.get("proxy", ""),
        no_proxy=values.get("no-proxy", ""),
        ca_file=values.get("ca-file", ""),
        timeout_s=values.get("timeout", Network().timeout_s),
    )
    directory = Path(values.get("file-directory", paths.files))
    surroundings = Surroundings(directory, own_directory="file-directory" in values, network=network)
    return surroundings, [f"{shown}: {problem}" for problem in [*wrong, *unknown_keys(table, _RULES)]]


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


def _is_timeout(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LONGEST_S


_RULES: dict[str, Rule] = {
    "proxy": where(_is_proxy, "must be an address such as http://proxy.example.org:3128"),
    "no-proxy": where(_is_text, "must be a text, hosts with commas between them"),
    "ca-file": where(_is_absolute, "must be an absolute path"),
    "timeout": where(_is_timeout, f"must be a number of seconds, more than 0 and at most {_LONGEST_S}"),
    "file-directory": where(_is_absolute, "must be an absolute path"),
}
