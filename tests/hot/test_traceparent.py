"""TRACEPARENT names the span that the run's trace will have; tests/hot/test_launcher_words.py compares the launcher."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.event import message_id
from make_metrics.combine.parts import without_dot
from make_metrics.deliver import trace as deliver_trace
from make_metrics.deliver import traceparent as deliver_traceparent
from make_metrics.hot.traceparent import traceparent

RUN, MAKE = "0123abcd.77.4242", "0123abcd.78.4243"
IDS = st.sampled_from(["", "3f0c9a5e-52b5-4c54-9d0a-3c1d0c1a7f10"])
TARGETS = st.one_of(st.text(min_size=1, max_size=200), st.from_regex(r"(\./+){0,3}[a-z.]{1,9}", fullmatch=True)).filter(
    lambda text: "\0" not in text and text.encode("utf-8", "ignore").decode() == text
)


def expected(anonymous_id: str, target: str) -> str:
    trace = deliver_trace.trace_id(RUN, anonymous_id)
    span = deliver_trace.span_id(message_id(RUN, MAKE, without_dot(target)), anonymous_id)
    return f"00-{trace}-{span}-01"


def handed(anonymous_id: str) -> bytes:
    return f"{deliver_trace.trace_id(RUN, anonymous_id)}/{anonymous_id}".encode()


@given(anonymous_id=IDS, target=TARGETS)
def test_it_is_the_span_that_will_be_sent(anonymous_id: str, target: str) -> None:
    value = traceparent(handed(anonymous_id), RUN.encode(), MAKE.encode(), target.encode()).decode()
    assert value == expected(anonymous_id, target)
    assert deliver_traceparent.as_version_0(value) == value


def test_a_target_that_is_no_utf_8_is_hashed_as_events_name_it() -> None:
    value = traceparent(handed(""), RUN.encode(), MAKE.encode(), b"a\xff").decode()
    assert value == expected("", "a\\xff")
