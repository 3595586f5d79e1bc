"""Inputs: a file of the sample and what stands there instead. A number gives the same input each time."""

from __future__ import annotations

import json
import os
import random
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, strategies

GENERATED = 6  # generated inputs of one number
_WORDS = (b"\0", b"\n", b"\r\n", b"%", b"%00", b"%zz", b"=", b";", b" ;\n", b"-", b"-1", b"9" * 30, b"NaN", b"1e999",
          b"[", b"{", b'"', b"\\u0000", b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"null", b"true",
          b"../" * 30, b"/dev/zero", b"\x1b[2J", b"[" * 3000, b"A" * 70_000)  # fmt: skip
NOT_FILES = ("nothing", "empty", "directory", "fifo", "socket", "link to itself", "link to /dev/zero", "link away")


@dataclass(frozen=True, slots=True)
class Input:
    """What replaces a file. `seed` repeats it, `how` says how it came about; `kind` is one of `NOT_FILES`, or empty."""

    seed: int
    name: Path
    how: str
    content: bytes = b""
    kind: str = ""

    def put(self, folder: Path) -> None:
        """Put it in the place of the file below a folder."""
        path = folder / self.name
        path.unlink()
        if self.kind:
            _put(path, self.kind)
        else:
            path.write_bytes(self.content)
            path.chmod(0o600)


