from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.route import Route, RouteNode, build_tree
from auditd.hooks.board import Board
from tests.unit.hooks.fakes import START, alert_of, resolved, tree

pytestmark = pytest.mark.looptime


def told(board: Board) -> dict[str, dict[str, datetime | None]]:
    return {
        key: {fingerprint: member.told_at for fingerprint, member in group.members.items()}
        for key, group in board.groups.items()
    }


def tell(board: Board) -> None:
    """As if each group had been flushed."""
    for group in [*board.groups.values()]:
        members = {key: replace(member, told_at=START) for key, member in group.members.items()}
        board.publish_group(replace(group, members=members, last_flush_at=START))


@pytest.fixture
def board() -> Board:
    board = Board(tree(), hooks=["ops"], alerts={}, groups={})
    alerts = (alert_of("a"), alert_of("b"))
    board.publish("payments", alerts, board.admit(alerts, START).values())
    tell(board)
    return board


def adopt(board: Board, routes: RouteNode, *hooks: str) -> None:
    board.adopt(routes, hooks, board.regrouped(routes, hooks, START + timedelta(hours=1)))


def test_groups_that_the_routes_leave_alone_are_told_nothing_again(board: Board) -> None:
    before = told(board), dict(board.groups)
    adopt(board, tree(), "ops", "other")
    assert (told(board), dict(board.groups)) == before


def test_alerts_that_go_elsewhere_are_told_there_and_their_end_here(board: Board) -> None:
    adopt(board, tree(group_by=("authorization",)), "ops")
    groups = board.groups.values()
    assert sorted(len(group.members) for group in groups) == [1, 1, 2]
    routed = [member for group in groups for member in group.members.values() if member.is_routed]
    assert [member.told_at for member in routed] == [None, None]


def test_a_hook_that_comes_back_knows_what_it_was_told(board: Board) -> None:
    before = told(board)
    adopt(board, tree("other"), "other")
    assert {group.hook for group in board.groups.values()} == {"other"}
    adopt(board, tree(), "ops")
    assert told(board) == before


def test_no_groups_are_made_for_hooks_that_are_not_told_by_messages(board: Board) -> None:
    routes = build_tree(
        Route(
            hook="ops",
            group_by=("project",),
            routes=(Route(hook="am", matchers=(Matcher("project", Operator.EQUAL, "payments"),)),),
        )
    )
    groups = board.regrouped(routes, ["ops"], START)
    assert {group.hook for group in groups.values()} == {"ops"}


def test_what_ended_meanwhile_makes_no_group(board: Board) -> None:
    ended = tuple(resolved(alert_of(name), START) for name in ("a", "b"))
    board.publish("payments", ended, ())
    adopt(board, tree("other"), "other")
    assert board.groups == {}
