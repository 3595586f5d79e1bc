"""Every property that may leave the machine: the single source of notice, page, schema, and the check of messages.

It is an allow-list. A message with a property that is not declared, or with a value that the declaration does not
allow, is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from make_metrics.properties import git, invocation, machine, resources
from make_metrics.properties.always import CHOICE as _CHOICE_ONLY
from make_metrics.properties.always import ENVELOPE, TARGET
from make_metrics.properties.metric import Metric
from make_metrics.properties.property import Property

# Every event has these, if they are known.
ALWAYS: tuple[type[Metric], ...] = (git.CheckedOutMaster, git.CommitTime)
# Only the events of a project that asks for them have these, and only after a yes to a notice that lists them.
ASKED_FOR: tuple[type[Metric], ...] = (
    machine.System,
    machine.SystemVersion,
    machine.Architecture,
    invocation.Jobs,
    invocation.MakeVersion,
    git.Dirty,
    invocation.Service,
    invocation.Driver,
    resources.ProcessorTime,
    resources.PeakMemory,
)
BUILT_IN = {metric.identifier: metric for metric in (*ALWAYS, *ASKED_FOR)}

_GIT = tuple(metric.declaration() for metric in ALWAYS)
_IS_TEST = [entry.name for entry in TARGET].index("is_test")
PROPERTIES: tuple[Property, ...] = (*TARGET[:_IS_TEST], *_GIT, *TARGET[_IS_TEST:])
OPTIONAL: tuple[Property, ...] = tuple(metric.declaration() for metric in ASKED_FOR)

# The properties of a yes or a no, which is an event too.
_SHARED = ("command", "command_type", "is_test", "start_time", *(entry.name for entry in _GIT))
CHOICE: tuple[Property, ...] = (*_CHOICE_ONLY, *(entry for entry in PROPERTIES if entry.name in _SHARED))

__all__ = ["ALWAYS", "ASKED_FOR", "BUILT_IN", "CHOICE", "ENVELOPE", "OPTIONAL", "PROPERTIES", "check", "check_values"]


def check(
    message: Mapping[str, object],
    *,
    paths: bool = False,
    metrics: Sequence[Property] = (),
    labels: Sequence[Property] = (),
) -> list[str]:
    """Why a message may not be sent, one line for each reason; empty if it may.

    With `paths` a target's name may be a path within the project. `metrics` are the optional metrics that a target's
    event may have, `labels` the project's labels, which every event has.
    """
    properties = message.get("properties")
    if not isinstance(properties, Mapping):
        return ["properties: missing"]
    envelope = {name: value for name, value in message.items() if name != "properties"}
    declared = (*(CHOICE if "choice" in properties else (*PROPERTIES, *metrics)), *labels)
    if paths and "command" in properties:
        properties = {**properties, "command": without_slashes(properties["command"])}
    return check_values(envelope, ENVELOPE) + check_values(properties, declared)


def check_values(values: Mapping[str, object], declared: Sequence[Property]) -> list[str]:
    """Why these values may not be sent, one line for each reason: unknown names, missing ones, values not allowed."""
    declarations = {declaration.name: declaration for declaration in declared}
    problems = [f"{name}: is not declared" for name in values if name not in declarations]
    for name, declaration in declarations.items():
        if name not in values:
            problems += [f"{name}: is missing"] if declaration.always else []
        elif not declaration.allows(values[name]):
            problems.append(f"{name}: {declaration.values}")
    return problems


def without_slashes(command: object) -> object:
    """A path within the project, with "-" for "/"; empty for any other path, which may contain a person's name."""
    if not isinstance(command, str) or "/" not in command:
        return command
    return "" if command.startswith("/") or ".." in command.split("/") else command.replace("/", "-")
