from collections.abc import Callable

from auditd.audit.authorization import Authorization, Status
from auditd.audit.checks.duplicate import PLUGIN, Options
from auditd.audit.finding import Severity
from auditd.audit.policy import Observation

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

CHECK = PLUGIN.build(Options())


def test_names_that_differ_are_fine(authorize: Authorize, observe: Observe) -> None:
    assert [*CHECK.inspect(observe(authorize(name="one"), authorize(name="ONE")))] == []


def test_a_name_listed_twice_is_found(authorize: Authorize, observe: Observe) -> None:
    (finding,) = CHECK.inspect(observe(authorize(), authorize()))
    assert finding.summary == "github authorization gh-main is listed 2 times"


def test_a_name_listed_three_times_is_one_finding(authorize: Authorize, observe: Observe) -> None:
    overdue = authorize(status=Status.OVERDUE, repo_type="gitlab")
    (finding,) = CHECK.inspect(
        observe(authorize(), overdue, authorize(name="other"), authorize(repo_user="mallory"))
    )
    assert (finding.alertname, finding.severity) == ("GitAuthorizationDuplicate", Severity.WARNING)
    assert finding.summary == "gitlab authorization gh-main is listed 3 times"
