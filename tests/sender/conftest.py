"""What the tests of the sender share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.senders import Senders, taken_in


@pytest.fixture
def senders(home: Path) -> Iterator[Senders]:
    """The senders below a home; those that are left are ended."""
    with taken_in(home) as found:
        yield found
