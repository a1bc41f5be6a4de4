from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, TimestampFault
from auditd.audit.checks.policy import PLUGIN, Options, UserPolicies, UserPolicy
from auditd.audit.expression import parse_expression
from auditd.audit.finding import Finding, Severity
from auditd.audit.policy import Observation
from auditd.audit.project import Project

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]
DAY = timedelta(days=1)


def policy(
    name: str, expression: str, severity: Severity | None = None, summary: str = ""
) -> UserPolicy:
    return UserPolicy(
        name=name, expression=parse_expression(expression), severity=severity, summary=summary
    )


def check(*policies: UserPolicy, severity: Severity = Severity.WARNING) -> UserPolicies:
    return UserPolicies(Options(policies=policies, severity=severity))


def test_without_a_policy_nothing_is_found(authorize: Authorize, observe: Observe) -> None:
    assert [*PLUGIN.build(Options()).inspect(observe(authorize()))] == []


def test_a_policy_that_is_violated_is_named(authorize: Authorize, observe: Observe) -> None:
    found = check(policy("no-oauth", 'token_type == "oauth"')).inspect(
        observe(authorize(), authorize(name="other", token_type="personal"))
    )
    assert [*found] == [
        Finding(
            check="policy",
            alertname="GitAuthorizationPolicyViolation",
            severity=Severity.WARNING,
            authorization="gh-main",
            summary="github authorization gh-main violates the policy no-oauth",
        )
    ]


def test_the_most_severe_is_told_of_and_of_equal_ones_the_first(
    authorize: Authorize, observe: Observe
) -> None:
    policies = (
        policy("a", "True", Severity.INFO),
        policy("b", "True"),
        policy("c", "True", Severity.WARNING),
    )
    [found] = check(*policies).inspect(observe(authorize()))
    assert found.severity is Severity.WARNING
    assert found.summary.endswith("the policy b")
    [found] = check(*policies, severity=Severity.CRITICAL).inspect(observe(authorize()))
    assert found.severity is Severity.CRITICAL


def test_its_own_summary_stands_after_the_name(authorize: Authorize, observe: Observe) -> None:
    [found] = check(policy("a", "True", summary="is not ours")).inspect(observe(authorize()))
    assert found.summary == "github authorization gh-main is not ours"


def test_it_looks_at_what_its_policies_look_at() -> None:
    policies = (policy("a", 'tag == ""'), policy("b", 'tag == "" or age > "1d"'))
    assert check(*policies).inputs == ("created_at", "tag")


def test_every_severity_that_can_be_found_is_known() -> None:
    policies = (policy("a", "True", Severity.INFO), policy("b", "True"))
    assert check(*policies).severities == {Severity.INFO, Severity.WARNING}


def test_it_is_foreseen_when_time_alone_makes_a_policy_hold(
    project: Project, authorize: Authorize, observe: Observe, now: datetime
) -> None:
    rotation = check(
        policy("never", 'token_type == "password"'),
        policy("rotate", 'token_type == "oauth" and update_age > "30d"'),
    )
    authorization = authorize()
    at = rotation.fires_at(project, authorization)
    assert at == now + 20 * DAY
    assert [*rotation.inspect(observe(authorization, now=at))] == []
    [found] = rotation.inspect(observe(authorization, now=at + timedelta.resolution))
    assert found.since == at


@pytest.mark.parametrize(
    "expression", ["True", "False", 'age > "1d" or True', 'age < "500d"', 'tag == "" and True']
)
def test_what_time_does_not_bring_about_is_not_foreseen_and_has_no_beginning(
    project: Project, authorize: Authorize, observe: Observe, expression: str
) -> None:
    unchanging = check(policy("a", expression))
    assert unchanging.fires_at(project, authorize()) is None
    assert [found.since for found in unchanging.inspect(observe(authorize()))] in ([], [None])


def test_an_age_that_is_not_known_neither_violates_nor_is_foreseen(
    project: Project, authorize: Authorize, observe: Observe
) -> None:
    unknown = authorize(updated_at=TimestampFault.MISSING)
    rotation = check(policy("rotate", 'update_age > "1d"'))
    assert rotation.fires_at(project, unknown) is None
    assert [*rotation.inspect(observe(unknown))] == []


def test_since_is_when_it_began_to_hold_the_last_time(
    authorize: Authorize, observe: Observe, now: datetime
) -> None:
    again = check(policy("a", 'age > "1d" and age < "2d" or age >= "3d"'))
    created_at = now - 400 * DAY
    [found] = again.inspect(observe(authorize()))
    assert found.since == created_at + 3 * DAY


def test_policies_need_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="two policies have the same name"):
        check(policy("a", "True"), policy("a", "False"))
    with pytest.raises(ValueError, match="a policy needs a name"):
        policy("", "True")


def test_time_changes_what_it_says_at_each_age_that_a_policy_names(
    authorize: Authorize, observe: Observe
) -> None:
    project = observe(authorize()).project
    demands = check(policy("a", 'age > "1d"'), policy("b", 'update_age < "2d" and tag == ""'))
    authorization = authorize()
    assert isinstance(authorization.created_at, datetime)
    assert isinstance(authorization.updated_at, datetime)
    assert demands.turns(project, authorization) == {
        authorization.created_at + DAY,
        authorization.updated_at + 2 * DAY,
    }
