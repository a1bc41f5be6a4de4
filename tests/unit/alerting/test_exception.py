import re
from dataclasses import replace

import pytest

from auditd.alerting.exception import AcceptedFinding, last_acceptance
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from auditd.audit.match import MatchField
from tests.unit.alerting.examples import AT, DAY, PROJECT, authorization, overdue, stale

MAIN = authorization("gh-main")
BLIND = blind_finding("payments", FailureReason.DNS, None)


def accept(check: str | None = None, **patterns: str) -> AcceptedFinding:
    return AcceptedFinding(
        match={MatchField(name): re.compile(text) for name, text in patterns.items()},
        check=None if check is None else re.compile(check),
        owner="ops@acme.example",
        reason="migration",
        until=AT,
    )


@pytest.mark.parametrize(
    ("accepted", "is_covered"),
    [
        (accept(project="payments"), True),
        (accept(project="pay"), False),
        (accept(authorization="gh-.*", repo_type="github"), True),
        (accept(authorization="gh-.*", repo_type="gitlab"), False),
        (accept("overdue", project="payments"), True),
        (accept("over", project="payments"), False),
        (accept("stale"), False),
    ],
)
def test_everything_that_is_given_must_fit_as_a_whole(
    accepted: AcceptedFinding, *, is_covered: bool
) -> None:
    assert accepted.covers(overdue(), PROJECT, MAIN) is is_covered


def test_accepting_a_project_does_not_accept_that_it_cannot_be_seen() -> None:
    assert not accept(project="payments").covers(BLIND, PROJECT, None)


def test_blindness_can_be_accepted_by_its_name() -> None:
    assert accept("blind", project="payments").covers(BLIND, PROJECT, None)


def test_a_finding_about_a_project_has_no_authorization_that_could_fit() -> None:
    assert not accept("blind", authorization="gh-main").covers(BLIND, PROJECT, None)


def test_of_several_exceptions_the_one_that_ends_last_counts() -> None:
    early, late = accept("overdue"), replace(accept("over.*"), until=AT + DAY)
    for order in ((early, late), (late, early)):
        assert last_acceptance(order, overdue(), PROJECT, MAIN) is late


def test_what_nobody_accepted_has_no_acceptance() -> None:
    assert last_acceptance((accept("overdue"),), stale(), PROJECT, MAIN) is None
