from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Listing, Status
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.config.settings import Catalog
from auditd.daemon.catalog import load_catalog
from auditd.daemon.record import Window
from auditd.daemon.replay import replay_record
from auditd.report.replay import Replay
from auditd.store.reader import open_reader
from tests.unit.daemon.past import HOUR, MINUTE, Past, configure
from tests.unit.polling.fakes import make_authorization
from tests.unit.store.examples import START, Clock

SPAN = 10 * HOUR
TERMS = """
checks:
  overdue: {for: 12m, keep_firing_for: 7m}
  unauthenticated: {keep_firing_for: 16m}
  unknown_status: {for: 5m}
  stale:
    max_age: 2h
    tiers: [{max_age: 5h, severity: critical}]
    overrides: [{match: {token_type: password}, max_age: 3h, severity: info}]
  policy:
    for: 1m
    policies:
      - {name: early, expression: 'age > "1h" and age < "2h" or age >= "6h" and age < "6h20m"'}
      - {name: late, expression: 'update_age >= "4h" and tag == ""', severity: critical}
exceptions:
  - match: {authorization: gh, check: stale}
    owner: me
    reason: later
    until: 2026-01-01T17:03:00Z
  - {match: {check: blind}, owner: me, reason: later, until: 2026-01-01T14:31:00Z}
"""
NAMES = ("gh", "gl", "svn")

authorizations = st.builds(
    lambda name, status, token_type, updated, created: replace(
        make_authorization(name, status),
        token_type=token_type,
        updated_at=START + updated * MINUTE,
        created_at=START + created * MINUTE,
    ),
    st.sampled_from(NAMES),
    st.sampled_from([Status.NORMAL, Status.NORMAL, Status.OVERDUE, *Status]),
    st.sampled_from(["oauth", "password"]),
    st.integers(-300, 120),
    st.sampled_from([-90, 0, 30, 200]),
)
answers = st.one_of(
    st.lists(authorizations, max_size=4, unique_by=lambda it: it.tag + it.name).map(tuple),
    st.lists(authorizations, max_size=4).map(tuple),
    st.sampled_from([FailureReason.SERVER, FailureReason.TIMEOUT]),
)
scripts = st.lists(st.tuples(st.integers(1, 40), answers), min_size=1, max_size=14)
"""For how many slots there is which answer."""


class Script:
    """What one project answers, slot by slot."""

    def __init__(self, turns: list[tuple[int, Any]]) -> None:
        self._answers = [answer for slots, answer in turns for _ in range(slots)]
        self._polls = 0

    def answer(self) -> Listing:
        answer = self._answers[min(self._polls, len(self._answers) - 1)]
        self._polls += 1
        if isinstance(answer, FailureReason):
            raise PollError(answer, "as told")
        listed: tuple[Authorization, ...] = answer
        return Listing(listed)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def lived_and_replayed(
    catalog: Catalog, scripts: dict[str, Script], leaving: frozenset[str], since: datetime
) -> Replay:
    """What replaying by the terms that were in force gives."""
    with TemporaryDirectory() as directory:
        place = Path(directory)
        given_settings = configure(place / "auditd.yaml", catalog, TERMS)

        def answer(project: Project, _: datetime) -> Listing:
            return scripts[project.name].answer()

        past = Past(given_settings, catalog, place / "state.db", Clock(), answer)
        asyncio.run(past.pass_by(START + SPAN, leaving=leaving))
        with open_reader(f"sqlite:///{place}/state.db") as reader:
            return replay_record(given_settings, catalog, reader, Window(since, START + SPAN))


@pytest.mark.timeout(120)
@given(
    payments=scripts,
    orders=scripts,
    leaving=st.sampled_from([frozenset[str](), frozenset({"orders"})]),
)
@settings(max_examples=25, deadline=None)
def test_the_terms_that_were_in_force_give_exactly_what_was_recorded(
    catalog: Catalog,
    payments: list[tuple[int, Any]],
    orders: list[tuple[int, Any]],
    leaving: frozenset[str],
) -> None:
    told = {"payments": Script(payments), "orders": Script(orders)}
    replay = lived_and_replayed(catalog, told, leaving, START)
    for pair in replay.comparisons:
        assert pair.would
        assert pair.did
        assert replace(pair.would, end_reason="") == replace(pair.did, end_reason="")
        reasons = {pair.would.end_reason, pair.did.end_reason}
        # That all was gone at once is known of a list, and not whether the project was as well.
        assert len(reasons) == 1 or "project_removed" in reasons
