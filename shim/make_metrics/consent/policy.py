"""The administrator's policy: a file for all users of a machine that can only lower what happens there.

No variable of the environment moves it. The walk asks while a recipe line may be waiting: without the file it costs one
look-up. The launcher's walk leaves a machine with the file to the Python walk (hot/in_c/walk.c).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable


def path_of(platform: str) -> str:
    """Where the policy is on a platform, a word of `sys.platform`."""
    folder = "/Library/Application Support" if platform == "darwin" else "/etc"
    return f"{folder}/make-metrics/policy.toml"


PATH = path_of(sys.platform)
_MOST = ("off", "local", "on")
_FILE_SINK = "file"  # writes to a directory of the user's own


class Policy:
    """What an administrator allows: a mode's word, the hosts that events may go to (None for all), and what is wrong.

    Without a file nothing is limited. A file with any fault allows no more than `local`.
    """

    __slots__ = ("hosts", "most", "problems")

    def __init__(self, most: str = "on", hosts: tuple[str, ...] | None = None, problems: tuple[str, ...] = ()) -> None:
        """A policy of these parts."""
        self.most, self.hosts, self.problems = most, hosts, problems

    def limit(self, receivers: Iterable[str] = ()) -> tuple[str, str]:
        """The mode's word that these receivers (kind and address) are limited to, and why; `on` is no limit."""
        if self.most == "off":
            return "off", f"the administrator turned recording off ({PATH})"
        if self.problems:
            return "local", f"the administrator's policy has a fault: {self.problems[0]}"
        if self.most == "local":
            return "local", f"the administrator lets nothing leave this machine ({PATH})"
        if refused := [receiver for receiver in receivers if not self._allows(receiver)]:
            return "local", f"the administrator does not allow sending to {refused[0].split(' ')[-1]} ({PATH})"
        return "on", ""

    def _allows(self, receiver: str) -> bool:
        from urllib.parse import urlsplit

        kind, _, address = receiver.partition(" ")
        if self.hosts is None or kind == _FILE_SINK:
            return True
        try:
            host = urlsplit(address).hostname or ""
        except ValueError:
            return False
        return any(host == each or (each[:2] == "*." and host.endswith(each[1:])) for each in self.hosts)


def read_policy() -> Policy:
    """The policy of this machine. Never raises."""
    try:
        os.lstat(PATH)
    except FileNotFoundError:
        return Policy()
    except OSError as error:  # also if a file stands where the folder belongs: an administrator may have meant it
        return Policy("local", None, (f"{PATH} cannot be read: {error.strerror}",))
    from make_metrics.files.read import LIMIT_BYTES, read_file
    from make_metrics.files.toml_file import check, parse_toml, unknown_keys, where

    try:
        content = read_file(os.path.realpath(PATH), any_owner=True)  # a tool may have linked it there
        if content is None:
            raise OSError(0, "it is a link that leads nowhere")
        if len(content) >= LIMIT_BYTES:
            raise ValueError(f"is larger than {LIMIT_BYTES // 1024} KiB")
        table = parse_toml(content)
    except OSError as error:
        return Policy("local", None, (f"{PATH} cannot be read: {error.strerror}",))
    except ValueError as error:
        return Policy("local", None, (f"{PATH}: {str(error).partition(chr(10))[0]}",))
    rules = {
        "most": where(lambda value: isinstance(value, str) and value in _MOST, 'must be "off", "local" or "on"'),
        "hosts": where(_are_hosts, 'must be a list of hosts such as ["collector.example.org", "*.example.org"]'),
    }
    values, wrong = check(table, rules)
    problems = [f"{PATH}: {problem}" for problem in [*wrong, *unknown_keys(table, rules)]]
    hosts = tuple(host.lower() for host in values["hosts"]) if "hosts" in values else None
    most = str(values.get("most", "on"))
    return Policy("local" if problems and most == "on" else most, hosts, tuple(problems))


def _are_hosts(value: object) -> bool:
    import re

    return isinstance(value, list) and all(
        isinstance(host, str) and re.fullmatch(r"(?:\*\.)?[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}", host)
        for host in value
    )
