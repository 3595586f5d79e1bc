"""The user's settings for all sinks, from the file `settings.toml` of their own. No repository can write it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file
from make_metrics.files.toml_file import Rule, check, parse_toml, unknown_keys, where
from make_metrics.sinks.sink import Network, Surroundings

_LONGEST_S = 300
HISTORY_MIB = 256
"""About six million targets: three months of a project that makes 3,000 of them in thirty builds each working day."""
_LARGEST_MIB = 1_048_576


def read_user_settings(paths: Paths) -> tuple[Surroundings, list[str]]:
    """What the user has set, without the wrong values, and a line for each of those. Never raises.

    Keys: `proxy`, `no-proxy`, `ca-file`, `timeout` (seconds), `file-directory`, and that of `read_history_limit`.
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
}
