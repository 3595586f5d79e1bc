"""What receivers were asked to delete: a file for each id and receiver, kept until it is answered, and 90 days more.

The id stays in the file only until the receiver has answered: without it there would be nothing to ask for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from make_metrics.dataclass import asdict, dataclass, replace
from make_metrics.files.paths import Paths, private_directory
from make_metrics.files.read import read_file
from make_metrics.files.write import remove_file, write_file

_KEEP_NS = 90 * 86_400 * 1_000_000_000
_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A request to a receiver to delete what it holds of an id.

    `project` is the project's path, `host` the receiver's address, `anonymous_id` the id: empty once it is answered.
    `asked_ns` and `tried_ns` are nanoseconds since the epoch: when the user asked, and the last attempt (0 for none);
    `result` is that attempt's, for people.
    """

    name: str
    project: str
    host: str
    anonymous_id: str
    asked_ns: int
    tried_ns: int = 0
    result: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the receiver has answered that it is done."""
        return not self.anonymous_id


def put(paths: Paths, project: str, host: str, anonymous_id: str, *, now_ns: int) -> None:
    """Note that a receiver is to be asked; raises UserError if that cannot be written."""
    private_directory(paths.erasures)
    name = hashlib.sha256(f"{host}\n{anonymous_id}".encode()).hexdigest()[:16]
    _write(paths, Erasure(name=name, project=project, host=host, anonymous_id=anonymous_id, asked_ns=now_ns))


def note(paths: Paths, erasure: Erasure, *, result: str, is_done: bool, now_ns: int) -> None:
    """Note an attempt's result, and forget the id if it is done; raises UserError if that cannot be written."""
    kept = "" if is_done else erasure.anonymous_id
    _write(paths, replace(erasure, anonymous_id=kept, tried_ns=now_ns, result=result))


def read_all(paths: Paths, *, now_ns: int) -> list[Erasure]:
    """All requests, the oldest first, without files that cannot be read. What is done and old is removed."""
    erasures = []
    with contextlib.suppress(OSError):
        for path in sorted(paths.erasures.iterdir())[:_MOST]:
            with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
                erasure = Erasure(**json.loads(read_file(path) or b""), name=path.stem)
                if erasure.is_done and now_ns - erasure.tried_ns > _KEEP_NS:
                    remove_file(path)
                elif _is_sound(erasure):
                    erasures.append(erasure)
    return sorted(erasures, key=lambda erasure: erasure.asked_ns)


def any_wait(paths: Paths) -> bool:
    """Whether there may be requests at all, at the cost of one look-up."""
    return os.path.lexists(paths.erasures)


def _is_sound(erasure: Erasure) -> bool:
    texts = (erasure.project, erasure.host, erasure.anonymous_id, erasure.result)
    return all(type(text) is str for text in texts) and type(erasure.asked_ns) is type(erasure.tried_ns) is int


def _write(paths: Paths, erasure: Erasure) -> None:
    document = asdict(erasure)
    del document["name"]
    write_file(_file(paths, erasure.name), json.dumps(document).encode() + b"\n")


def _file(paths: Paths, name: str) -> Path:
    return paths.erasures / f"{name}.json"
