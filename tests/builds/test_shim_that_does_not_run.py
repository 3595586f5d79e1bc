"""A file of ours that is there and does not run here: each build is as plain make, in output, status and files.

A home that two machines share, a noexec mount, an interpreter that was replaced, an upgrade that is half done, an
environment that was moved.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from make_metrics.setup import fragment, launcher_copy
from tests.support.broken_copy import copy_package, use_copy
from tests.support.project import ROOT, Project, until

MAKEFILE = """
all: b
\techo 'simple\\n'
\t@echo "compound $$((1 + 1))" > file; cat file
\t-nothere
b: c
\t-@exit 3
\t@$(MAKE) --no-print-directory inner
c:
\t-nothere
inner:
\t@echo inner; echo $(shell echo nested)
"""
MENTIONS = "$(if ,$(SHELL))\n"  # the flags hook

Same = Callable[..., None]


@pytest.fixture(params=["SHELL hook", "flags hook"])
def hook(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def installed(each: Project, tmp_path: Path, compiled: bool) -> Path:
    """The package of an installation of the project's own, with an interpreter of its own."""
    copy = copy_package(tmp_path)
    (copy / "bin").mkdir()
    (copy / "bin/python3").symlink_to(sys.executable)
    package = copy / "shim/make_metrics"
    if compiled:
        shutil.copy2(str(fragment.launcher()), package / "hot/launcher")
    use_copy(each, copy)
    each.edit_fragment(f"python := {sys.executable}", f"python := {copy}/bin/python3")
    return package


def forget_copy(project: Project) -> None:
    """Have the fragment know the package's launcher alone, as one does that was set up without a place for a copy."""
    text = project.paths.fragment.read_text()
    project.paths.fragment.write_text(re.sub(r"(?m)^(\.metrics\.baked\.copy :=).*", r"\1", text))


@pytest.fixture
def with_copy(hook: str) -> None:
    """Only makes that start the copy: lines of the flags hook begin with the shell that tries."""
    if hook == "flags hook":
        pytest.skip("the flags hook has no copy")


def copy_of(project: Project) -> Path:
    """Set-up's copy of the launcher; skips the test where there is none."""
    for path in launcher_copy.files(project.paths):
        if path.suffix != launcher_copy.PROOF:
            return path
    pytest.skip("there is no launcher, or nothing tells where it runs")


def proof_of(project: Project) -> Path:
    """The file that says where that copy ran."""
    path = copy_of(project)
    return path.with_name(path.name + launcher_copy.PROOF)


@pytest.fixture
def same(each: Project, hook: str) -> Same:
    """Compares a build with the fragment to the same build without it."""

    def compare(*prefix: str, recorded: bool | None = None, **more: str) -> None:
        outcomes = []
        for line in ("", None):
            each.write(MAKEFILE + (MENTIONS if hook == "flags hook" else ""), line=line)
            (each.folder / "file").unlink(missing_ok=True)
            done = each.run([*prefix, each.make_path], env=each.environment(**more))
            files = sorted((path.name, path.read_bytes()) for path in each.folder.iterdir() if path.name != "Makefile")
            outcomes.append((done.returncode, done.stdout, done.stderr, files))
        assert outcomes[1] == outcomes[0]
        if recorded is not None:
            assert bool(each.records()) == recorded

    return compare


def _copy_interpreter(package: Path) -> Path:
    """The interpreter's path; in place of a link it is a script that runs it."""
    path = package.parent.parent / "bin/python3"
    path.unlink()
    path.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return path


def test_without_any_fault(same: Same, installed: Path, each: Project) -> None:
    same(recorded=True)
    assert {event.target for event in each.recorded()} == {"all", "b", "c", "inner"}


@pytest.mark.asks_system
def test_a_make_below_one_whose_lines_run_tries_nothing(
    same: Same, installed: Path, each: Project, compiled: bool, hook: str, tmp_path: Path
) -> None:
    """Also where a shell stands between both."""
    if not compiled:
        pytest.skip("there is no launcher")
    forget_copy(each)
    trampoline, calls = installed / "hot/trampoline.sh", tmp_path / "calls"
    real = trampoline.rename(trampoline.with_name("real.sh"))
    trampoline.write_text(f'[ "$1" = - ] || echo tries >>{calls}\n. {real}\n')
    same(recorded=True)
    calls.unlink()
    text = "all:\n\t@:;:\n\t@cd . && $(MAKE) -s two\ntwo:\n\t@$(MAKE) -s three; true\nthree:\n\t@:;:\n"
    each.write(text + (MENTIONS if hook == "flags hook" else ""))
    assert each.make("-s").returncode == 0
    assert {event.target for event in each.recorded()} >= {"all", "two", "three"}
    assert calls.read_text() == "tries\n"


