from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.mute import Range, TimeInterval, TimeSpan
from auditd.alerting.route import Route, RouteNode, RouteSettings, build_tree

WEEKEND = TimeInterval("weekend", (TimeSpan(weekdays=(Range(0, 0), Range(6, 6))),))
JUNE = TimeInterval("june", (TimeSpan(months=(Range(6, 6),)),))
CRITICAL = Matcher("severity", Operator.EQUAL, "critical")
PAY = Matcher("team", Operator.FITS, "pay.*")
LABELS = {"alertname": "A", "project": "payments", "severity": "critical", "team": "pay"}


def hooks(tree: RouteNode, **changes: str) -> list[str]:
    return [assignment.settings.hook for assignment in tree.assign({**LABELS, **changes})]


def test_the_root_takes_what_no_other_route_takes() -> None:
    tree = build_tree(Route(hook="ops", routes=(Route(hook="pager", matchers=(CRITICAL,)),)))
    assert hooks(tree, severity="warning") == ["ops"]
    assert hooks(tree) == ["pager"]


def test_the_first_route_that_fits_is_taken() -> None:
    routes = (Route(hook="one", matchers=(CRITICAL,)), Route(hook="two", matchers=(PAY,)))
    assert hooks(build_tree(Route(hook="ops", routes=routes))) == ["one"]


def test_a_route_that_does_not_fit_is_passed_over() -> None:
    routes = (Route(hook="one", matchers=(CRITICAL,)), Route(hook="two", matchers=(PAY,)))
    assert hooks(build_tree(Route(hook="ops", routes=routes)), severity="info") == ["two"]


def test_the_routes_after_one_that_continues_are_tried_too() -> None:
    routes = (
        Route(hook="one", matchers=(CRITICAL,), continue_=True),
        Route(hook="two", matchers=(PAY,)),
        Route(hook="three"),
    )
    assert hooks(build_tree(Route(hook="ops", routes=routes))) == ["one", "two"]


def test_all_matchers_of_a_route_must_fit() -> None:
    tree = build_tree(Route(hook="ops", routes=(Route(hook="pager", matchers=(CRITICAL, PAY)),)))
    assert hooks(tree) == ["pager"]
    assert hooks(tree, team="web") == ["ops"]


def test_a_child_is_reached_only_through_its_parent() -> None:
    child = Route(hook="child", matchers=(PAY,))
    tree = build_tree(
        Route(hook="ops", routes=(Route(hook="pager", matchers=(CRITICAL,), routes=(child,)),))
    )
    assert hooks(tree) == ["child"]
    assert hooks(tree, team="web") == ["pager"]
    assert hooks(tree, severity="info") == ["ops"]


def test_an_alert_that_the_root_does_not_match_goes_nowhere() -> None:
    assert hooks(build_tree(Route(hook="ops", matchers=(PAY,))), team="web") == []


def test_settings_have_alertmanagers_defaults() -> None:
    assert build_tree(Route(hook="ops")).settings == RouteSettings(
        hook="ops",
        group_by=frozenset(),
        group_wait=timedelta(seconds=30),
        group_interval=timedelta(minutes=5),
        repeat_interval=timedelta(hours=4),
    )


def test_what_a_route_does_not_give_is_its_parents() -> None:
    root = Route(
        hook="ops",
        group_by=("project",),
        group_wait=timedelta(seconds=1),
        group_interval=timedelta(seconds=2),
        repeat_interval=timedelta(seconds=3),
        routes=(Route(), Route(hook="own", group_by=(), group_wait=timedelta(0))),
    )
    tree = build_tree(root)
    inheriting, own = tree.children
    assert inheriting.settings == tree.settings
    assert own.settings == replace(
        tree.settings, hook="own", group_by=frozenset(), group_wait=timedelta(0)
    )


def test_times_are_not_inherited() -> None:
    root = Route(
        hook="ops",
        mute_time_intervals=("weekend",),
        active_time_intervals=("june",),
        routes=(Route(),),
    )
    tree = build_tree(root, [WEEKEND, JUNE])
    assert (tree.settings.muted, tree.settings.active) == ((WEEKEND,), (JUNE,))
    assert (tree.children[0].settings.muted, tree.children[0].settings.active) == ((), ())


