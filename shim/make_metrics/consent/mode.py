"""The modes, and the rules that decide between them. Pure: plain inputs in, the mode and the deciding rule out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum

from make_metrics import environment as limits


class Mode(IntEnum):
    """What happens to events. A rule can only lower what another allows."""

    OFF = 0
    LOCAL = 1
    ON = 2

    @property
    def word(self) -> str:
        """The mode as users write and read it."""
        return self.name.lower()


class Decision(Enum):
    """What is written down about a project: an answer, one to a notice that has changed since, or what is no answer."""

    NONE = "none"
    YES = "yes"
    NO = "no"
    OLDER = "yes, to an older notice"
    CORRUPT = "corrupt"
    UNREADABLE = "unreadable"


# In place of {0} and {1}: the commands for a yes and for a no.
_RECORDED = {
    Decision.YES: (Mode.ON, "you said yes (make-metrics {0})"),
    Decision.NO: (Mode.LOCAL, "you said no (make-metrics {1})"),
    Decision.OLDER: (Mode.LOCAL, "what is collected, or where it goes, has changed since your yes"),
    Decision.CORRUPT: (Mode.OFF, "your recorded decision is damaged"),
    Decision.UNREADABLE: (Mode.OFF, "your recorded decision cannot be read"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the mode depends on. `environ` is the environment, `off_file` whether `make-metrics off` was said.

    `kept_here` is whether `make-metrics on-this-machine` was said, `kept_since` whether that was after the decision;
    `root` whether this process is root's. `verbs` are the commands that a yes and a no are given with.
    """

    environ: Mapping[str, str]
    decision: Decision = Decision.NONE
    off_file: bool = False
    kept_here: bool = False
    kept_since: bool = False
    root: bool = False
    verbs: tuple[str, str] = ("opt-in", "opt-out")


@dataclass(frozen=True, slots=True)
class Ruling:
    """The mode, the short name of the rule that decided it, and what that rule says."""

    mode: Mode
    rule: str
    reason: str


def through_sudo(environ: Mapping[str, str], *, root: bool) -> bool:
    """Whether root works for somebody else here: files in that one's home would become root's."""
    return root and environ.get("SUDO_UID", "0") != "0"


def ceiling(environ: Mapping[str, str]) -> Mode:
    """The most that an environment allows; ON is no limit, and no consent either."""
    return _mode(limits.ceiling(environ))


def _mode(word: str) -> Mode:
    return Mode[word.upper()]


def decide(given: Inputs) -> Ruling:
    """The mode: the lowest that any rule allows, and the first rule, in the order of precedence, that allows no more.

    Without a recorded decision it is local; in CI it is off, unless `on-this-machine` was said there.
    """
    environ = given.environ
    rules: list[Ruling] = []
    if through_sudo(environ, root=given.root):
        rules.append(Ruling(Mode.OFF, "sudo", "root through sudo: nothing is recorded"))
    if limits.do_not_track(environ):
        rules.append(Ruling(Mode.LOCAL, "DO_NOT_TRACK", "DO_NOT_TRACK is set in the environment"))
    value = environ.get("MAKE_METRICS", "")
    if (allowed := _mode(limits.ceiling_of_variable(value))) is not Mode.ON:
        rules.append(Ruling(allowed, "MAKE_METRICS", f"MAKE_METRICS is {value!a} in the environment"))
    if given.off_file:
        rules.append(Ruling(Mode.OFF, "off", "you turned recording off (make-metrics off)"))
    if given.kept_since and given.decision in (Decision.YES, Decision.OLDER):
        rules.append(Ruling(Mode.LOCAL, "on-this-machine", "you said make-metrics on-this-machine after your yes"))
    if given.decision is not Decision.NONE:
        rules.append(Ruling(*_recorded(given)))
    elif limits.in_ci(environ) and not given.kept_here:
        rules.append(Ruling(Mode.OFF, "ci", "this is CI, and nothing was decided here"))
    else:
        rules.append(Ruling(Mode.LOCAL, "default", "nothing was decided: events stay on this machine"))
    return min(rules, key=lambda ruling: ruling.mode)  # the first of the lowest


def _recorded(given: Inputs) -> tuple[Mode, str, str]:
    allowed, reason = _RECORDED[given.decision]
    return allowed, "decision", reason.format(*given.verbs)
