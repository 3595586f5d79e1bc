"""The short names of runs. Pure.

The id of a run is a process key, and all keys of one machine begin alike. So a run is named by the beginning of a hash
of its id, as git names commits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

LEAST = 4  # characters
_WHOLE = 12
_AGE = re.compile(r"last(?:~([0-9]{1,9}))?")


def whole_name(run_id: str) -> str:
    """The name of a run in full, twelve hexadecimal digits."""
    return sha256(run_id.encode("utf-8", "surrogatepass")).hexdigest()[:_WHOLE]


def short_names(run_ids: Iterable[str]) -> dict[str, str]:
    """Each run's shortest name that no other of these runs shares, by run id."""
    ordered = sorted((whole_name(run_id), run_id) for run_id in run_ids)
    names = {}
    for index, (name, run_id) in enumerate(ordered):
        neighbours = [ordered[near][0] for near in (index - 1, index + 1) if 0 <= near < len(ordered)]
        shared = max((_shared(name, other) for other in neighbours), default=0)
        names[run_id] = name[: max(LEAST, shared + 1)]
    return names


def named(text: str, run_ids: Iterable[str]) -> list[str]:
    """The runs that a text names: a run's id, or the beginning of its name in at least four characters."""
    run_ids = list(run_ids)
    if text in run_ids:
        return [text]
    beginning = text.lower()
    return [run_id for run_id in run_ids if len(text) >= LEAST and whole_name(run_id).startswith(beginning)]


def age(text: str) -> int | None:
    """How many runs a text goes back from the newest: 0 for `last`, 2 for `last~2`; None for any other text."""
    match = _AGE.fullmatch(text)
    return int(match[1] or 0) if match else None


def _shared(left: str, right: str) -> int:
    """How many characters two texts begin with alike."""
    return next((at for at, pair in enumerate(zip(left, right, strict=False)) if pair[0] != pair[1]), len(left))
