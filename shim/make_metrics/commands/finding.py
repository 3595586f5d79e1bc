"""A finding of `make-metrics doctor`."""

from __future__ import annotations

from make_metrics.dataclass import dataclass

OK, NOTE, BAD = "ok", "note", "BAD"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check: OK, NOTE, or BAD if the user has to do something; the subject; and a line about it.

    `change` is the part of the line that says what would have to change; it may be empty.
    """

    result: str
    subject: str
    text: str
    change: str = ""
