"""Settings files of projects, as tests write them."""

from __future__ import annotations

from pathlib import Path

from make_metrics.project.settings import NAME

FULL_SETTINGS = """
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"
retention = "one year"
contact = "metrics@example.org"
event = "example.make"
default-branch = "trunk"
send-file-targets = true
send-opt-out = true

[[sinks]]
type = "segment"
write-key = "abc"
host = "https://events.example.org/"

[[sinks]]
type = "segment"
write-key = "def"
"""


def write_settings(folder: Path, text: str = FULL_SETTINGS) -> Path:
    """Write a project's settings file, in a folder that is made if it is missing; the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    path.write_text(text)
    return path
