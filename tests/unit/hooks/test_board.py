from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.alert import AlertState
from auditd.alerting.grouping import Group
from auditd.alerting.hush import Suppression
from auditd.alerting.route import Route, build_tree
from auditd.alerting.silence import Acknowledgement
from auditd.hooks.board import Board
from tests.unit.hooks.fakes import START, alert_of, resolved


@pytest.fixture
def board() -> Board:
    tree = build_tree(Route(hook="ops", group_by=("project",)))
    return Board(tree, hooks=["ops"], alerts={}, groups={})


def test_alerts_are_found_by_project_and_by_fingerprint(board: Board) -> None:
    one, other = alert_of("a"), alert_of("b", project="other")
    board.publish("payments", (one,), ())
    board.publish("other", (other,), ())
    assert board.alerts_of("payments") == (one,)
    assert set(board.alerts) == {one.fingerprint, other.fingerprint}
    board.publish("payments", (), ())
    assert board.alerts_of("payments") == ()
    assert set(board.alerts) == {other.fingerprint}


def test_open_alerts_are_the_same_object_until_one_changes(board: Board) -> None:
    firing, pending = alert_of("a"), replace(alert_of("b"), state=AlertState.PENDING)
    name = firing.labels["alertname"]
    assert board.open_of("payments") == ()
    board.publish("payments", (firing, pending, resolved(alert_of("c"), START)), ())
    opened = board.open_of("payments")
    assert opened == ((name, AlertState.FIRING), (name, AlertState.PENDING))
    board.sight("payments", seen_at=START, again_at=START + timedelta(hours=1))
    assert board.alerts_of("payments")[0].last_seen_at == START + timedelta(hours=1)
    assert board.open_of("payments") is opened
    board.publish("payments", (firing,), ())
    assert board.open_of("payments") == ((name, AlertState.FIRING),)


def test_admitting_changes_nothing_until_it_is_published(board: Board) -> None:
    groups = board.admit([alert_of("a"), alert_of("b")], START)
    assert board.groups == {}
    (group,) = groups.values()
    assert set(group.members) == {alert_of("a").fingerprint, alert_of("b").fingerprint}
    heard: list[str] = []
    board.listen(heard.append)
    board.publish("payments", (), groups.values())
    assert board.groups == groups
    assert heard == [group.key]


def test_admitting_again_keeps_what_the_hook_was_told(board: Board) -> None:
    groups = board.admit([alert_of("a")], START)
    board.publish("payments", (), groups.values())
    assert board.admit([alert_of("a")], START + timedelta(hours=1)) == groups


def test_a_group_without_members_is_over(board: Board) -> None:
    group = Group("k", "r", "ops", {}, START)
    board.publish_group(group)
    assert board.groups == {}


def test_groups_of_hooks_that_are_not_there_are_left_in_the_ledger() -> None:
    group = Group("k", "r", "removed", {}, START)
    tree = build_tree(Route(hook="ops"))
    assert Board(tree, hooks=["ops"], alerts={}, groups={"k": group}).groups == {}


def test_an_acknowledgement_suppresses_its_alert(board: Board) -> None:
    alert = alert_of("a")
    acknowledgement = Acknowledgement(alert.fingerprint, START, START, "me", "")
    board.publish_acknowledgement(acknowledgement)
    assert board.hush.acknowledgements == {alert.fingerprint: acknowledgement}


def test_what_another_replica_wrote_is_known_and_told_to_listeners(board: Board) -> None:
    group = next(iter(board.admit([alert_of("a")], START).values()))
    heard: list[str] = []
    board.listen(heard.append)
    board.receive(group)
    assert board.groups == {group.key: group}
    assert heard == [group.key]
    board.receive(replace(group, key="k", hook="elsewhere"))  # it may come back with a reload
    assert board.groups == {group.key: group}
    board.forget_group(group.key)
    assert board.groups == {}


def test_what_another_replica_saw_again_is_seen_again_here(board: Board) -> None:
    alert = alert_of("a")
    board.publish("payments", (alert,), ())
    later = alert.last_seen_at + timedelta(minutes=5)
    board.sight_latest("payments", later)
    board.sight_latest("payments", alert.last_seen_at)  # what is late changes nothing
    board.sight_latest("unknown", later)
    assert [known.last_seen_at for known in board.alerts_of("payments")] == [later]


def test_what_people_said_to_another_replica_takes_the_place_of_all(board: Board) -> None:
    alert = alert_of("a")
    acknowledgement = Acknowledgement(alert.fingerprint, START, START, "me", "")
    board.replace_hush((), {alert.fingerprint: acknowledgement})
    assert board.hush.acknowledgements == {alert.fingerprint: acknowledgement}
    board.replace_hush((), {})
    assert board.hush.acknowledgements == {}


def test_blind_projects_are_known_without_being_gathered_for_each_alert(board: Board) -> None:
    """Ten thousand that turn blind at once took three seconds."""
    names = ("a", "b")
    for name in names:
        seen = alert_of("x", project=name)
        blind = replace(seen, fingerprint=f"blind {name}", labels={**seen.labels, "check": "blind"})
        board.publish(name, (blind, seen), ())
    assert board.hush.blind_projects == {*names}
    assert board.hush.blind_projects is board.hush.blind_projects
    (told,) = board.suppressions(alert_of("x", project="a"), START)
    assert told == ("ops", Suppression.INHIBITED)
    board.publish("a", (alert_of("x", project="a"),), ())
    assert board.hush.blind_projects == {"b"}
    assert board.suppressions(alert_of("x", project="a"), START) == []
