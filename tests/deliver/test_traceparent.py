from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from make_metrics.deliver.traceparent import as_version_0, parse

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_the_example_of_the_recommendation_is_valid() -> None:
    assert parse(GOOD) == (TRACE, SPAN)
    assert as_version_0(GOOD) == GOOD


def test_a_later_version_is_read_like_version_0() -> None:
    assert parse(f"cc-{TRACE}-{SPAN}-01-what-comes-later") == (TRACE, SPAN)
    assert as_version_0(f"cc-{TRACE}-{SPAN}-03-what-comes-later") == f"00-{TRACE}-{SPAN}-03"


@pytest.mark.parametrize(
    "text",
    ["", "00", f"00-{TRACE}-{SPAN}", f"{GOOD}-x", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE.upper()}-{SPAN}-01",
     f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE[:-1]}-{SPAN}-01", f" {GOOD}", f"{GOOD}\n",
     f"00-{TRACE}-{SPAN}-1", f"00-{TRACE}-{SPAN}-0x", f"0-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-{'x' * 500}",
     f"00-{TRACE[:-1]}é-{SPAN}-01", f"00-{TRACE}-{SPAN}-\u0660\u0661"],
)  # fmt: skip
def test_any_other_text_names_no_trace(text: str) -> None:
    assert parse(text) is None
    assert as_version_0(text) == ""


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text() | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", fullmatch=True))
def test_a_valid_traceparent_in_the_form_of_version_0_does_not_change(text: str) -> None:
    form = as_version_0(text)
    assert form == "" or (len(form) == 55 and as_version_0(form) == form and parse(form) == parse(text))
