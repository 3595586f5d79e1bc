"""Reading a project's settings: the file `make-metrics.toml` beside its Makefile, and what is wrong with it.

A settings file only says where metrics would go and why. It cannot grant consent, declare a property, name a file or
run anything. Wrong values are ignored and reported; they never stop a build.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from make_metrics.files.paths import printable_path
from make_metrics.project.settings import DEFAULT_EVENT, Dsn, Settings
from make_metrics.sinks.kinds import kind_of, lacks, receivers
from make_metrics.sinks.sink import Key, Kind, Scalar, SinkSettings, UnavailableError

_LIMIT_BYTES = 64 * 1024
_LIMIT_TEXT = 300
_LIMIT_SINKS = 8
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVENT = re.compile(r"[A-Za-z0-9_.: -]{1,100}")
_DSN = re.compile(r"(https?)://([0-9A-Za-z]{1,100})@([^@]{1,200}?)/([0-9]{1,20})")
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_BRANCH = re.compile(r"[^\s\x00-\x1f]{1,200}")
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,49}")
_LIMIT_METRICS = 32
_TEXTS = {
    "name": "name",
    "collected-by": "collector",
    "purpose": "purpose",
    "retention": "retention",
    "contact": "contact",
    "event": "event",
    "default-branch": "default_branch",
}
_FLAGS = {"send-file-targets": "file_targets", "send-opt-out": "opt_out_event"}
# Without these nobody could know whom they say yes to.
_NEEDED = ("name", "collected-by", "purpose")


def read(path: Path) -> tuple[Settings | None, list[str]]:
    """A settings file and its problems, a line each; None if nothing could be read. Never raises for what is in it.

    A symbolic link is not followed: it would read a file that the repository does not hold.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None, [f"{printable_path(path)}: is not a file"]
            text = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        return None, [f"{printable_path(path)}: cannot be read: {error.strerror}"]
    if len(text) > _LIMIT_BYTES:
        return None, [f"{printable_path(path)}: is larger than {_LIMIT_BYTES // 1024} KiB"]
    try:
        given = tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        return None, [f"{printable_path(path)}: is not UTF-8"]
    except tomllib.TOMLDecodeError as error:
        return None, [f"{printable_path(path)}: is not TOML: {ascii(str(error))[1:-1]}"]
    except (RecursionError, ValueError):
        return None, [f"{printable_path(path)}: is not TOML: too deep, or a number too long"]
    settings, problems = parse(given, directory=path.parent)
    return settings, [f"{printable_path(path)}: {problem}" for problem in problems]


def parse(given: Mapping[str, object], *, directory: Path) -> tuple[Settings, list[str]]:
    """Settings from a TOML document, and its problems, each with its key; what is wrong is left out."""
    known = {*_TEXTS, *_FLAGS, "metrics", "sinks", "crash-reports-dsn"}
    problems = [f"{_named(key)}: unknown key" for key in given if key not in known]
    texts = {_TEXTS[key]: _text(key, given[key], problems) for key in _TEXTS if key in given}
    flags = {}
    for key in _FLAGS:
        value = given.get(key, False)
        if not isinstance(value, bool):
            problems.append(f"{key}: must be true or false")
        flags[_FLAGS[key]] = value is True
    event = texts.pop("event", "") or DEFAULT_EVENT
    if not _EVENT.fullmatch(event):
        problems.append("event: must be at most 100 letters, digits, blanks and _ . : -")
        event = DEFAULT_EVENT
    branch = texts.pop("default_branch", "")
    if branch and not _BRANCH.fullmatch(branch):
        problems.append("default-branch: is no name of a branch")
        branch = ""
    sinks = _sinks(given.get("sinks", []), problems)
    crash_dsn = _dsn(given["crash-reports-dsn"], problems) if "crash-reports-dsn" in given else None
    missing = [key for key in _NEEDED if not texts.get(_TEXTS[key])]
    if (sinks or crash_dsn) and missing:
        problems.append(f"{', '.join(missing)}: missing: nothing can be sent without")
        sinks, crash_dsn = (), None
    return Settings(
        directory=directory,
        event=event,
        default_branch=branch,
        sinks=sinks,
        file_targets=flags["file_targets"],
        opt_out_event=flags["opt_out_event"],
        metrics=_metrics(given.get("metrics", []), problems),
        crash_dsn=crash_dsn,
        **texts,
    ), problems


def _named(key: str) -> str:
    return key if key.isprintable() and len(key) < 80 else ascii(key[:80])