def _put(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        os.mknod(path, stat.S_IFSOCK | 0o600)
    elif kind.startswith("link"):
        path.symlink_to(
            str(path)
            if kind == "link to itself"
            else kind.removeprefix("link to ").replace("link away", "/nowhere/at/all")
        )
    elif kind == "empty":
        path.touch()


def inputs(seed: int, files: dict[Path, bytes]) -> list[Input]:
    """The inputs of a number: mutations of the real files for an even one, generated contents for an odd one."""
    chance = random.Random(seed)  # noqa: S311
    folders: dict[Path, list[Path]] = {}  # each kind of file has a folder of its own, or is the only one in it
    for path in sorted(files):
        folders.setdefault(path.parent if path.suffix not in (".toml", ".sqlite3") else path, []).append(path)
    weights = [8 if paths[0].suffix in (".sqlite3", ".rec", ".toml") else 2 for paths in folders.values()]
    name = chance.choice(chance.choices([*folders.values()], weights)[0])
    if seed % 2:
        contents = _drawn(_strategy(name, files[name]), seed)
        return [Input(seed, name, "generated", content) for content in contents]
    if chance.random() < 0.1:
        kind = chance.choice(NOT_FILES)
        return [Input(seed, name, kind, kind=kind)]
    content, hows = files[name], []
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        mutate = chance.choice(MUTATIONS)
        content = mutate(content, chance)
        hows.append(mutate.__name__.strip("_"))
    return [Input(seed, name, ", ".join(hows), content)]


# ---- mutations ----


def _at(content: bytes, chance: random.Random) -> int:
    """A place: in the first 100 bytes, where most formats have their heads, as often as in all others."""
    return chance.randrange(max(1, min(len(content), chance.choice((100, len(content) + 1)))))


def _flip(content: bytes, chance: random.Random) -> bytes:
    at = _at(content, chance)
    return content[:at] + bytes((chance.randrange(256),)) + content[at + 1 :]


def _bit(content: bytes, chance: random.Random) -> bytes:
    at = _at(content, chance)
    return content[:at] + bytes(byte ^ 1 << chance.randrange(8) for byte in content[at : at + 1]) + content[at + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    return content[: _at(content, chance)]


def _remove(content: bytes, chance: random.Random) -> bytes:
    at = _at(content, chance)
    return content[:at] + content[at + chance.choice((1, 4, 40, 4096)) :]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    at = _at(content, chance)
    return content[:at] + content[at : at + chance.choice((1, 40, 4096))] * chance.choice((2, 9)) + content[at:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    at = _at(content, chance)
    return content[:at] + chance.choice(_WORDS) + content[at:]


def _overwrite(content: bytes, chance: random.Random) -> bytes:
    at, word = _at(content, chance), chance.choice((*_WORDS, b"\0" * 4096, b"\xff" * 512))
    return content[:at] + word + content[at + len(word) :]


def _number(content: bytes, chance: random.Random) -> bytes:
    """Another number in the place of one."""
    digits = [at for at, byte in enumerate(content[:20_000]) if 48 <= byte < 58]
    if not digits:
        return content
    at = chance.choice(digits)
    new = chance.choice((b"-", b"99999999999999999999", b"0", b"1e400", b"2147483648", b"9223372036854775807", b"0x1"))
    return content[:at] + new + content[at + 1 :]


def _lines(content: bytes, chance: random.Random) -> bytes:
    """Its lines in another order."""
    lines = content.splitlines(keepends=True)
    chance.shuffle(lines)
    return b"".join(lines)


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip, _bit, _cut, _remove, _repeat, _insert, _overwrite, _number, _lines,
)  # fmt: skip


# ---- generated contents ----

_SCALARS = (
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats()
    | strategies.text(max_size=50)
    | strategies.sampled_from(["yes", "/a\0b", "on", "r", "m", "0" * 5000, "/" + "a/" * 200, "\ud800", "2020-13-45"])
)
_VALUES = strategies.recursive(
    _SCALARS, lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(strategies.text(), inner)
)


@strategies.composite
def _json_like(draw: strategies.DrawFn, content: bytes) -> bytes:
    """A JSON document with other values in the places of some of its own."""
    document = json.loads(content)
    for key in draw(strategies.lists(strategies.sampled_from(sorted(document)), min_size=1, max_size=3)):
        document[key] = draw(_VALUES)
    return json.dumps(document).encode()


@strategies.composite
def _record_like(draw: strategies.DrawFn, content: bytes) -> bytes:
    """A record with other words in the places of some of its entries' own."""
    lines = content.splitlines()
    word = strategies.binary(max_size=30) | strategies.sampled_from(_WORDS) | strategies.integers().map(b"%d".__mod__)
    for _ in range(draw(strategies.integers(1, 5))):
        at = draw(strategies.integers(0, len(lines) - 1))
        words = lines[at].split(b" ")
        place = draw(strategies.integers(0, len(words) - 1))
        name, is_named, _ = words[place].partition(b"=")
        words[place] = (name + is_named if is_named and draw(strategies.booleans()) else b"") + draw(word)
        lines[at] = b" ".join(words)
    return b"\n".join(lines) + b"\n"


@strategies.composite
def _settings_like(draw: strategies.DrawFn, content: bytes) -> bytes:
    """Settings with other values for some of their own keys."""
    lines = content.decode().splitlines()
    for _ in range(draw(strategies.integers(1, 4))):
        at = draw(strategies.integers(0, len(lines) - 1))
        key = lines[at].partition("=")[0] if "=" in lines[at] else draw(strategies.text(max_size=10))
        value = draw(_SCALARS.map(json.dumps) | strategies.text(max_size=30) | strategies.sampled_from(
            ["1979-05-27", "[1, 2]", "{a = 1}", "inf", "-0", "0x10", '"http://127.0.0.1:x"', '"http://[::1"', "'''"]
        ))  # fmt: skip
        lines[at] = f"{key} = {value}"
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _strategy(name: Path, content: bytes) -> strategies.SearchStrategy[bytes]:
    anything = strategies.binary(max_size=2000)
    if name.suffix == ".rec":
        return _record_like(content)
    if name.suffix == ".toml":
        return _settings_like(content)
    try:
        is_document = isinstance(json.loads(content), dict)
    except ValueError:
        is_document = False
    return _json_like(content) if is_document else anything | strategies.text().map(str.encode)


def _drawn(strategy: strategies.SearchStrategy[bytes], seed: int) -> list[bytes]:
    contents: list[bytes] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=GENERATED,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(strategy)
    def take(content: bytes) -> None:
        contents.append(content)

    take()
    return contents
