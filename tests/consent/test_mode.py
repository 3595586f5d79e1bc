from __future__ import annotations

import itertools

import pytest

from make_metrics import environment
from make_metrics.consent import mode
from make_metrics.consent.mode import Decision, Inputs, Mode

DO_NOT_TRACK = (None, "", "0", "1", "false")
MAKE_METRICS = (None, "", "off", "local", "log", "on", "OFF", "yes")
CI = (None, "", "0", "false", "true", "1")
SUDO = ((False, None), (False, "1000"), (True, None), (True, "0"), (True, "1000"))
ON_THIS_MACHINE = ((False, False), (True, False), (True, True))  # whether it was run, and after the decision
EVERYTHING = list(
    itertools.product(DO_NOT_TRACK, MAKE_METRICS, CI, SUDO, Decision, (False, True), ON_THIS_MACHINE),
)


def environ_of(**variables: str | None) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value is not None}


def expected(
    dnt: str | None, own: str | None, ci: str | None, sudo: bool, decision: Decision, off: bool, here: bool, since: bool
) -> tuple[Mode, str]:
    """The specification once more, the other way round: for each mode the rules that set it, in order of precedence."""
    undecided = decision is Decision.NONE
    damaged = decision in (Decision.CORRUPT, Decision.UNREADABLE)
    undecided_in_ci = undecided and ci in ("true", "1") and not here
    says_off = [
        ("sudo", sudo),
        ("MAKE_METRICS", own == "off"),
        ("off", off),
        ("decision", damaged),
        ("ci", undecided_in_ci),
    ]
    for rule, holds in says_off:
        if holds:
            return Mode.OFF, rule
    says_local = [
        ("DO_NOT_TRACK", dnt in ("1", "false")),
        ("MAKE_METRICS", own in ("local", "OFF", "yes")),
        ("on-this-machine", since and decision in (Decision.YES, Decision.OLDER)),
        ("decision", decision in (Decision.NO, Decision.OLDER)),
        ("default", undecided),
    ]
    for rule, holds in says_local:
        if holds:
            return Mode.LOCAL, rule
    return Mode.ON, "decision"


def test_every_combination_of_inputs_follows_the_order_of_precedence() -> None:
    for dnt, own, ci, (root, sudo_uid), decision, off, (here, since) in EVERYTHING:
        environ = environ_of(DO_NOT_TRACK=dnt, MAKE_METRICS=own, CI=ci, SUDO_UID=sudo_uid)
        inputs = Inputs(
            environ=environ,
            decision=decision,
            off_file=off,
            on_this_machine=here,
            on_this_machine_since=since,
            root=root,
        )
        ruling = mode.decide(inputs)
        sudo = root and sudo_uid == "1000"
        assert (ruling.mode, ruling.rule) == expected(dnt, own, ci, sudo, decision, off, here, since), inputs
        assert ruling.reason
        if ruling.mode is Mode.ON:
            assert decision is Decision.YES
        assert ruling.mode <= mode.ceiling(environ)


def test_no_rule_raises_the_mode_that_another_allows() -> None:
    """A variable that is set, or a file that exists, never gives a higher mode than without it."""
    for dnt, own, (root, sudo_uid), decision, off in itertools.product(
        DO_NOT_TRACK, MAKE_METRICS, SUDO, Decision, (False, True)
    ):
        environ = environ_of(DO_NOT_TRACK=dnt, MAKE_METRICS=own, SUDO_UID=sudo_uid)
        ruling = mode.decide(Inputs(environ=environ, decision=decision, off_file=off, root=root))
        for without in environ:
            less = {name: value for name, value in environ.items() if name != without}
            assert ruling.mode <= mode.decide(Inputs(environ=less, decision=decision, off_file=off, root=root)).mode
        assert ruling.mode <= mode.decide(Inputs(environ=environ, decision=decision, root=root)).mode


@pytest.mark.parametrize("name", ["CI", *environment.SERVICES_BY_VARIABLE])
def test_the_variable_of_a_ci_service_says_that_this_is_ci(name: str) -> None:
    assert environment.in_ci({name: "true"})
    assert not environment.in_ci({name: ""})