def _text(key: str, value: object, problems: list[str]) -> str:
    if not isinstance(value, str):
        problems.append(f"{key}: must be a text")
    elif not value.isprintable() or len(value) > _LIMIT_TEXT:
        problems.append(f"{key}: must be one line of at most {_LIMIT_TEXT} characters")
    else:
        return value.strip()
    return ""


def _metrics(given: object, problems: list[str]) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(name, str) and _METRIC.fullmatch(name) for name in given):
        problems.append('metrics: must be a list of names such as ["os", "jobs"] (make-metrics schema has them)')
        return ()
    if len(given) > _LIMIT_METRICS:
        problems.append(f"metrics: at most {_LIMIT_METRICS}")
    return tuple(dict.fromkeys(given[:_LIMIT_METRICS]))


def _sinks(given: object, problems: list[str]) -> tuple[SinkSettings, ...]:
    if not isinstance(given, list) or not all(isinstance(entry, dict) for entry in given):
        problems.append("sinks: must be tables, each beginning with [[sinks]]")
        return ()
    if len(given) > _LIMIT_SINKS:
        problems.append(f"sinks: at most {_LIMIT_SINKS}")
    found = [sink for at, entry in enumerate(given[:_LIMIT_SINKS]) for sink in _sink(f"sinks[{at}]", entry, problems)]
    return tuple(dict.fromkeys(found))


def _sink(where: str, given: Mapping[str, object], problems: list[str]) -> tuple[SinkSettings, ...]:
    """The receivers of one table; none, with its problems told, if anything is wrong: a guess could send elsewhere.

    One of a kind that is not installed is kept as it is written, so that its events wait.
    """
    name = given.get("type")
    if not isinstance(name, str) or not _KIND.fullmatch(name):
        problems.append(f"{where}.type: must name a kind of sink")
        return ()
    kind: Kind | None = None
    try:
        kind = kind_of(name)
    except UnavailableError as error:
        problems.append(f"{where}.type: {error}")
    else:
        if missing := lacks(name):
            problems.append(f"{where}: {missing}")
    values, wrong = _values(given, kind)
    problems += [f"{where}.{problem}" for problem in wrong]
    if wrong:
        return ()
    key, host = str(values.pop("write-key", "")), str(values.pop("host", "")).rstrip("/")
    sink = SinkSettings(name, key, host, tuple(sorted(values.items())))
    return receivers(sink)


def _values(given: Mapping[str, object], kind: Kind | None) -> tuple[dict[str, Scalar], list[str]]:
    """The values of a sink's table but its type, and what is wrong with them, each with its key."""
    keys = {key.name: key for key in kind.keys} if kind else {}
    values: dict[str, Scalar] = {}
    wrong = []
    for name, value in given.items():
        if name == "type":
            continue
        key = keys.get(name)
        if kind is None and _KIND.fullmatch(name):
            key = Key(name, "must be a text, a number, true or false")
        if key is None:
            wrong.append(f"{_named(name)}: unknown key")
        elif not _allows(key, value, any_kind=kind is None):
            wrong.append(f"{key.name}: {key.says}")
        elif isinstance(value, str | int):
            values[name] = value
    wrong += [f"{key.name}: {key.says}" for key in keys.values() if key.needed and key.name not in given]
    return values, wrong


def _allows(key: Key, value: object, *, any_kind: bool) -> bool:
    if key.name in ("host", "write-key") and not isinstance(value, str):
        return False
    if not isinstance(value, str | int | bool) or (not any_kind and type(value) is not key.kind):
        return False
    text = str(value)
    if not text.isprintable() or len(text) > _LIMIT_TEXT or not re.fullmatch(key.pattern, text):
        return False
    return key.name != "host" or _is_host(text)


def _dsn(given: object, problems: list[str]) -> Dsn | None:
    """The DSN; None, with the problem told, if it is none, or has a secret in it."""
    found = _DSN.fullmatch(given) if isinstance(given, str) else None
    if found is None or not _is_host(f"{found[1]}://{found[3]}"):
        problems.append("crash-reports-dsn: must be https://KEY@HOST/NUMBER, or http:// on this machine")
        return None
    return Dsn(found[0], f"{found[1]}://{found[3]}")


def _is_host(host: str) -> bool:
    if not re.fullmatch(r"[!-~]{1,300}", host):
        return False
    try:
        parts = urlsplit(host)
        _ = parts.port
    except ValueError:
        return False
    if parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname or "\\" in host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
