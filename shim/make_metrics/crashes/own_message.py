"""Whether an exception's message is a text of ours: one that stands, word for word, in the line that raised it."""

from __future__ import annotations

import ast
from pathlib import Path

from make_metrics.crashes.report import Frame

_PACKAGE = Path(__file__).resolve().parent.parent


def own_text(frame: Frame, message: str) -> str:
    """The message, if the frame's line is `raise SomeError("the message")` in our source; else empty. Never raises.

    What is given back comes from our own source: words of the operating system, paths and names cannot get into it.
    """
    try:
        tree = ast.parse((_PACKAGE.parent / frame.ours).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ""
    for found in ast.walk(tree):
        if isinstance(found, ast.Raise) and found.lineno <= frame.line <= (found.end_lineno or found.lineno):
            call = found.exc
            if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
                (said,) = call.args
                if isinstance(said, ast.Constant) and isinstance(said.value, str) and said.value == message:
                    return said.value
    return ""
