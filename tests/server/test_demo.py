from __future__ import annotations

from make_metrics.properties.registry import OPTIONAL, check
from make_metrics.server.demo import PEOPLE, messages
from make_metrics.server.receiving.messages import check as received
from make_metrics.server.receiving.messages import limits

TODAY = 20_600


def test_the_same_team_sends_the_same_messages_again() -> None:
    assert list(messages(today=TODAY, days=10)) == list(messages(today=TODAY, days=10))


def test_all_that_the_team_sends_is_declared_and_in_the_past() -> None:
    sent = list(messages(today=TODAY))
    assert len({message["messageId"] for message in sent}) == len(sent) > 5_000
    assert len({message["anonymousId"] for message in sent}) == PEOPLE
    assert not [problem for message in sent[::50] for problem in check(message, metrics=OPTIONAL)]
    batch = received(1, sent, limits(TODAY * 86_400_000_000, 365))
    assert len(batch.rows) == len(sent)
    assert not batch.refused
