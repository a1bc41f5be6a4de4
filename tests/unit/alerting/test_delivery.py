from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from auditd.alerting.delivery import MOST_TRIED, AttemptOutcome, tried_also
from tests.unit.hooks.fakes import START, delivery_of


def test_the_newest_attempts_are_remembered_in_their_order() -> None:
    delivery = delivery_of(1)
    instants = [START + timedelta(minutes=number) for number in range(MOST_TRIED + 5)]
    for at in instants:
        tried = tried_also(delivery, AttemptOutcome.FAILED, at=at, detail="503")
        delivery = replace(delivery, tried=tried)
    assert [attempt.at for attempt in delivery.tried] == instants[5:]


def test_a_long_error_is_cut_visibly() -> None:
    of = delivery_of(1)
    for length, kept in ((300, "e" * 300), (301, "e" * 299 + "…")):
        (attempt,) = tried_also(of, AttemptOutcome.FAILED, at=START, detail="e" * length)
        assert attempt.detail == kept
