"""Draw the output of a command on a terminal as SVG: `python -m ci.picture FILE.svg WIDTH COMMAND...`."""

from __future__ import annotations

import os
import pty
import sys

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


def main() -> int:
    """Write the picture; 0."""
    path, width, *words = sys.argv[1:]
    text = terminal_output(words, int(width))
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        console = Console(record=True, width=int(width), file=nowhere)
        console.print(Text.from_ansi(text))
        console.save_svg(path, title=" ".join(words))
    return 0


if __name__ == "__main__":
    sys.exit(main())
