"""Read a project's settings file, `make-metrics.toml` beside its Makefile, and say what is wrong with it.

A settings file only says where metrics would go and why. It cannot grant consent, declare a property, name a path or
run anything. Wrong values are ignored and reported; they never stop a build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import LIMIT_BYTES, read_file
from make_metrics.files.toml_file import LONGEST, Rule, check, flag, parse_toml, text, unknown_keys, where
from make_metrics.project.settings import DEFAULT_EVENT, Dsn, Settings
from make_metrics.sinks.kinds import kind_of, lacks, receivers
from make_metrics.sinks.sink import Key, Kind, Scalar, SinkSettings, UnavailableError
from make_metrics.sinks.user_settings import origin_of, read_user_settings

_MOST_SINKS = 8
_MOST_METRICS = 32
_MOST_LABELS = 8
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_EVENT = re.compile(r"[A-Za-z0-9_.: -]{0,100}")
_BRANCH = re.compile(r"[^\s\x00-\x1f]{0,200}")
_DSN = re.compile(r"(https?)://([0-9A-Za-z]{1,100})@([^@]{1,200}?)/([0-9]{1,20})")
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_METRIC = re.compile(r"[a-z][a-z0-9_]{0,49}")
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,29}")
_LABEL_TEXT = re.compile(r"[!-~](?:[ -~]{0,48}[!-~])?")
CLEAR_TEXT = "http:// may be read on the way: nothing is sent there until your own settings.toml says"
"""Begins the problem of an address that is right but for its clear text: no fault of the file, and nothing is sent."""
# A yes needs to know whom it is given to: without these nothing can be sent.
_NEEDED = ("name", "collected-by", "purpose")


def read(path: Path) -> tuple[Settings | None, list[str]]:
    """The settings in a file, None if it cannot be read or parsed, and its problems, a line each. Never raises.

    A symbolic link is refused: it may lead to a file that is not the repository's.
    """
    shown = printable_path(path)
    try:
        content = read_file(path, any_owner=True)
    except OSError as error:
        return None, [f"{shown}: cannot be read: {error.strerror}"]
    if content is None:
        return None, [f"{shown}: cannot be read: it is gone"]
    if len(content) >= LIMIT_BYTES:
        return None, [f"{shown}: is larger than {LIMIT_BYTES // 1024} KiB"]
    try:
        document = parse_toml(content)
    except ValueError as error:
        return None, [f"{shown}: {error}"]
    settings, problems = parse(document, directory=path.parent)
    return settings, [f"{shown}: {problem}" for problem in problems]


def parse(document: Mapping[str, object], *, directory: Path) -> tuple[Settings, list[str]]:
    """The settings in a document, without its wrong values, and a line for each of those."""
    values, wrong = check(document, _RULES)
    problems = [*unknown_keys(document, _RULES), *wrong]
    sinks = _sinks(_first(_MOST_SINKS, "sinks", values, problems), values.get("name", ""), problems)
    dsn = values.get("crash-reports-dsn")
    missing = [key for key in _NEEDED if not values.get(key)]
    if (sinks or dsn) and missing:
        problems.append(f"{', '.join(missing)}: missing: nothing can be sent without")
        sinks, dsn = (), None
    return Settings(
        directory=directory,
        name=values.get("name", ""),
        collector=values.get("collected-by", ""),
        purpose=values.get("purpose", ""),
        retention=values.get("retention", ""),
        contact=values.get("contact", ""),
        event=values.get("event") or DEFAULT_EVENT,
        default_branch=values.get("default-branch", ""),
        file_targets=values.get("send-file-targets", False),
        opt_out_event=values.get("send-opt-out", False),
        metrics=tuple(dict.fromkeys(_first(_MOST_METRICS, "metrics", values, problems))),
        labels=tuple(sorted(values.get("labels", {}).items())),
        sinks=sinks,
        crash_dsn=dsn,
    ), problems


def _first(most: int, key: str, values: Mapping[str, list[Any]], problems: list[str]) -> list[Any]:
    entries = values.get(key, [])
    if len(entries) > most:
        problems.append(f"{key}: at most {most}")
    return entries[:most]


def _sinks(tables: list[dict[str, object]], project: str, problems: list[str]) -> tuple[SinkSettings, ...]:
    sinks = [sink for at, table in enumerate(tables) for sink in _receivers(f"sinks[{at}]", table, project, problems)]
    return tuple(dict.fromkeys(sinks))


def _receivers(label: str, table: Mapping[str, object], project: str, problems: list[str]) -> tuple[SinkSettings, ...]:
    """The receivers of one table; none if anything in it is wrong, since a guess could send events elsewhere.

    The table of a kind that is not installed is kept as it is, so that its events wait.
    """
    name = table.get("type")
    if not isinstance(name, str) or not _KIND.fullmatch(name):
        problems.append(f"{label}.type: must name a kind of sink")
        return ()
    kind: Kind | None = None
    try:
        kind = kind_of(name)
    except UnavailableError as error:
        problems.append(f"{label}.type: {error}")
    else:
        if missing := lacks(name):
            problems.append(f"{label}: {missing}")
    others = {key: value for key, value in table.items() if key != "type"}
    values, wrong = _check_sink(others, kind)
    problems += [f"{label}.{problem}" for problem in wrong]
    if wrong:
        return ()
    key, host = str(values.pop("write-key", "")), str(values.pop("host", "")).rstrip("/")
    return receivers(SinkSettings(name, key, host, tuple(sorted(values.items())), project))


def _check_sink(table: Mapping[str, object], kind: Kind | None) -> tuple[dict[str, Scalar], list[str]]:
    """The values of a sink's table, and its problems. If the kind is unknown, so are its keys: any scalar may stand."""
    if kind is None:
        keys = [Key(name, "must be a text, a number, true or false") for name in table if _KIND.fullmatch(name)]
    else:
        keys = list(kind.keys)
    rules = {key.name: _key_rule(key, typed=kind is not None) for key in keys}
    values, wrong = check(table, rules)
    missing = [f"{key.name}: {key.says}" for key in keys if key.needed and key.name not in table]
    return values, [*unknown_keys(table, rules), *wrong, *missing]


