"""Contents of records with any lines and makes, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from make_metrics.combine.record import Contents, Line, Make, Needs
from tests.support.records import line

NAMES = st.sampled_from(["a", "b", "c", "./a", "all", "x/y"])
MAKES = st.sampled_from(["r", "m1", "m2"])


@st.composite
def lines(draw: st.DrawFn) -> Line:
    start = draw(st.integers(0, 20_000))
    make = draw(MAKES)
    return line(
        draw(NAMES),
        make=make,
        goal=draw(st.sampled_from(["", "all", "b"])),
        level=0 if make == "r" else 1,
        start=start,
        end=start + draw(st.integers(0, 5_000)) / 8,
        status=draw(st.sampled_from([0, 0, 1, 3, 255, -2, -15])),
        fate=draw(st.sampled_from([0, 0, 0, 2, 9, 15])),
        usage=draw(st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9))),
    )


@st.composite
def headers(draw: st.DrawFn) -> Make:
    key = draw(MAKES)
    return Make(
        key=key,
        parent="" if key == "r" else "r",
        parent_target="" if key == "r" else draw(NAMES),
        level=0 if key == "r" else 1,
        goals=tuple(draw(st.lists(NAMES, max_size=3))),
        wall_ns=draw(st.integers(0, 3)),
        parallel=draw(st.booleans()),
        keep_going=draw(st.booleans()),
        ignore_errors=draw(st.booleans()),
    )


@st.composite
def needs(draw: st.DrawFn) -> Needs:
    prerequisites = tuple(draw(st.lists(NAMES, max_size=3, unique=True)))
    return Needs(
        prerequisites, tuple(draw(st.lists(NAMES, max_size=2))), draw(st.integers(0, 2 ** len(prerequisites) - 1))
    )


CONTENTS = st.builds(
    lambda lines, makes, needs, torn: Contents(lines=lines, makes=makes, needs=needs, torn=torn),
    st.lists(lines(), max_size=12),
    st.lists(headers(), max_size=4),
    st.lists(st.tuples(st.tuples(MAKES, NAMES), needs()), max_size=4),
    st.integers(0, 3),
)
