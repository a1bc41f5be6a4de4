from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from auditd.simulator.bulk import generate_projects
from auditd.simulator.scenario import BulkSettings


def settings(**how: Any) -> BulkSettings:
    return BulkSettings.model_validate({"projects": 50, "authorizations": 20} | how)


def test_the_same_numbers_and_seed_give_the_same_fleet() -> None:
    assert list(generate_projects(settings(), 1)) == list(generate_projects(settings(), 1))
    assert list(generate_projects(settings(), 1)) != list(generate_projects(settings(), 2))


def test_there_are_as_many_as_were_asked_for_all_with_their_own_id() -> None:
    projects = list(generate_projects(settings(regions=["cn-north-4", "cn-east-3"]), 1))
    assert len({project.id for project in projects}) == 50
    assert {len(project.authorizations) for project in projects} == {20}
    assert Counter(project.region for project in projects) == {"cn-north-4": 25, "cn-east-3": 25}


def test_shares_are_about_what_was_asked_for() -> None:
    wanted = settings(overdue=0.3, unauthenticated=0.2, stale=0.5)
    fleet = [a for project in generate_projects(wanted, 1) for a in project.authorizations]
    status = Counter(authorization.status for authorization in fleet)
    assert 0.25 < status[1] / len(fleet) < 0.35
    assert 0.15 < status[2] / len(fleet) < 0.25
    ages = [a.updated for a in fleet if isinstance(a.updated, timedelta)]
    assert 0.45 < sum(age < -timedelta(days=90) for age in ages) / len(fleet) < 0.55


def test_nothing_was_updated_before_it_was_created() -> None:
    for project in generate_projects(settings(), 1):
        for authorization in project.authorizations:
            assert isinstance(authorization.created, timedelta)
            assert isinstance(authorization.updated, timedelta)
            assert authorization.created <= authorization.updated
