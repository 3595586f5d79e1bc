"""Lines redrawn in place at the bottom of a terminal, which is left as it was whatever ends the command."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from rich.console import Console
from rich.text import Text

from make_metrics.report.live import redrawn
from make_metrics.report.screen import Part, console_of_output, fitted
from make_metrics.report.wrapped import columns

_ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_LOCAL = 3  # place of the local modes in what termios gives
_SHOWS_KEYS = termios.ECHO | termios.ECHONL | termios.ICANON


class Stopped(BaseException):
    """A signal that ends the command was received."""

    def __init__(self, number: int) -> None:
        """The signal's number."""
        super().__init__(number)
        self.number = number


def can_redraw() -> bool:
    """Whether standard output is a terminal in which lines can be written again."""
    console = Console(file=sys.stdout)
    return console.is_terminal and not console.is_dumb_terminal and sys.stdout.isatty()


class Terminal:
    """The lines that stand now. Begin with `held`."""

    def __init__(self) -> None:
        """No line stands yet."""
        self._console = console_of_output()
        self._lines: list[str] = []
        self._widths: list[int] = []
        self._resized = self._suspended = self._continued = False
        self._modes: list[Any] | None = None  # of the terminal as it was, once its keys are not shown
        self._wake_read, self._wake_write = -1, -1

    @property
    def rows(self) -> int:
        """How many lines fit."""
        return max(1, self._size().lines - 1)

    @property
    def columns(self) -> int:
        """How many columns a line has: one that fills a row may break into the next."""
        return max(1, self._size().columns - 1)

    @contextlib.contextmanager
    def held(self) -> Iterator[Terminal]:
        """For the length of a `with` block the cursor is hidden, and keys are not shown: Enter would move the lines.

        Keys that end or stop a process do so. While it is stopped by a shell, the terminal is as it was. SIGTERM,
        SIGHUP and SIGQUIT raise `Stopped` in it.
        """
        earlier: dict[int, Any] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        woken = signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        handlers = {**dict.fromkeys(_ENDS, self._end), signal.SIGWINCH: self._resize, signal.SIGTSTP: self._suspend,
                    signal.SIGCONT: self._continue}  # fmt: skip
        try:
            for signal_number, handler in handlers.items():
                if signal.getsignal(signal_number) != signal.SIG_IGN:  # as with nohup
                    earlier[signal_number] = signal.signal(signal_number, handler)
            self._hide_keys()
            self._write(redrawn.HIDE)
            yield self
        finally:
            # Another signal must not end this before the terminal is as it was.
            blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDS, signal.SIGINT, signal.SIGTSTP})
            self._show_keys()
            with contextlib.suppress(OSError):  # the terminal is gone
                self._write(redrawn.SHOW)
            for number, handler in earlier.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(woken)
            os.close(self._wake_read)
            os.close(self._wake_write)
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def draw(self, lines: Sequence[Sequence[Part]]) -> None:
        """Show lines in place of those that stand."""
        self._hide_keys()  # a shell may have brought it to the foreground
        if self._resized:
            self._resized = False
            self._remove()
        width = self.columns
        texts = [_cut(fitted(parts, width), width) for parts in lines[: self.rows]]
        shown = [self._styled(text) for text in texts]
        self._write(redrawn.change(self._lines, shown))
        self._lines, self._widths = shown, [text.cell_len for text in texts]

    def keep(self, parts: Sequence[Part]) -> None:
        """Write a line for good in place of those that stand."""
        self._remove()
        fitting = fitted(parts, self.columns)
        self._write(self._styled(Text.assemble(*((part.text, part.style) for part in fitting))) + "\r\n")

    def wait(self, seconds: float) -> None:
        """Wait, or until a signal."""
        if select.select([self._wake_read], [], [], seconds)[0]:
            os.read(self._wake_read, 1024)
        if self._suspended:
            self._suspended = False
            self._stop()
        if self._continued:
            self._continued = False
            self._go_on()

    def _remove(self) -> None:
        self._write(redrawn.removal(self._widths, self._size().columns))
        self._lines, self._widths = [], []

    def _styled(self, text: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(text, end="", soft_wrap=True)
        return captured.get()

    @staticmethod
    def _size() -> os.terminal_size:
        try:
            size = os.get_terminal_size(sys.stdout.fileno())
        except (OSError, ValueError):
            size = os.terminal_size((80, 24))
        return os.terminal_size((size.columns or 80, size.lines or 24))

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    @staticmethod
    def _end(number: int, _frame: FrameType | None) -> None:
        raise Stopped(number)

    def _resize(self, _number: int, _frame: FrameType | None) -> None:
        self._resized = True

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        self._suspended = True

    def _continue(self, _number: int, _frame: FrameType | None) -> None:
        self._continued = True

    def _stop(self) -> None:
        """Stop as without us, with the terminal as it was."""
        self._show_keys()
        self._write(redrawn.SHOW)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        signal.signal(signal.SIGTSTP, self._suspend)
        self._continued = True

    def _go_on(self) -> None:
        """Go on after a stop: the lines stand below what came meanwhile."""
        self._lines, self._widths = [], []
        self._hide_keys()
        self._write(redrawn.HIDE)

    def _hide_keys(self) -> None:
        with contextlib.suppress(OSError, termios.error):  # the terminal is gone
            if self._is_foreground():
                modes = termios.tcgetattr(sys.stdout)
                if modes[_LOCAL] & _SHOWS_KEYS:
                    self._modes = self._modes or [*modes]
                    modes[_LOCAL] &= ~_SHOWS_KEYS
                    termios.tcsetattr(sys.stdout, termios.TCSANOW, modes)

    def _show_keys(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            if self._modes is not None and self._is_foreground():
                termios.tcsetattr(sys.stdout, termios.TCSANOW, self._modes)

    @staticmethod
    def _is_foreground() -> bool:
        # The terminal is another's while a process is in the background: the system stops it where it sets modes.
        return os.tcgetpgrp(sys.stdout.fileno()) == os.getpgrp()


def _cut(parts: Sequence[Part], width: int) -> Text:
    """A line that is never wider than `width`: the parts that fit whole, of the first one its beginning."""
    text, left = Text(), width
    for part in parts:
        kept = part.text
        if text and not part.shrinks and columns(kept) > left:
            break
        while columns(kept) > left:
            kept = kept[:-1]
        text.append(kept, part.style)
        left -= columns(kept)
        if kept != part.text:
            break
    return text
