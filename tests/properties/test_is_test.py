"""MAKE_METRICS_IS_TEST with any value: the run's events are sent, marked as a test, and the value's change is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.properties import is_test
from make_metrics.properties.registry import PROPERTIES
from tests.support.sharing_project import Sharing

(DECLARED,) = (entry for entry in PROPERTIES if entry.name == "is_test")


@given(st.text())
def test_every_value_becomes_one_that_may_be_sent(value: str) -> None:
    word = is_test.marker(value)
    assert DECLARED.allows(word)
    assert (word == "no") == (value in ("", "no"))
    if value and DECLARED.allows(value):
        assert word == value
    problem = is_test.problem({"MAKE_METRICS_IS_TEST": value})
    assert bool(problem) == (value not in ("", word))
    assert problem.isprintable()


def test_a_run_whose_marker_has_a_blank_is_sent_as_a_test(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a", MAKE_METRICS_IS_TEST="my test")
    sharing.cli("flush")
    events = [event["properties"] for event in sharing.receiver.accepted if "run_id" in event["properties"]]
    assert [(event["command"], event["is_test"]) for event in events] == [("a", "my_test")]
    (line,) = sharing.status(MAKE_METRICS_IS_TEST="my test")["problems"]
    assert line == (
        "MAKE_METRICS_IS_TEST is 'my test' in the environment: events say 'my_test': "
        "set at most 50 letters, digits and . : + % _ -"
    )
    assert sharing.status(MAKE_METRICS_IS_TEST="yes")["problems"] == []
