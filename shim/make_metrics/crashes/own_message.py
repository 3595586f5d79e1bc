"""Whether an exception's message is text of ours: the line that raised it has it word for word."""

from __future__ import annotations

import ast
from pathlib import Path

from make_metrics.crashes.report import Frame

_PACKAGE = Path(__file__).resolve().parent.parent


def own_message(frame: Frame, message: str) -> str:
    """The message if the frame's line is `raise SomeError("the message")` in our source, else empty. Never raises.

    The text returned is the source's: words of the operating system, paths and names cannot get into it.
    """
    try:
        tree = ast.parse((_PACKAGE.parent / frame.package_path).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.lineno <= frame.line <= (node.end_lineno or node.lineno):
            call = node.exc
            if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
                (argument,) = call.args
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value == message:
                    return argument.value
    return ""