def _key_rule(key: Key, *, typed: bool) -> Rule:
    def accepts(value: object) -> bool:
        if key.name in ("host", "write-key") and not isinstance(value, str):
            return False
        if not isinstance(value, str | int) or (typed and type(value) is not key.kind):
            return False
        word = str(value)
        if not word.isprintable() or len(word) > LONGEST or not re.fullmatch(key.pattern, word):
            return False
        return key.name != "host" or _is_host(word)

    rule = where(accepts, key.says)
    return _address_rule(rule, key.added) if key.name == "host" else rule


def _address_rule(rule: Rule, added: Iterable[str]) -> Rule:
    """The rule for an address, which also refuses clear text that the user does not allow, and paths that are added."""

    def checked(value: object) -> object:
        address = str(rule(value))
        _require_allowed(address)
        for path in added:
            if re.search(ending(path), address):
                raise ValueError(f'leave out {path}, which is added to it: "{re.sub(ending(path), "", address)}"')
        return address

    return checked


def ending(path: str) -> str:
    """The pattern of addresses that end in a path, however many slashes surround its words; ECMA 262 reads it alike."""
    return "/+" + "/+".join(map(re.escape, path.strip("/").split("/"))) + "/*$"


def _require_allowed(address: str) -> None:
    """Raise ValueError for an http address elsewhere than on this machine, unless the user's own settings allow it."""
    parts = urlsplit(address)
    origin = origin_of(address)
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and origin not in _clear_text_origins():
        raise ValueError(f'{CLEAR_TEXT} allow-http = ["{origin}"]')


def _clear_text_origins() -> tuple[str, ...]:
    """Read anew each time: what the user takes back holds for the next request."""
    try:
        return read_user_settings(Paths.from_environment())[0].network.clear_text
    except UserError:
        return ()


def _are_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _are_metrics(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and _METRIC.fullmatch(name) for name in value)


def _labels(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST_LABELS:
        raise ValueError(f'must be a table of at most {_MOST_LABELS} texts, such as {{ team = "build" }}')
    for name, label in value.items():
        if not _LABEL.fullmatch(name):
            raise ValueError("a name must be small letters, digits and _, at most 30, beginning with a letter")
        if not isinstance(label, str) or not _LABEL_TEXT.fullmatch(label):
            raise ValueError(f"{name}: must be 1 to 50 letters, digits, signs and blanks of ASCII, none at its ends")
    return value


def _dsn(value: object) -> Dsn:
    match = _DSN.fullmatch(value) if isinstance(value, str) else None
    if match is None or not _is_host(f"{match[1]}://{match[3]}"):
        raise ValueError("must be https://KEY@HOST/NUMBER, or http:// on this machine")
    _require_allowed(f"{match[1]}://{match[3]}")
    return Dsn(match[0], f"{match[1]}://{match[3]}")


def _is_host(host: str) -> bool:
    """Whether an address is https or http, with a host and perhaps a port and a path, nothing else."""
    if not re.fullmatch(r"[!-~]{1,300}", host):
        return False
    try:
        parts = urlsplit(host)
        _ = parts.port
    except ValueError:
        return False
    if parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname or "\\" in host:
        return False
    return parts.scheme in ("https", "http")


_RULES: dict[str, Rule] = {
    "name": text,
    "collected-by": text,
    "purpose": text,
    "retention": text,
    "contact": text,
    "event": where(_EVENT.fullmatch, "must be at most 100 letters, digits, blanks and _ . : -", of=text),
    "default-branch": where(_BRANCH.fullmatch, "is no name of a branch", of=text),
    "send-file-targets": flag,
    "send-opt-out": flag,
    "metrics": where(_are_metrics, 'must be a list of names such as ["os", "jobs"] (make-metrics schema has them)'),
    "labels": _labels,
    "sinks": where(_are_tables, "must be tables, each beginning with [[sinks]]"),
    "crash-reports-dsn": _dsn,
}
