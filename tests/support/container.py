"""A container of a real engine, runc: its own processes and mounts, this machine's files and network."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

_OWN = ("dev", "proc", "sys")  # of the container, as in any
_OPTIONS = ["nosuid", "noexec", "nodev"]


def bundle(folder: Path, words: Sequence[str], environ: Mapping[str, str], directory: Path) -> Path:
    """Write an OCI bundle whose process 1 runs these words, and give its folder."""
    root = folder / "rootfs"
    root.mkdir(parents=True)
    mounts = [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
        {"destination": "/sys", "type": "tmpfs", "source": "tmpfs", "options": _OPTIONS},
    ]
    for path in Path("/").iterdir():
        if path.is_symlink():
            (root / path.name).symlink_to(path.readlink())
        elif path.is_dir() and path.name not in _OWN:
            mounts.append({"destination": str(path), "type": "bind", "source": str(path), "options": ["rbind", "rw"]})
    namespaces = [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]
    process = {
        "user": {"uid": os.getuid(), "gid": os.getgid()},
        "args": [*words],
        "env": [f"{name}={value}" for name, value in environ.items()],
        "cwd": str(directory),
        "capabilities": {},
    }
    document = {
        "ociVersion": "1.0.2",
        "process": process,
        "root": {"path": str(root)},
        "hostname": "container",
        "mounts": mounts,
        "linux": {"namespaces": namespaces},
    }
    (folder / "config.json").write_text(json.dumps(document))
    return folder


def start(folder: Path, words: Sequence[str], environ: Mapping[str, str], directory: Path) -> subprocess.Popen[str]:
    """Run words as process 1 of a container; `folder` is for what the engine needs, and new."""
    command = ["runc", "--root", str(folder / "state"), "run", "--bundle",
               str(bundle(folder / "bundle", words, environ, directory)), f"test-{uuid.uuid4()}"]  # fmt: skip
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@functools.cache
def works() -> bool:
    """Whether a container can be run here."""
    if shutil.which("runc") is None:
        return False
    with tempfile.TemporaryDirectory() as folder:
        process = start(Path(folder) / "try", ["/bin/true"], {"PATH": "/usr/bin:/bin"}, Path("/"))
        process.communicate(timeout=60)
        return process.returncode == 0
