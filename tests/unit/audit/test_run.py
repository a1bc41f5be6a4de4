from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.finding import Severity
from auditd.audit.plugin import load_plugins
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.run import build_policy, distinct, run_checks

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

PLUGINS = load_plugins(checks, "servicestage_auditd.checks")


def test_a_check_that_is_not_named_runs_with_its_defaults() -> None:
    policy = build_policy(PLUGINS, {}, blind_after=3)
    assert [check.name for check in policy.checks] == [*PLUGINS]
    assert policy.blind_after == 3


def test_a_disabled_check_is_left_out_and_options_reach_the_others() -> None:
    options: dict[str, CheckOptions] = {
        "drift": PLUGINS["drift"].options(enabled=False),
        "stale": PLUGINS["stale"].options(severity=Severity.INFO),
    }
    policy = build_policy(PLUGINS, options, blind_after=1)
    severities = {check.name: check.severity for check in policy.checks}
    assert severities.keys() == PLUGINS.keys() - {"drift"}
    assert severities["stale"] is Severity.INFO


def test_findings_are_sorted_by_check_and_authorization(
    authorize: Authorize, observe: Observe, now: datetime
) -> None:
    listed = (
        authorize(name="b", status=Status.OVERDUE, updated_at=now - timedelta(days=91)),
        authorize(name="a", status=Status.OVERDUE, updated_at=TimestampFault.ZERO),
        authorize(name="c"),
    )
    findings = run_checks(build_policy(PLUGINS, {}, blind_after=3), observe(*listed))
    assert [finding.key for finding in findings] == [
        ("overdue", "a"),
        ("overdue", "b"),
        ("stale", "b"),
        ("timestamp", "a"),
    ]


def test_a_healthy_list_and_an_empty_one_have_no_findings(
    authorize: Authorize, observe: Observe
) -> None:
    policy = build_policy(PLUGINS, {}, blind_after=3)
    assert run_checks(policy, observe(authorize())) == ()
    assert run_checks(policy, observe()) == ()


def test_of_one_name_the_worst_status_counts(authorize: Authorize) -> None:
    entries = [authorize(status=status) for status in Status]
    for order in permutations(entries):
        assert distinct(order)["gh-main"].status is Status.OVERDUE


def test_of_equal_status_the_later_update_counts(authorize: Authorize, now: datetime) -> None:
    earlier = authorize(updated_at=now - timedelta(milliseconds=1))
    later = authorize(updated_at=now)
    unknown = authorize(updated_at=TimestampFault.MISSING)
    for order in permutations([earlier, later, unknown]):
        assert distinct(order) == {"gh-main": later}


@pytest.mark.parametrize("change", [{"repo_user": "zoe"}, {"tag": "intl"}])
def test_what_is_left_is_decided_without_the_order(
    authorize: Authorize, change: dict[str, str]
) -> None:
    one, other = authorize(), authorize(**change)
    assert distinct([one, other]) == distinct([other, one])


@given(st.permutations(["a", "B", "c", "é"]))
def test_names_are_sorted(authorize: Authorize, names: list[str]) -> None:
    assert [*distinct([authorize(name=name) for name in names])] == ["B", "a", "c", "é"]


def test_a_policy_tells_every_severity_that_a_finding_can_have() -> None:
    overdue = {"overdue": PLUGINS["overdue"]}
    policy = build_policy(overdue, {"overdue": CheckOptions(severity=Severity.INFO)}, blind_after=3)
    assert policy.alertnames == {"ProjectBlind", "GitAuthorizationOverdue"}
    assert policy.severities == {
        "blind": frozenset({Severity.CRITICAL}),
        "overdue": frozenset({Severity.INFO}),
    }
