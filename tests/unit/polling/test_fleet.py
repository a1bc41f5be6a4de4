from __future__ import annotations

from dataclasses import replace

from auditd.audit.snapshot import ProjectSnapshot
from auditd.polling.fleet import Fleet
from tests.unit.polling.fakes import START, make_project


def test_a_project_is_untried_until_something_is_published_of_it() -> None:
    fleet = Fleet()
    fleet.join(make_project("a"))
    fleet.join(make_project("b"))
    assert fleet.untried == 2
    fleet.publish(ProjectSnapshot(make_project("a"), attempted_at=START))
    assert fleet.untried == 1
    fleet.leave("b")
    assert fleet.untried == 0


def test_what_a_former_process_knew_of_a_project_is_recalled_when_it_joins() -> None:
    fleet = Fleet(lambda project: ProjectSnapshot(project, succeeded_at=START))
    fleet.join(make_project("a"))
    (snapshot,) = fleet.snapshots()
    assert snapshot.succeeded_at == START
    assert fleet.untried == 1


def test_a_project_that_left_and_comes_back_begins_anew() -> None:
    fleet = Fleet(lambda project: ProjectSnapshot(project, succeeded_at=START))
    fleet.join(make_project("a"))
    fleet.leave("a")
    fleet.join(make_project("a"))
    (snapshot,) = fleet.snapshots()
    assert snapshot.succeeded_at is None


def test_what_comes_late_of_a_project_that_left_is_dropped() -> None:
    fleet = Fleet()
    fleet.join(make_project("a"))
    snapshot = fleet.leave("a")
    fleet.publish(replace(snapshot, attempted_at=START))
    assert list(fleet.snapshots()) == []
    assert fleet.get("a") is None