@pytest.mark.parametrize(
    ("at", "is_active"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), True),  # a Monday in June
        (datetime(2026, 6, 6, tzinfo=UTC), False),  # a Saturday in June
        (datetime(2026, 7, 1, tzinfo=UTC), False),  # a Wednesday in July
    ],
)
def test_a_route_is_active_in_its_times_and_not_in_its_mute_times(
    at: datetime, *, is_active: bool
) -> None:
    assert RouteSettings("ops", muted=(WEEKEND,), active=(JUNE,)).is_active(at) is is_active


def test_a_route_without_times_is_always_active() -> None:
    assert RouteSettings("ops").is_active(datetime(2026, 6, 6, tzinfo=UTC))


def test_a_root_without_a_hook_is_refused() -> None:
    with pytest.raises(ValueError, match="the root of the routes needs a hook"):
        build_tree(Route())


def test_a_time_interval_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError, match="weekend"):
        build_tree(Route(hook="ops", mute_time_intervals=("weekend",)))


def test_alerts_are_grouped_by_the_labels_that_they_have() -> None:
    tree = build_tree(Route(hook="ops", group_by=("project", "absent", "alertname")))
    (assignment,) = tree.assign(LABELS)
    assert assignment.group_labels == {"alertname": "A", "project": "payments"}
    assert assignment.group_key == 'ops{}:{alertname="A",project="payments"}'


def test_alerts_can_be_grouped_by_all_labels() -> None:
    (assignment,) = build_tree(Route(hook="ops", group_by=("...",))).assign(LABELS)
    assert assignment.group_labels == LABELS


def test_without_labels_to_group_by_all_alerts_are_one_group() -> None:
    tree = build_tree(Route(hook="ops"))
    keys = {tree.assign({**LABELS, "alertname": name})[0].group_key for name in "AB"}
    assert keys == {"ops{}:{}"}


def test_the_order_of_labels_and_matchers_is_not_in_the_key() -> None:
    def keys(labels: dict[str, str], *matchers: Matcher) -> list[str]:
        route = Route(hook="pager", group_by=("...",), matchers=matchers)
        tree = build_tree(Route(hook="ops", routes=(route,)))
        return [assignment.group_key for assignment in tree.assign(labels)]

    assert keys(LABELS, CRITICAL, PAY) == keys(dict(reversed(LABELS.items())), PAY, CRITICAL)


def test_a_route_keeps_its_id_when_others_come_and_go() -> None:
    route = Route(hook="pager", matchers=(PAY,), routes=(Route(matchers=(CRITICAL,)),))
    before = build_tree(Route(hook="ops", routes=(route,)))
    after = build_tree(Route(hook="ops", routes=(Route(hook="x", matchers=(CRITICAL,)), route)))
    assert before.children[0].children == after.children[1].children
    assert before.children[0].id == 'ops{}/pager{team=~"pay.*"}'


def test_no_two_routes_share_an_id() -> None:
    twin = Route(hook="pager", matchers=(PAY,), continue_=True, routes=(Route(),))
    tree = build_tree(Route(hook="ops", routes=(twin, twin, replace(twin, hook="mail"))))
    ids = [node.id for child in tree.children for node in (child, *child.children)]
    assert len(set(ids)) == 6


def test_another_hook_is_another_route() -> None:
    one, other = (build_tree(Route(hook=hook)).assign(LABELS)[0].group_key for hook in "ab")
    assert one != other


def test_the_settings_of_a_route_are_found_by_its_id() -> None:
    tree = build_tree(Route(hook="ops", routes=(Route(hook="a", routes=(Route(hook="b"),)),)))
    assert tree.settings_of("ops{}/a{}/b{}").hook == "b"
    assert tree.settings_of("ops{}").hook == "ops"


def test_the_settings_of_a_route_that_is_gone_are_the_roots() -> None:
    assert build_tree(Route(hook="ops")).settings_of("ops{}/gone{}").hook == "ops"
