from collections.abc import Callable
from datetime import datetime

import pytest

from auditd.audit.authorization import Authorization
from auditd.audit.checks.broken import PLUGIN, Options
from auditd.audit.finding import Severity
from auditd.audit.policy import Observation
from auditd.audit.verification import Verdict, Verification

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

CHECK = PLUGIN.build(Options())


@pytest.mark.parametrize("verdict", Verdict)
def test_only_the_verdict_broken_is_found(
    authorize: Authorize, observe: Observe, now: datetime, verdict: Verdict
) -> None:
    verifications = {"gh-main": Verification(verdict, now)}
    found = [*CHECK.inspect(observe(authorize(), verifications=verifications))]
    assert bool(found) == (verdict is Verdict.BROKEN)


def test_a_broken_credential_is_critical_although_its_status_is_normal(
    authorize: Authorize, observe: Observe, now: datetime
) -> None:
    verifications = {"gh-main": Verification(Verdict.BROKEN, now)}
    (finding,) = CHECK.inspect(observe(authorize(), verifications=verifications))
    assert (finding.alertname, finding.severity) == ("GitAuthorizationBroken", Severity.CRITICAL)
    assert finding.summary == (
        "github authorization gh-main holds a credential that does not work; re-authorize it"
    )


def test_a_verdict_on_what_is_not_listed_is_no_finding(
    authorize: Authorize, observe: Observe, now: datetime
) -> None:
    verifications = {"gone": Verification(Verdict.BROKEN, now)}
    assert [*CHECK.inspect(observe(authorize(), verifications=verifications))] == []
