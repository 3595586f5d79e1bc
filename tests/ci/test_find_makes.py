"""Which makes tests and the conformance suite find, and by which versions they name them."""

from __future__ import annotations

import shutil
from pathlib import Path

from ci import find_makes
from ci.conformance.__main__ import arguments
from tests.support.project import makes


def test_the_environment_names_more_places(tmp_path: Path) -> None:
    programs = [tmp_path / version / "make" for version in ("1", "2")]
    for program in programs:
        program.parent.mkdir()
        program.write_text("#!/bin/sh\necho no make\n")
        program.chmod(0o755)
    (tmp_path / "1/make").chmod(0o644)
    found = list(find_makes.places({"PATH": "/usr/bin", "MAKES": f"{tmp_path}/*/make:/nowhere"}))
    assert found[-1] == programs[1]
    assert programs[0] not in found
    assert find_makes.version(programs[1]) == ""


def test_a_make_is_named_by_its_own_version(tmp_path: Path) -> None:
    version, path = next(iter(makes().items()))
    copy = Path(shutil.copy(path, tmp_path / "make-of-another-name"))
    assert find_makes.version(copy) == version
    assert find_makes.version(Path("/bin/sh")) == find_makes.version(tmp_path / "nothing") == ""


def test_the_conformance_suite_takes_a_version_for_a_make() -> None:
    version, path = next(iter(makes().items()))
    assert str(arguments(["--make", version]).make) == path
