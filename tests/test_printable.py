from __future__ import annotations

from make_metrics.printable import printable


def test_what_could_control_a_terminal_is_escaped() -> None:
    assert printable("a\x1b[2J\x9bb\n") == "a\\x1b[2J\\x9bb\\n"
    assert printable("größe ✓") == "größe ✓"
