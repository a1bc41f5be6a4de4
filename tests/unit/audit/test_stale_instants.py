from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, Listing, TimestampFault
from auditd.audit.checks import stale
from auditd.audit.policy import Check
from auditd.audit.project import Project
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.stale_instants import StaleInstants
from auditd.audit.transition import recalled, rejudged, succeeded

MAX_AGE = timedelta(days=90)


@pytest.fixture
def check() -> Check:
    return stale.PLUGIN.build(stale.Options(max_age=MAX_AGE))


@pytest.fixture
def instants(
    check: Check, project: Project, authorize: Callable[..., Authorization], now: datetime
) -> StaleInstants:
    listed = (
        authorize(name="a", updated_at=now),
        authorize(name="b", updated_at=TimestampFault.MISSING),
        authorize(name="c", updated_at=now - MAX_AGE),
    )
    return StaleInstants(check, project, {each.name: each for each in listed})


def test_it_is_as_a_dict_of_what_can_become_stale(instants: StaleInstants, now: datetime) -> None:
    expected = {"a": now + MAX_AGE, "c": now}
    assert instants == expected
    assert expected == instants
    assert dict(instants) == dict(instants.items()) == expected
    assert (len(instants), [*instants]) == (2, ["a", "c"])


def test_what_never_becomes_stale_is_not_in_it(instants: StaleInstants) -> None:
    for name in ("b", "unlisted"):
        assert name not in instants
        assert instants.get(name) is None
        with pytest.raises(KeyError):
            instants[name]


def test_it_stays_the_same_while_list_and_policy_do(
    check: Check, project: Project, authorize: Callable[..., Authorization], now: datetime
) -> None:
    policy, listed = Policy((check,), 3), authorize()
    snapshot, _ = succeeded(
        ProjectSnapshot(project), Listing((listed,)), policy, at=now, verifications={}
    )
    again, _ = succeeded(snapshot, Listing((replace(listed),)), policy, at=now, verifications={})
    assert again.stale_at is snapshot.stale_at
    renewed = replace(listed, updated_at=now)
    later, _ = succeeded(again, Listing((renewed,)), policy, at=now, verifications={})
    assert later.stale_at == {listed.name: now + MAX_AGE}


def test_another_policy_is_another_instant(
    check: Check, project: Project, authorize: Callable[..., Authorization], now: datetime
) -> None:
    listing = Listing((authorize(updated_at=now),))
    snapshot, _ = succeeded(
        ProjectSnapshot(project), listing, Policy((check,), 3), at=now, verifications={}
    )
    sooner = stale.PLUGIN.build(stale.Options(max_age=MAX_AGE / 2))
    judged, _ = rejudged(snapshot, Policy((sooner,), 3), at=now)
    assert judged.stale_at == {"gh-main": now + MAX_AGE / 2}
    assert recalled(snapshot, Policy((sooner,), 3)).stale_at == judged.stale_at
    without, _ = rejudged(judged, Policy((), 3), at=now)
    assert without.stale_at == {}
