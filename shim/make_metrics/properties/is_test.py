"""The property `is_test`: a word for whatever MAKE_METRICS_IS_TEST says. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

VARIABLE = "MAKE_METRICS_IS_TEST"
_LONGEST = 50
_OTHER = re.compile(r"[^\w.:+%-]")


def marker(value: str) -> str:
    """A value as a word that may be sent: `_` for each character that may not, cut at 50; "no" for an empty value.

    An event whose value could not be sent would be missing, or without the value be counted as real data.
    """
    return _OTHER.sub("_", value)[:_LONGEST] or "no"


def problem(environ: Mapping[str, str]) -> str:
    """A line for people if the variable's value is not sent as it is; empty if it is."""
    value = environ.get(VARIABLE, "")
    if not value or marker(value) == value:
        return ""
    shown = ascii(value) if len(value) <= 2 * _LONGEST else f"{value[:_LONGEST]!a}..."
    says = f"events say {marker(value)!a}: set at most {_LONGEST} letters, digits and . : + % _ -"
    return f"{VARIABLE} is {shown} in the environment: {says}"
