"""The modes, and the rules that decide between them. Pure: inputs in, the mode and the deciding rule out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum

from make_metrics import environment as limits
from make_metrics.dataclass import dataclass


class Mode(IntEnum):
    """What happens to events. Rules only lower the mode: the lowest that any rule allows holds."""

    OFF = 0
    LOCAL = 1
    ON = 2

    @property
    def word(self) -> str:
        """The mode as users read and write it."""
        return self.name.lower()


class Decision(Enum):
    """The decision about a project, as its file has it.

    OLDER is a yes to a notice that has changed since. CORRUPT and UNREADABLE are files that say neither yes nor no.
    """

    NONE = "none"
    YES = "yes"
    NO = "no"
    OLDER = "yes, to an older notice"
    CORRUPT = "corrupt"
    UNREADABLE = "unreadable"


# {0} and {1} stand for the commands that say yes and no.
_DECISION_RULES = {
    Decision.YES: (Mode.ON, "you said yes (make-metrics {0})"),
    Decision.NO: (Mode.LOCAL, "you said no (make-metrics {1})"),
    Decision.OLDER: (Mode.LOCAL, "what is collected, or where it goes, has changed since your yes"),
    Decision.CORRUPT: (Mode.OFF, "your recorded decision is damaged"),
    Decision.UNREADABLE: (Mode.OFF, "your recorded decision cannot be read"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the mode depends on.

    `off_file`: `make-metrics off` was run. `on_this_machine`: `make-metrics on-this-machine` was run, and
    `on_this_machine_since`: after the decision. `root`: this process is root's. `commands` say yes and no. `policy`: a
    mode's word that the administrator limits this to (`on` for no limit), and why.
    """

    environ: Mapping[str, str]
    decision: Decision = Decision.NONE
    off_file: bool = False
    on_this_machine: bool = False
    on_this_machine_since: bool = False
    root: bool = False
    commands: tuple[str, str] = ("opt-in", "opt-out")
    policy: tuple[str, str] = ("on", "")


@dataclass(frozen=True, slots=True)
class Ruling:
    """The mode, the short name of the rule that decided it, and the reason for people."""

    mode: Mode
    rule: str
    reason: str


def through_sudo(environ: Mapping[str, str], *, root: bool) -> bool:
    """Whether this is root through sudo: what it writes into the user's home would be root's."""
    return root and environ.get("SUDO_UID", "0") != "0"


def ceiling(environ: Mapping[str, str]) -> Mode:
    """The most that an environment allows. ON is no limit; it is not consent."""
    return _mode(limits.ceiling(environ))


def _mode(word: str) -> Mode:
    return Mode[word.upper()]


def decide(inputs: Inputs) -> Ruling:
    """The lowest mode that any rule allows, with the first such rule in the order of precedence.

    Without a recorded decision the mode is local; in CI it is off, unless `on-this-machine` was run there.
    """
    environ = inputs.environ
    rules: list[Ruling] = []
    most, why = inputs.policy
    if (limit := _mode(most)) is not Mode.ON:
        rules.append(Ruling(limit, "policy", why))
    if through_sudo(environ, root=inputs.root):
        rules.append(Ruling(Mode.OFF, "sudo", "root through sudo: nothing is recorded"))
    if limits.do_not_track(environ):
        rules.append(Ruling(Mode.LOCAL, "DO_NOT_TRACK", "DO_NOT_TRACK is set in the environment"))
    value = environ.get("MAKE_METRICS", "")
    if (allowed := _mode(limits.ceiling_of_variable(value))) is not Mode.ON:
        rules.append(Ruling(allowed, "MAKE_METRICS", f"MAKE_METRICS is {value!a} in the environment"))
    if inputs.off_file:
        rules.append(Ruling(Mode.OFF, "off", "you turned recording off (make-metrics off)"))
    if inputs.on_this_machine_since and inputs.decision in (Decision.YES, Decision.OLDER):
        rules.append(Ruling(Mode.LOCAL, "on-this-machine", "you ran make-metrics on-this-machine after your yes"))
    if inputs.decision is not Decision.NONE:
        rules.append(_decision_rule(inputs))
    elif limits.in_ci(environ) and not inputs.on_this_machine:
        rules.append(Ruling(Mode.OFF, "ci", "this is CI, and nothing was decided here"))
    else:
        rules.append(Ruling(Mode.LOCAL, "default", "nothing was decided: events stay on this machine"))
    return min(rules, key=lambda ruling: ruling.mode)  # the first of the lowest


def _decision_rule(inputs: Inputs) -> Ruling:
    mode, reason = _DECISION_RULES[inputs.decision]
    return Ruling(mode, "decision", reason.format(*inputs.commands))
