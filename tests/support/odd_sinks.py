"""A package with sinks that do what they should not, and one that does what it should."""

from __future__ import annotations

from pathlib import Path

KINDS = ("good", "raising", "deriving", "exiting", "dying", "hanging", "spinning", "talking", "lying", "asking")
"""Ends of the kinds' names, which begin with `odd-`."""
CODE = """
import itertools
import os
import re
import sys
import time
from pathlib import Path

from make_metrics.sinks import Kind, Outcome, Prepared, Verdict


class Good:
    def __init__(self, settings, surroundings):
        self.url, self.network = settings.host, surroundings.network

    def batches(self, messages):
        return [[index] for index in range(len(messages))]

    def prepare(self, batch):
        return Prepared(self.url, b"body")

    def send(self, batch, *, timeout_s):
        return Verdict(Outcome.ACCEPTED, "accepted", self.url, b"body")


class Raising(Good):
    def send(self, batch, *, timeout_s):
        raise ValueError("no \\x1b[31mway")


class Deriving(Good):
    def send(self, batch, *, timeout_s):
        raise type("OddError", (BaseException,), {})("of its own")


class Exiting(Good):
    def batches(self, messages):
        sys.exit(3)


class Dying(Good):
    def send(self, batch, *, timeout_s):
        os._exit(0)


class Hanging(Good):
    def send(self, batch, *, timeout_s):
        Path(os.environ["HOME"], "hangs").touch()
        time.sleep(3600)


class Spinning(Good):
    def send(self, batch, *, timeout_s):  # holds the interpreter: no other thread runs
        Path(os.environ["HOME"], "hangs").touch()
        re.match(r"(a+)+b", "a" * 64)


class Talking(Good):
    def send(self, batch, *, timeout_s):
        print("HELLO", flush=True)
        print("HELLO", file=sys.stderr, flush=True)
        os.environ.clear()
        return Verdict(Outcome.LATER, "no \\x1b[31mway", "\\udcff", after_s=10**30)


class Lying(Good):
    def send(self, batch, *, timeout_s):
        return "accepted"


class Asking(Good):
    def send(self, batch, *, timeout_s):
        from make_metrics.sinks.network import Session, unanswered

        try:
            with Session(self.network) as session:
                session.post(self.url, b"body", timeout=timeout_s)
        except Exception as error:
            return unanswered(error, timeout_s, self.url)
"""


def install(folder: Path) -> Path:
    """Put the package into a folder, as an installer would; the folder."""
    information = folder / "odd_sinks-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "odd_sinks.py").write_text(
        CODE
        + "".join(f"{kind.upper()} = Kind(make={kind.title()})\n" for kind in KINDS)
        + "SHOWING = Kind(make=Good, shown=lambda url, body: 'ODD ' + body.decode())\n"
    )
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-sinks\nVersion: 1.0\n")
    entries = "".join(f"odd-{kind} = odd_sinks:{kind.upper()}\n" for kind in (*KINDS, "showing"))
    (information / "entry_points.txt").write_text(f"[make_metrics.sinks]\n{entries}")
    return folder