@pytest.mark.asks_system
@pytest.mark.usefixtures("with_copy")
def test_a_make_tries_nothing_where_the_copy_ran_before(
    same: Same, installed: Path, each: Project, tmp_path: Path
) -> None:
    proof = proof_of(each)
    trampoline, calls = installed / "hot/trampoline.sh", tmp_path / "calls"
    real = trampoline.rename(trampoline.with_name("real.sh"))
    trampoline.write_text(f"echo called >>{calls}\n. {real}\n")
    same(recorded=True)
    assert calls.exists()
    until(proof.exists)
    for path in (calls, *each.records(), *each.paths.makes.iterdir()):
        path.unlink()
    same(recorded=True)
    assert not calls.exists()
    assert not list(each.paths.makes.glob("tried.*"))
    assert {event.target for event in each.recorded()} == {"all", "b", "c", "inner"}


PROOFS: dict[str, Callable[[str], str]] = {
    "another boot": lambda text: "0" + text[1:] if text[0] != "0" else "1" + text[1:],
    "a mount more": lambda text: text + "99 1 8:1 / /mnt rw - ext4 /dev/sda1 rw\n",
    "a mount less": lambda text: text[: text.rstrip("\n").rindex("\n") + 1],
    "other options": lambda text: text.replace(" rw", " rw,noexec", 1),
    "empty": lambda text: text[:0],
    "torn": lambda text: text[: len(text) // 2],
    "the boot alone": lambda text: text.split("\n")[0],
    "no text": lambda text: "\0\xff" + text,
}


@pytest.mark.asks_system
@pytest.mark.usefixtures("with_copy")
@pytest.mark.parametrize("change", PROOFS)
def test_a_proof_from_elsewhere_counts_for_nothing(same: Same, each: Project, installed: Path, change: str) -> None:
    """The copy may be another machine's by now: it is tried, and what it says here is written."""
    proof, copy = proof_of(each), copy_of(each)
    same(recorded=True)
    until(proof.exists)
    text = proof.read_text()
    proof.write_text(PROOFS[change](text))
    same(recorded=True)
    until(lambda: proof.read_text() == text)
    proof.write_text(PROOFS[change](text))
    _of_another_machine(copy)
    same(recorded=True)
    assert proof.read_text() != text


@pytest.mark.asks_system
@pytest.mark.usefixtures("with_copy")
def test_without_its_copy_the_packages_launcher_runs(same: Same, each: Project, installed: Path) -> None:
    proof, copy = proof_of(each), copy_of(each)
    same(recorded=True)
    until(proof.exists)
    copy.unlink()
    same(recorded=True)
    assert any(path.name.endswith("+hot+launcher") for path in each.paths.makes.glob("tried.*"))


@pytest.mark.asks_system
@pytest.mark.usefixtures("with_copy")
def test_a_library_for_lines_has_the_copy_tried(same: Same, each: Project, installed: Path) -> None:
    proof = proof_of(each)
    same(recorded=True)
    until(proof.exists)
    _of_another_machine(copy_of(each))
    same(LD_LIBRARY_PATH="/nowhere")


@pytest.mark.asks_system
@pytest.mark.usefixtures("with_copy")
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")
def test_the_copys_folder_becomes_noexec(same: Same, each: Project, installed: Path) -> None:
    """In the same space of mounts in which it has just run."""
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    folder, proof = copy_of(each).parent, proof_of(each)
    above = folder.parent
    make = f"{each.make_path} >/dev/null 2>&1; {each.make_path} >/dev/null 2>&1; rm -f file"
    for mounts in (f"mount --bind {folder} {folder}; {make}; mount -o remount,bind,noexec {folder}",
                   f"{make}; mount --bind -o noexec {folder} {folder} && mount -o remount,bind,noexec {folder}",
                   f"{make}; mount --bind {above} {above}; mount -o remount,bind,noexec {above}",
                   ):  # fmt: skip
        same("unshare", "-m", "sh", "-c", f'{mounts}; exec "$@"', "sh")
    assert proof.exists()


def _put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _put_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def _move_older_in(path: Path) -> None:
    other = path.with_name("other")
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    os.utime(other, (1, 1))
    other.replace(path)


def _of_another_machine(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[18:20] = (0xF3 if content[18] != 0xF3 else 0xB7).to_bytes(2, "little")  # ELF's e_machine
    path.write_bytes(content)


LAUNCHERS: dict[str, Callable[[Path], object]] = {
    "another machine's": _of_another_machine,
    "empty": lambda path: path.write_bytes(b""),
    "a header only": lambda path: path.write_bytes(path.read_bytes()[:40]),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "no program": lambda path: path.write_text("echo mm1 runs > file2\n"),
    "other answers": lambda path: path.write_text("#!/bin/sh\necho mm1\n"),
    "not executable": lambda path: path.chmod(0o644),
    "a folder": _put_folder,
    "another's, dated back": _move_older_in,
}


@pytest.mark.parametrize(
    ("what", "fault"),
    [(what, fault) for what in ("package's", "copy, after a boot") for fault in LAUNCHERS]
    + [("package's, with a copy", "another machine's")],
)
def test_launcher(same: Same, installed: Path, each: Project, compiled: bool, hook: str, fault: str, what: str) -> None:
    if not compiled:
        pytest.skip("there is no launcher")
    if hook == "flags hook" and what != "package's":
        pytest.skip("the flags hook has no copy")
    if what == "package's":
        forget_copy(each)
    same(recorded=True)
    if what == "copy, after a boot":
        proof_of(each).unlink(missing_ok=True)
        LAUNCHERS[fault](copy_of(each))
    else:
        LAUNCHERS[fault](installed / "hot/launcher")
    for path in each.records():
        path.unlink()
    same(recorded=True)  # by the interpreter
    assert {event.target for event in each.recorded()} == {"all", "b", "c", "inner"}


INTERPRETERS: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "exits 1": lambda path: path.write_text("#!/bin/sh\nexit 1\n"),
    "exits 0": lambda path: path.write_text("#!/bin/sh\nexit 0\n"),
    "says something": lambda path: path.write_text("#!/bin/sh\necho here; echo there >&2; exit 2\n"),
    "empty": lambda path: path.write_bytes(b""),
    "a folder": _put_folder,
    "not executable": lambda path: path.chmod(0o644),
    "a dangling link": _put_link,
    "another's, dated back": _move_older_in,
}


@pytest.mark.parametrize("fault", INTERPRETERS)
def test_interpreter(same: Same, installed: Path, fault: str) -> None:
    path = _copy_interpreter(installed)
    same(recorded=True)
    INTERPRETERS[fault](path)
    same()


def _remove(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink()


def _modules(package: Path) -> list[Path]:
    return sorted(package.rglob("*.py"))


PACKAGES: dict[str, Callable[[Path], object]] = {
    "entry.py gone": lambda package: _remove([package / "entry.py"]),
    "entry.py empty": lambda package: (package / "entry.py").write_bytes(b""),
    "entry.py cut": lambda package: (package / "entry.py").write_text("import sys\ntry:\n"),
    "line.py gone": lambda package: _remove([package / "hot/line.py"]),
    "hot empty": lambda package: _remove(sorted((package / "hot").glob("*.py"))),
    "no trampoline": lambda package: _remove([package / "hot/trampoline.sh"]),
    "first half": lambda package: _remove(_modules(package)[: len(_modules(package)) // 2]),
    "second half": lambda package: _remove(_modules(package)[len(_modules(package)) // 2 :]),
    "moved": lambda package: package.rename(package.with_name("moved")),
}


@pytest.mark.parametrize("fault", PACKAGES)
@pytest.mark.parametrize("first", [False, True], ids=["later", "from the first make on"])
def test_package(same: Same, installed: Path, fault: str, first: bool) -> None:
    if not first:
        same(recorded=True)
    PACKAGES[fault](installed)
    same()
    same()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")
@pytest.mark.parametrize("what", ["the launcher's folder", "the interpreter's folder", "both"])
def test_noexec_mount(same: Same, each: Project, installed: Path, compiled: bool, what: str) -> None:
    forget_copy(each)
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    interpreter = _copy_interpreter(installed)
    folders = {"the launcher's folder": [installed / "hot"], "the interpreter's folder": [interpreter.parent]}
    commands = []
    for folder in folders.get(what, [installed / "hot", interpreter.parent]):
        commands.append(f"mount --bind {folder} {folder} && mount -o remount,bind,noexec {folder}")
    same(recorded=True)
    same("unshare", "-m", "sh", "-c", f'{" && ".join(commands)} && exec "$@"', "sh")


def test_a_library_that_keeps_the_interpreter_from_starting(same: Same, installed: Path) -> None:
    path = _copy_interpreter(installed)
    path.write_text(f'#!/bin/sh\n[ -z "$LD_LIBRARY_PATH" ] || exit 127\nexec {sys.executable} "$@"\n')
    same(recorded=True)
    same(LD_LIBRARY_PATH="/nowhere")


@pytest.mark.parametrize("kind", ["arm", "x86"])
def test_another_kind_of_machine_set_up_this_home(each: Project, hook: str, same: Same, kind: str) -> None:
    """Its programs are not even tried; those that set-up wrote for this kind are."""
    if kind == fragment.kind_of_machine():
        pytest.skip("this machine's kind")
    text = each.paths.fragment.read_text()
    ours = fragment.read_values(text)[fragment.kind_of_machine()]
    each.edit_fragment(f".metrics.baked.machine := {fragment.kind_of_machine()}", f".metrics.baked.machine := {kind}")
    foreign = each.paths.fragment.read_text()
    same(recorded=False)
    each.paths.fragment.write_text(
        foreign.replace(
            fragment.END,
            "".join(
                f".metrics.for.{fragment.kind_of_machine()}.{name} := {value}\n"
                for name, value in ours.items()
                if name not in ("machine", "fragment")
            )
            + fragment.END,
        ).replace(f"baked.entry := {ROOT}", "baked.entry := /nowhere")
    )
    same(recorded=True)
