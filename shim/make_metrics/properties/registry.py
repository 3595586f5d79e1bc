"""Every property that may leave the machine: the single source of notice, page, schema, and the check of messages.

It is an allow-list: what is not declared, or does not have the declared shape, is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from make_metrics.properties import git, invocation, machine, resources
from make_metrics.properties.always import CHOICE as _OF_A_CHOICE
from make_metrics.properties.always import ENVELOPE, TARGET
from make_metrics.properties.metric import Metric
from make_metrics.properties.property import Property

# Each event tells these where they are known.
ALWAYS: tuple[type[Metric], ...] = (git.CheckedOutMaster, git.CommitTime)
# These only where the project asks for them, and the person has agreed to the notice that lists them.
ASKED_FOR: tuple[type[Metric], ...] = (
    machine.System,
    machine.SystemVersion,
    machine.Architecture,
    invocation.Jobs,
    invocation.MakeVersion,
    git.Dirty,
    invocation.Service,
    resources.ProcessorTime,
    resources.PeakMemory,
)
BUILT_IN = {metric.identifier: metric for metric in (*ALWAYS, *ASKED_FOR)}

_GIT = tuple(metric.declaration() for metric in ALWAYS)
_AT = [entry.name for entry in TARGET].index("is_test")
PROPERTIES: tuple[Property, ...] = (*TARGET[:_AT], *_GIT, *TARGET[_AT:])
OPTIONAL: tuple[Property, ...] = tuple(metric.declaration() for metric in ASKED_FOR)

# A yes or a no is an event too; it has these, and nothing of a target.
_ALSO_OF_A_CHOICE = ("command", "command_type", "is_test", "start_time", *(entry.name for entry in _GIT))
CHOICE: tuple[Property, ...] = (*_OF_A_CHOICE, *(entry for entry in PROPERTIES if entry.name in _ALSO_OF_A_CHOICE))

__all__ = ["ALWAYS", "ASKED_FOR", "BUILT_IN", "CHOICE", "ENVELOPE", "OPTIONAL", "PROPERTIES", "check"]


def check(message: Mapping[str, object], *, paths: bool = False, metrics: Sequence[Property] = ()) -> list[str]:
    """What of a message may not be sent, a line each; empty for one that may.

    With `paths` a target may have a "/". `metrics` are those that may be told besides, in a target's event.
    """
    properties = message.get("properties")
    if not isinstance(properties, Mapping):
        return ["properties: missing"]
    envelope = {name: value for name, value in message.items() if name != "properties"}
    declared = CHOICE if "choice" in properties else (*PROPERTIES, *metrics)
    return _check(envelope, ENVELOPE, paths=False) + _check(properties, declared, paths=paths)


def _check(given: Mapping[str, object], declared: Sequence[Property], *, paths: bool) -> list[str]:
    known = {entry.name: entry for entry in declared}
    wrong = [f"{name}: is not declared" for name in given if name not in known]
    wrong += [f"{name}: is missing" for name, entry in known.items() if entry.always and name not in given]
    for name, entry in known.items():
        value = given.get(name)
        if paths and name == "command" and isinstance(value, str) and "/" in value:
            # A path within the project only: others begin with a home, and with that a name.
            value = "" if value.startswith("/") or ".." in value.split("/") else value.replace("/", "-")
        if name in given and not entry.allows(value):
            wrong.append(f"{name}: {entry.values}")
    return wrong
