"""Draw the output of a command on a terminal as SVG: `python -m ci.picture FILE.svg WIDTH COMMAND...`."""

from __future__ import annotations

import os
import pty
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text


def terminal_output(words: list[str], width: int) -> str:
    """The output of a command on a terminal of `width` columns."""
    output = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 65536)
        output.extend(data)
        return data

    os.environ.update(COLUMNS=str(width), TERM="xterm-256color")
    pty.spawn(words, read)
    return output.decode().replace("\r\n", "\n")


def draw(path: str | Path, width: int, words: list[str], *, title: str = "") -> None:
    """Draw the output of a command on a terminal of `width` columns."""
    text = terminal_output(words, width)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=width, file=nowhere)
        console.print(Text.from_ansi(text))
        console.save_svg(str(path), title=title or " ".join(words))


def main() -> int:
    """Write the picture; 0."""
    path, width, *words = sys.argv[1:]
    draw(path, int(width), words)
    return 0


if __name__ == "__main__":
    sys.exit(main())
