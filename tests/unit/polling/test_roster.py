from __future__ import annotations

from auditd.polling.roster import Roster
from tests.unit.polling.fakes import make_project


def names(roster: Roster) -> list[str]:
    return [project.name for project in roster.projects]


def test_configured_projects_are_there_from_the_start() -> None:
    assert names(Roster([make_project("a")], ["iam/prod"])) == ["a"]


def test_a_source_adds_and_removes_its_own_projects_only() -> None:
    roster = Roster([make_project("a")], ["iam/prod", "file/0"])
    roster.refresh("iam/prod", [make_project("b"), make_project("c")])
    roster.refresh("file/0", [make_project("d")])
    change = roster.refresh("iam/prod", [make_project("c"), make_project("e")])
    assert [project.name for project in change.added] == ["e"]
    assert [project.name for project in change.removed] == ["b"]
    assert names(roster) == ["a", "c", "e", "d"]


def test_a_project_that_is_configured_is_not_taken_again_from_a_source() -> None:
    roster = Roster([make_project("mine", project_id="x")], ["iam/prod"])
    change = roster.refresh("iam/prod", [make_project("cn-north-4", project_id="x")])
    assert not change.added
    assert names(roster) == ["mine"]


def test_a_name_that_is_taken_by_another_project_gets_its_credential_in_front() -> None:
    roster = Roster([make_project("cn-north-4", project_id="x")], ["iam/b"])
    roster.refresh(
        "iam/b",
        [
            make_project("cn-north-4", project_id="y", credential="b"),
            make_project("cn-north-4", project_id="z", credential="b"),
        ],
    )
    assert names(roster) == ["cn-north-4", "b/cn-north-4", "b/cn-north-4/z"]


def test_new_settings_under_the_same_name_are_an_update() -> None:
    roster = Roster([], ["file/0"])
    roster.refresh("file/0", [make_project("a")])
    change = roster.refresh("file/0", [make_project("a", verify=True)])
    assert [project.verify for project in change.updated] == [True]
    assert not change.added
    assert not change.removed


def test_another_project_under_the_same_name_is_a_departure_and_an_arrival() -> None:
    roster = Roster([], ["file/0"])
    roster.refresh("file/0", [make_project("a", project_id="x")])
    change = roster.refresh("file/0", [make_project("a", project_id="y")])
    assert [project.project_id for project in change.removed] == ["x"]
    assert [project.project_id for project in change.added] == ["y"]


def test_the_same_set_again_changes_nothing() -> None:
    roster = Roster([make_project("a")], ["file/0"])
    roster.refresh("file/0", [make_project("b")])
    change = roster.refresh("file/0", [make_project("b")])
    assert (change.added, change.updated, change.removed) == ((), (), ())
