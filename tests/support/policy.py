"""A machine with an administrator's policy, for one command: in a mount namespace of its own, never the real /etc."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

import pytest

_MOUNT = """
set -e
folder=$(mktemp -d)
mount -t tmpfs none "$folder"
cp -a /etc/. "$folder" 2>/dev/null || :
rm -rf "$folder/make-metrics"
if [ "${1##*/}" = make-metrics ]; then
    cp -a "$1" "$folder/make-metrics"
elif [ "$1" ]; then
    mkdir "$folder/make-metrics"
    cp -a "$1" "$folder/make-metrics/policy.toml"
fi
mount --bind "$folder" /etc
umount -l "$folder"
rmdir "$folder"
shift
exec "$@"
"""


@functools.cache
def _can() -> bool:
    done = subprocess.run([*_words(""), "test", "!", "-e", "/etc/make-metrics"], capture_output=True, check=False)
    return done.returncode == 0


def _words(policy: str) -> list[str]:
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", _MOUNT, "sh", policy]


def under_policy(policy: Path | None, *words: str) -> list[str]:
    """The words that run a command where the policy is this file, or where there is none.

    A file that is called `make-metrics` stands where the policy's folder belongs.
    """
    if not _can():
        pytest.skip("no mount namespaces here: the policy's file cannot be put in place")
    return [*_words(str(policy) if policy else ""), *words]
