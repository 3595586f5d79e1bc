from __future__ import annotations

import re

from ci import transparency as page_file
from make_metrics.properties.registry import BUILT_IN, CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from make_metrics.report import transparency_page
from tests.support.project import SOURCE


def test_the_transparency_page_is_not_stale() -> None:
    assert page_file.PAGE.read_text() == transparency_page.page(), "run python -m ci.transparency"
    assert page_file.main(["--check"]) == 0


def test_the_transparency_page_names_every_property_and_every_file() -> None:
    page = transparency_page.page()
    for entry in (*PROPERTIES, *OPTIONAL, *CHOICE, *ENVELOPE):
        (row,) = {row for row in page.splitlines() if row.startswith(f"| `{entry.name}` | {entry.kind} |")}
        assert entry.purpose in row
        assert all(f"`{source}`" in row for source in entry.sources)
    for heading in ("Who gets it", "How to stop", "What is never sent", "Why"):
        assert f"\n## {heading}\n" in page
    for line in page.split("## Where the code is")[1].splitlines():
        for name in line.split("`")[1::2]:
            assert (SOURCE / "make_metrics" / name).is_file()


def test_the_page_names_the_module_of_every_metric() -> None:
    page = transparency_page.page()
    for kind in BUILT_IN.values():
        assert re.search(rf"\| `{kind.identifier}` .*`{kind.__module__.replace('.', '/')}.py`", page)
