"""The directory that `-C` names."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from tests.support.sharing_project import Sharing


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_directory_whose_name_is_no_text(sharing: Sharing) -> None:
    odd = os.fsdecode(os.fsencode(sharing.project.folder) + b"\xff")
    shutil.copytree(sharing.project.folder, odd)
    for words in (["status", "-C", ""], ["opt-out", "-C", ""]):
        sharing.cli(*words, status=1)
        assert sharing.errors == "make-metrics: -C needs a directory, and its name is empty\n"
    for words in (["status"], ["opt-out"], ["preview"], ["sent"]):
        sharing.cli(*words, "-C", odd)
    sharing.cli("opt-in", "--yes", "-C", odd, status=1)
    assert "is not UTF-8" in sharing.errors
