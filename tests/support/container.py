"""A container of a real engine, runc or podman: its own processes and mounts, this machine's files and network."""

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


# podman as it runs below another engine too: its root is a folder, and control groups are left as they are.
# crun refuses a root that is the machine's own, and control groups of both versions at once, which some machines have.
_PODMAN = """\
mount --rbind / "$0/rootfs" && umount -R -l "$0/rootfs/sys" && umount -R -l /sys/fs/cgroup || exit
mount -t tmpfs tmpfs /sys/fs/cgroup && run=$(mktemp -d) || exit
export CONTAINERS_CONF="$0/conf"
exec podman --cgroup-manager=cgroupfs --storage-driver=vfs --root "$0/images" --runroot "$run" \\
    --events-backend=file run --rm --cgroups=disabled --network=host --pid=private "$@"
"""


def _podman(folder: Path, words: Sequence[str], environ: Mapping[str, str], directory: Path) -> list[str]:
    (folder / "rootfs").mkdir(parents=True)
    (folder / "conf").write_text("[engine]\nno_pivot_root=true\n")
    limits = ["--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"]  # podman's own may be above this machine's
    variables = [f"--env={name}={value}" for name, value in environ.items()]
    return ["unshare", "-m", "sh", "-c", _PODMAN, str(folder), *limits, *variables, f"--workdir={directory}",
            "--rootfs", str(folder / "rootfs"), *words]  # fmt: skip


def _runc(folder: Path, words: Sequence[str], environ: Mapping[str, str], directory: Path) -> list[str]:
    return ["runc", "--root", str(folder / "state"), "run", "--bundle",
            str(bundle(folder / "bundle", words, environ, directory)), f"test-{uuid.uuid4()}"]  # fmt: skip


ENGINES = {"runc": _runc, "podman": _podman}


def start(
    engine: str, folder: Path, words: Sequence[str], environ: Mapping[str, str], directory: Path
) -> subprocess.Popen[str]:
    """Run words as process 1 of a container; `folder` is for what the engine needs, and new."""
    command = ENGINES[engine](folder, words, environ, directory)
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@functools.cache
def works(engine: str) -> bool:
    """Whether an engine can run a container here."""
    if shutil.which(engine) is None:
        return False
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = start(engine, Path(folder) / "try", ["/bin/true"], {"PATH": "/usr/bin:/bin"}, Path("/"))
        process.communicate(timeout=60)
        return process.returncode == 0
