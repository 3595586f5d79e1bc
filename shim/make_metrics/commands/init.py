"""`make-metrics init`: write a project's settings file to fill in, or print the JSON Schema of such files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path
from make_metrics.project.settings import NAME
from make_metrics.project.settings_template import TEXT

_SCHEMA = Path(__file__).resolve().parent.parent / "project" / "make-metrics.schema.json"


def run(given: argparse.Namespace) -> int:
    """Write make-metrics.toml in `given.directory`, or print the schema; 0.

    Raises UserError if the file exists or cannot be written.
    """
    if given.schema:
        sys.stdout.write(_SCHEMA.read_text())
        return 0
    directory = Path("." if given.directory is None else given.directory)
    if given.directory == "" or not directory.is_dir():
        raise UserError(
            f"{printable_path(directory)} is not a directory" if given.directory else "-C needs a directory"
        )
    path = directory / NAME
    try:
        with path.open("x") as file:  # also a link that leads nowhere is in the way
            file.write(TEXT)
    except FileExistsError:
        raise UserError(f"{printable_path(path)} exists: make-metrics check says whether it is right") from None
    except OSError as error:
        raise UserError(f"cannot write {printable_path(path)}: {error.strerror}") from error
    sys.stdout.write(f"{printable_path(path)}: fill it in; make-metrics check checks it\n")
    return 0
