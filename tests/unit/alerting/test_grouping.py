from dataclasses import replace

from auditd.alerting.grouping import Group, Member, admit, next_flush_at, regroup, withdraw
from auditd.alerting.route import Route, RouteSettings, build_tree
from tests.unit.alerting.examples import AT, HOUR, MINUTE, firing

TREE = build_tree(Route(hook="ops", group_by=("alertname",)))
ALERT, OTHER = firing(), firing(authorization="gh-side")
ONE, TWO = ALERT.fingerprint, OTHER.fingerprint
SETTINGS = RouteSettings("ops", group_wait=10 * MINUTE, group_interval=HOUR)


def group(**members: Member) -> Group:
    (assignment,) = TREE.assign(ALERT.labels)
    return replace(admit(None, assignment, ONE, AT), members=members)


def test_a_first_alert_makes_the_group() -> None:
    (assignment,) = TREE.assign(ALERT.labels)
    assert admit(None, assignment, ONE, AT) == Group(
        key='ops{}:{alertname="GitAuthorizationOverdue"}',
        route_id="ops{}",
        hook="ops",
        labels={"alertname": "GitAuthorizationOverdue"},
        first_at=AT,
        members={ONE: Member()},
    )


def test_more_alerts_join_it() -> None:
    (assignment,) = TREE.assign(ALERT.labels)
    first = admit(None, assignment, ONE, AT)
    both = admit(first, assignment, TWO, AT + HOUR)
    assert both == replace(first, members={ONE: Member(), TWO: Member()})
    assert admit(both, assignment, TWO, AT + HOUR) == both


def test_an_alert_that_comes_back_is_known_to_the_hook() -> None:
    (assignment,) = TREE.assign(ALERT.labels)
    left = group(**{ONE: Member(AT, is_routed=False)})
    assert admit(left, assignment, ONE, AT).members == {ONE: Member(AT)}


def test_an_alert_that_goes_elsewhere_leaves_if_the_hook_was_not_told() -> None:
    assert withdraw(group(**{ONE: Member(), TWO: Member()}), [ONE]).members == {TWO: Member()}


def test_an_alert_that_goes_elsewhere_stays_for_its_end_if_the_hook_was_told() -> None:
    told = group(**{ONE: Member(AT), TWO: Member(AT)})
    after = withdraw(told, [ONE])
    assert after.members == {ONE: Member(AT, is_routed=False), TWO: Member(AT)}
    assert withdraw(after, [ONE]) == after


def test_the_same_routes_change_no_group() -> None:
    groups = regroup({}, [ALERT, OTHER], TREE, AT)
    assert [set(found.members) for found in groups.values()] == [{ONE, TWO}]
    assert regroup(groups, [OTHER, ALERT], TREE, AT + HOUR) == groups


def test_other_routes_move_alerts_and_leave_the_ends_behind() -> None:
    (before,) = regroup({}, [ALERT, OTHER], TREE, AT).values()
    told = replace(before, members={**before.members, ONE: Member(AT)})
    moved = build_tree(Route(hook="ops", group_by=("alertname",), routes=(Route(hook="mail"),)))
    groups = regroup({told.key: told}, [ALERT, OTHER], moved, AT + HOUR)
    assert {found.hook: found.members for found in groups.values()} == {
        "mail": {ONE: Member(), TWO: Member()},
        "ops": {ONE: Member(AT, is_routed=False)},
    }


def test_an_alert_can_be_in_several_groups() -> None:
    routes = (Route(hook="mail", continue_=True), Route(hook="pager"))
    groups = regroup({}, [ALERT], build_tree(Route(hook="ops", routes=routes)), AT)
    assert sorted(found.hook for found in groups.values()) == ["mail", "pager"]


def test_a_new_group_waits_for_more_of_its_kind() -> None:
    assert next_flush_at(group(), SETTINGS, AT) == AT + 10 * MINUTE


def test_a_group_waits_from_flush_to_flush() -> None:
    flushed = replace(group(), last_flush_at=AT + MINUTE)
    assert next_flush_at(flushed, SETTINGS, AT + 2 * MINUTE) == AT + HOUR + MINUTE


def test_a_clock_that_was_set_back_does_not_hold_a_group_up() -> None:
    flushed = replace(group(), last_flush_at=AT + MINUTE)
    assert next_flush_at(group(), SETTINGS, AT - HOUR) == AT - HOUR
    assert next_flush_at(flushed, SETTINGS, AT) == AT
