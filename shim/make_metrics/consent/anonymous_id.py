"""The pseudonymous id of a project's user: random, made at opt-in, deleted at opt-out."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.files.write import move_aside, remove_file, write_file
from make_metrics.project.project import Project
from make_metrics.project.root import project_key

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def id_file(paths: Paths, project: Project) -> Path:
    """The file of a project's id."""
    return paths.identities / project_key(project.directory)


def read_id(paths: Paths, project: Project) -> str | None:
    """A project's id; None if there is none, or if its file cannot be read or is damaged."""
    return read_id_file(id_file(paths, project))


def read_id_file(path: Path) -> str | None:
    """As `read_id`, from the id's file."""
    try:
        content = read_file(path) or b""
    except OSError:
        return None
    text = content.decode("ascii", "replace").strip()
    return text if _ID.fullmatch(text) else None


def ensure_id(paths: Paths, project: Project) -> str:
    """A project's id, made at random if there is none; the caller holds `consent.lock`.

    Raises UserError if its file cannot be written.
    """
    anonymous_id = read_id(paths, project)
    if anonymous_id is None:
        anonymous_id = str(uuid.uuid4())
        write_file(id_file(paths, project), anonymous_id.encode("ascii") + b"\n")
    return anonymous_id


def erase_id(paths: Paths, project: Project) -> None:
    """Remove a project's id; the caller holds `consent.lock`. Raises UserError if its file cannot be removed."""
    path = id_file(paths, project)
    move_aside(path)  # a directory cannot be removed like a file
    remove_file(path)
