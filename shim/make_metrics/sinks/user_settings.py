"""What the user of this machine has set for all sinks, in a file of their own that no repository can reach."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file
from make_metrics.sinks.sink import Network, Surroundings

_LONGEST_S = 300


def surroundings(paths: Paths) -> tuple[Surroundings, list[str]]:
    """The user's file `settings.toml`, and what is wrong with it, a line each; what is wrong is left out.

    Keys: `proxy`, `no-proxy`, `ca-file`, `timeout` (seconds), `file-directory`. Never raises.
    """
    path = paths.user_settings
    plain = Surroundings(paths.files)
    try:
        content = read_file(path)
        given = tomllib.loads((content or b"").decode())
    except OSError as error:
        return plain, [f"{printable_path(path)}: cannot be read: {error.strerror}"]
    except (ValueError, RecursionError) as error:
        return plain, [f"{printable_path(path)}: is not TOML: {ascii(str(error))[1:-1]}"]
    problems: list[str] = []
    known = {"proxy": _is_proxy, "no-proxy": _is_text, "ca-file": _is_place, "timeout": _is_time}
    known["file-directory"] = _is_place
    for key, value in given.items():
        if key not in known:
            problems.append(f"{ascii(key)[1:-1][:80]}: unknown key")
        elif not known[key](value):
            problems.append(f"{key}: {_SAYS[key]}")
    sound = {key: value for key, value in given.items() if key in known and known[key](value)}
    network = Network(
        proxy=sound.get("proxy", ""),
        no_proxy=sound.get("no-proxy", ""),
        ca_file=sound.get("ca-file", ""),
        timeout_s=sound.get("timeout", Network().timeout_s),
    )
    directory = Path(sound["file-directory"]) if "file-directory" in sound else paths.files
    found = Surroundings(directory, own_directory="file-directory" in sound, network=network)
    return found, [f"{printable_path(path)}: {problem}" for problem in problems]


_SAYS = {
    "proxy": "must be an address such as http://proxy.example.org:3128",
    "no-proxy": "must be a text, hosts with commas between them",
    "ca-file": "must be an absolute path",
    "timeout": f"must be a number of seconds, more than 0 and at most {_LONGEST_S}",
    "file-directory": "must be an absolute path",
}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable()


def _is_proxy(value: object) -> bool:
    try:
        parts = urlsplit(str(value))
        return _is_text(value) and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _is_place(value: object) -> bool:
    return _is_text(value) and Path(str(value)).is_absolute()


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LONGEST_S
