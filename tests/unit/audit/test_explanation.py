from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from auditd.audit import checks
from auditd.audit.authorization import Authorization, TimestampFault
from auditd.audit.checks.policy import Options as PolicyOptions
from auditd.audit.checks.policy import UserPolicies, UserPolicy
from auditd.audit.checks.stale import Options, Override, Stale
from auditd.audit.explanation import Explanation, explain
from auditd.audit.expression import parse_expression
from auditd.audit.finding import Finding, Severity
from auditd.audit.match import MatchField
from auditd.audit.plugin import load_plugins
from auditd.audit.policy import Check
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification


def explained(
    check: Check, project: Project, authorization: Authorization, **known: object
) -> Explanation:
    listed = {authorization.name: authorization}
    snapshot = ProjectSnapshot(project, authorizations=listed, **known)  # type: ignore[arg-type]  # its fields
    (explanation,) = explain([check], snapshot, authorization)
    return explanation


def test_every_check_says_what_it_looks_at(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    plugins = load_plugins(checks, "servicestage_auditd.checks")
    policy = build_policy(plugins, {}, blind_after=3)
    snapshot = ProjectSnapshot(project, authorizations={"gh-main": authorize()})
    explanations = explain(policy.checks, snapshot, authorize())
    assert [it.check.name for it in explanations] == list(plugins)
    for explanation in explanations:
        assert explanation.finding is None
        assert explanation.inputs or explanation.check.name == "policy"  # which has none yet


def test_the_finding_of_the_last_poll_is_the_verdict(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    stale = Finding("stale", "GitAuthorizationStale", Severity.WARNING, "gh-main", "is old")
    other = Finding("stale", "GitAuthorizationStale", Severity.WARNING, "gh-side", "is old")
    check = Stale(Options())
    assert explained(check, project, authorize(), findings=(stale, other)).finding is stale
    assert explained(check, project, authorize(), findings=(other,)).finding is None


def test_inputs_are_told_with_their_values(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    patterns = {field: re.compile(".*") for field in MatchField}
    check = Stale(Options(overrides=(Override(match=patterns, max_age=timedelta(days=1)),)))
    assert explained(check, project, authorize(updated_at=TimestampFault.ZERO)).inputs == {
        "updated_at": "zero",
        "authorization": "gh-main",
        "project": "payments",
        "region": "cn-north-4",
        "repo_host": "https://api.github.com",
        "repo_type": "github",
        "repo_user": "octocat",
        "tag": "",
        "token_type": "oauth",
    }


def test_a_policy_looks_at_what_its_expressions_name(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    text = 'update_age > "30d" and labels["team"] == "pay" or status == "unknown"'
    policy = UserPolicy(name="rotate", expression=parse_expression(text))
    explanation = explained(UserPolicies(PolicyOptions(policies=(policy,))), project, authorize())
    assert explanation.inputs == {
        "status": "normal",
        "updated_at": "2026-05-22T12:00:00Z",
        "labels": "",
    }
    assert explanation.fires_at is None  # the label does not fit


def test_a_verdict_is_told_and_so_is_none(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    plugin = load_plugins(checks, "servicestage_auditd.checks")["broken"]
    check = plugin.build(plugin.options())
    assert explained(check, project, authorize()).inputs == {"verdict": "none"}
    at = authorize().updated_at
    works = {"gh-main": Verification(Verdict.WORKS, at)}  # type: ignore[arg-type]  # it is an instant
    assert explained(check, project, authorize(), verifications=works).inputs == {
        "verdict": "works"
    }
