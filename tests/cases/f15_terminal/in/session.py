"""Types into a shell at a terminal, each time when what it waits for has come, and prints what was said."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from pathlib import Path

PROMPT = "@" + "@ "


class Terminal:
    """A shell with job control, at a terminal of 31 lines and 77 columns."""

    def __init__(self) -> None:
        self.seen = ""
        pid, self.fd = pty.fork()
        if not pid:
            os.environ.update(PS1=PROMPT, TERM="dumb")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        self.pid = pid
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 31, 77, 0, 0))
        self.expect(PROMPT)

    def expect(self, text: str) -> str:
        """What comes before a text, which must come within 20 seconds."""
        until = time.monotonic() + 20
        while text not in self.seen:
            if not select.select([self.fd], [], [], max(0, until - time.monotonic()))[0]:
                sys.exit(f"waited for {text!r} in vain: {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def press(self, keys: str) -> None:
        """Type, and do not look at what becomes of it."""
        os.write(self.fd, keys.encode())

    def enter(self, line: str) -> None:
        """Type a line, and see it typed."""
        self.press(f"{line}\n")
        self.expect(f"{line}\r\n")

    def make(self, goal: str, *, until: str) -> None:
        """Run make, until its recipe says something."""
        self.enter(f"$MAKE {goal}")
        self.expect(until)

    def end(self) -> None:
        """Print what was said until the shell asks again, and the exit status."""
        said = self.expect(PROMPT)
        self.enter("echo status=$?")
        said += self.expect(PROMPT)
        # When the terminal shows the key that was typed, and whether the trap's shell ends a program first, are races.
        print(*[word for word in re.sub(r"\^[CZ\\]", "", said).split() if word != "Quit"])


terminal = Terminal()
terminal.enter("ulimit -c 0")
terminal.expect(PROMPT)

terminal.make("stop", until="ready")
terminal.press("\x1a")
terminal.expect("Stopped")
terminal.expect(PROMPT)
terminal.enter("fg")
terminal.expect("$MAKE stop")
Path("go").write_text("\n")
terminal.end()

terminal.make("ask", until="31 77\r\n")
terminal.press("yes please\n")
terminal.end()

for key in ("\x03", "\x1c"):  # make has taken it long before the recipe ends: no race for the last word
    terminal.make("trap", until="ready")
    terminal.press(key)
    terminal.end()

terminal.press("exit\n")
os.waitpid(terminal.pid, 0)
