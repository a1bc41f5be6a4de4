from __future__ import annotations

from typing import Any

import pytest

from auditd.simulator.authorization import AuthorizationPatch, AuthorizationSpec
from auditd.simulator.caller import Caller
from auditd.simulator.fleet import Fleet, may_use
from auditd.simulator.loading import parse_scenario

PROJECT = "0123456789abcdef0123456789abcdef"
SCENARIO = """
credentials:
  - {name: a, type: keys, access_key: A, secret_key: s}
  - {name: b, type: keys, access_key: B, secret_key: s}
projects:
  - {name: cn-north-4, id: 0123456789abcdef0123456789abcdef, authorizations: [{name: main}]}
  - {name: cn-east-3, credentials: [b]}
generate: {projects: 3, authorizations: 1, credentials: [b]}
life:
  period: 30s
  changes:
    - {at: 5s, project: cn-north-4, authorization: main, set: {status: overdue}}
    - {at: 8s, project: cn-north-4, authorization: trial, appear: {name: trial}}
"""
A, B = Caller("a", "acme"), Caller("b", "acme")


@pytest.fixture
def fleet(clock: Any) -> Fleet:
    return Fleet(parse_scenario(SCENARIO, "test"), start=clock.now(), now=clock.now)


def test_generated_projects_join_those_that_are_written(fleet: Fleet) -> None:
    assert [project.name for project in fleet.usable_by(B)] == [
        "cn-north-4",
        "cn-east-3",
        "cn-north-4_bulk-0001",
        "cn-north-4_bulk-0002",
        "cn-north-4_bulk-0003",
    ]


def test_a_credential_sees_what_it_is_let_into(fleet: Fleet) -> None:
    assert [project.name for project in fleet.usable_by(A)] == ["cn-north-4"]
    assert fleet.usable_by(Caller("a", "elsewhere")) == []


def test_projects_are_found_by_id_and_by_name(fleet: Fleet) -> None:
    project = fleet.find(PROJECT)
    assert project is not None
    assert fleet.find_by_name("cn-north-4") == project
    assert may_use(A, project)
    assert fleet.find("x") is fleet.find_by_name("x") is None


def test_life_lies_on_top_of_what_the_api_does(fleet: Fleet, clock: Any) -> None:
    fleet.put(PROJECT, AuthorizationSpec(name="new").at(clock.now()))
    clock.advance(8)
    assert list(fleet.authorizations(PROJECT)) == ["main", "new", "trial"]
    assert fleet.authorizations(PROJECT)["main"].status == 1
    clock.advance(22)
    assert list(fleet.authorizations(PROJECT)) == ["main", "new"]
    assert fleet.authorizations(PROJECT)["main"].status == 0


def test_what_the_api_deleted_no_change_brings_back(fleet: Fleet, clock: Any) -> None:
    assert fleet.delete(PROJECT, "main")
    assert not fleet.delete(PROJECT, "main")
    clock.advance(5)
    assert fleet.authorizations(PROJECT) == {}


def test_what_life_brought_stays_until_life_takes_it(fleet: Fleet, clock: Any) -> None:
    clock.advance(8)
    assert fleet.delete(PROJECT, "trial")
    assert "trial" in fleet.authorizations(PROJECT)


def test_a_patch_stays(fleet: Fleet, clock: Any) -> None:
    patch = AuthorizationPatch(tag="intl", updated="now")
    changed = fleet.patch(PROJECT, "main", patch)
    clock.advance(3)
    assert changed == fleet.authorizations(PROJECT)["main"]
    assert changed is not None
    assert changed.update_time == 1768465800000


def test_nothing_is_patched_that_is_not_there(fleet: Fleet) -> None:
    assert fleet.patch(PROJECT, "gone", AuthorizationPatch()) is None
