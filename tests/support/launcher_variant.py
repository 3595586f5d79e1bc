"""Which launcher the tests run: this system's, or the one that asks it nothing (MAKE_METRICS_LAUNCHER=posix)."""

from __future__ import annotations

from ci.build_launcher import VARIANT_VARIABLE, variant

MARK = "asks_system"
REASON = f"{VARIANT_VARIABLE}=posix: that launcher asks the system nothing"


def asks_nothing() -> bool:
    """Whether the launcher asks the system nothing: it does not know the key of a make, and so not its marker."""
    return bool(variant())
