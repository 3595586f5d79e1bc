"""Runs a case in a mode, with or without the include line, and takes down everything that can be seen of it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci.conformance.cases import Case, Mode, Normaliser, as_comment, instrument, is_instrumented, normaliser
from make_metrics.files.paths import Paths, private_directory
from make_metrics.setup import fragment, launcher_copy

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMIT_S = 300  # for a case that hangs: others take a second or two, more on a busy machine
# Whether another job still runs when one fails is a matter of time, with plain make too.
_WAITING = re.compile(r"[^\s:]+: \*\*\* Waiting for unfinished jobs\.\.\.\.\n")
# Two targets of one rule, made at the same time, share the number of the line that make names.
_LINE_NUMBER = re.compile(r"(?<=\[)(\S+:)\d+(?=: )")
_CHANGES_WITH_PATHS = {".o", ".a"}


def stop_ignoring_signals() -> None:
    """Stop ignoring signals that the starter has had ignored (nohup, `&` in a script): children would inherit that."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What can be seen of a run: output, exit status, and the files it left.

    A file is a line: its mode, the digest of its contents or a link's target, and its name.
    """

    output: str
    errors: str
    status: int
    files: tuple[str, ...] = field(default=())

    def parts(self) -> dict[str, list[str]]:
        """The outcome as lines, by the name of the part."""
        return {
            "output": self.output.splitlines(),
            "errors": self.errors.splitlines(),
            "status": [str(self.status)],
            "files": list(self.files),
        }


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder to run one case at a time in, beside the directories of the fragment that it uses.

    With `commented` the makefiles of plain make end with the include line as a comment: recipes that look at their
    makefile then see the same size, and its text is compared too. `mask` replaces, in output and in files, what no two
    runs have the same.
    """

    root: Path
    make: Path
    compiled: bool
    limit_s: float = LIMIT_S
    commented: bool = False
    mask: Normaliser = str

    @property
    def paths(self) -> Paths:
        """The directories of the fragment."""
        home = self.root / "m"
        return Paths(data=home / "data", config=home / "config", state=home / "state")

    def line(self, mode: Mode) -> str:
        """The include line as set-up prints it; in the mode `absent` the fragment that it names is missing."""
        nowhere = self.root / "nowhere"
        return fragment.include_line(replace(self.paths, shared=nowhere) if mode.absent else self.paths)

    @property
    def work(self) -> Path:
        """The working folder: the same path with and without the include line."""
        return self.root / "w"

    def environment(self, mode: Mode) -> dict[str, str]:
        """The environment that a case starts in."""
        # A make 4.4 that is killed leaves a FIFO in TMPDIR, at which another make with the same pid fails.
        home, scratch = self.root / "home", self.root / "tmp"
        for folder in (home, scratch):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        environ = {"PATH": f"{self.root / 'bin'}:{PATH}", "HOME": str(home), "LANG": "C.UTF-8", "LC_MESSAGES": "C",
                   "SHELL": "/bin/bash", "TMPDIR": str(scratch), "MAKE": str(self.make)}  # fmt: skip
        if mode.jobs:
            environ["MAKEFLAGS"] = mode.jobs
        if mode.off:
            environ["MAKE_METRICS"] = "off"
        if mode.agreed:  # the home with the opt-in
            environ["MAKE_METRICS_HOME"] = str(self.root / "m")
        return environ

    def run(self, case: Case, mode: Mode, *, ours: bool) -> Outcome:
        """Run the case in a fresh working folder."""
        _remove(self.work)
        shutil.copytree(case.folder / "in", self.work, symlinks=True)
        line = self.line(mode)
        comment = as_comment(line) if self.commented else None
        instrument(self.work, mode, line if ours else comment)
        paths = normaliser({str(self.work): "@W@", str(self.root): "@ROOT@", str(self.make): "@MAKE@"})

        def masked(text: str) -> str:
            return self.mask(text.replace(line, comment) if comment else text)

        def normalise(text: str) -> str:
            return paths(masked(text))

        process = subprocess.Popen(
            ["/bin/sh", str(case.folder.resolve() / "cmds")],
            cwd=self.work,
            env=self.environment(mode),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if mode.separate else subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            output, errors = process.communicate(timeout=self.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
            errors = (errors or b"") + b"\nTIMEOUT\n"
        texts = [normalise((text or b"").decode("utf-8", "backslashreplace")) for text in (output, errors)]
        if mode.jobs:
            texts = [_LINE_NUMBER.sub(r"\1", _WAITING.sub("", text)) for text in texts]
            texts = ["".join(line + "\n" for line in sorted(text.splitlines())) for text in texts]
        try:
            return Outcome(texts[0], texts[1], process.returncode, tuple(map(normalise, self._files(masked))))
        finally:
            _remove(self.work)

    def _files(self, masked: Normaliser) -> Iterator[str]:
        for path in sorted(self.work.rglob("*")):
            compared = path.suffix not in _CHANGES_WITH_PATHS and (self.commented or not is_instrumented(path))
            yield _file(path, self.work, masked if compared else None)


def prepare(root: Path, make: Path, *, compiled: bool) -> Bench:
    """A bench in a new folder, with the fragment that set-up writes."""
    root.mkdir()
    bench = Bench(root, make, compiled=compiled)
    private_directory(bench.paths.data)
    (root / "bin").mkdir()
    (root / "bin" / "make").symlink_to(make)  # for a case that runs "make"
    launcher_copy.write(bench.paths, fragment.launcher())
    bench.paths.fragment.write_text(fragment.render(bench.paths, compiled=compiled))
    return bench


def _file(path: Path, work: Path, masked: Normaliser | None) -> str:
    """A file as a line; without the digest of its contents if `masked` is None."""
    status = path.lstat()
    name = str(path.relative_to(work)).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    contents = ""
    if stat.S_ISLNK(status.st_mode):
        contents = f"-> {os.readlink(path)}"  # noqa: PTH115 - the text, not a Path of it
    elif stat.S_ISREG(status.st_mode) and masked:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        contents = hashlib.sha256(masked(text).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{stat.filemode(status.st_mode)} {contents} {name}"


def _remove(folder: Path) -> None:
    """Remove a folder, even with directories that the case has made unreadable."""
    if folder.exists():
        for path in [folder, *[path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()]]:
            path.chmod(0o700)
        shutil.rmtree(folder)
