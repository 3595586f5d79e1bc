"""What is stored of a message: its values, before persons, names and cuts have numbers."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple


class Cut(NamedTuple):
    """What a page can split and filter by; see CUTS in `tables`."""

    system: str
    driver: str
    jobs: int
    on_default: int
    goal: int


class Row(NamedTuple):
    """An event as EVENTS has it, but with texts for `person`, `target` and `event`, and with a `Cut`."""

    message_id: str
    started_us: int
    person: str
    target: str
    cut: Cut
    event: str
    own_ms: int | None
    whole_ms: int | None
    own_bucket: int | None
    whole_bucket: int | None
    status: int | None
    goal: bool | None
    lines: int | None
    level: int | None
    parallel: bool | None
    jobs: int | None
    on_default: bool | None
    commit_s: int | None
    commit_offset_min: int | None
    run: str | None
    parent: str | None
    version: int | None
    is_test: str
    rest: str | None


class ChoiceRow(NamedTuple):
    """A yes or a no as CHOICES has it, with texts for `person` and `event`."""

    message_id: str
    at_us: int
    person: str
    choice: str
    event: str
    is_test: str
    rest: str | None


class Batch(NamedTuple):
    """What is stored of one request or file: rows of one project, and what was refused of it.

    `refused` counts by property ("" for a whole event) and reason.
    """

    project: int
    rows: list[Row]
    choices: list[ChoiceRow]
    refused: Counter[tuple[str, str]]
