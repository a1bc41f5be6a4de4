from dataclasses import replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import Alert
from auditd.alerting.foresight import next_turn
from auditd.alerting.life import advance
from auditd.alerting.rules import Rules
from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding
from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.rest import Rest
from tests.unit.alerting.examples import AT, MINUTE, RULES, listed, overdue, stale
from tests.unit.alerting.test_life_properties import polls


def rest_of(snapshot: ProjectSnapshot, rules: Rules, at: datetime, until: datetime) -> Rest:
    return Rest(snapshot, rules, at, until, at)


@given(polls(), st.data())
def test_what_stands_is_passed_over_as_if_it_were_looked_at(
    trace: list[tuple[ProjectSnapshot, Rules, datetime]], data: st.DataObject
) -> None:
    known_findings: dict[Finding, Finding] = {}
    known_authorizations: dict[Authorization, Authorization] = {}
    alerts: tuple[Alert, ...] = ()
    rest: Rest | None = None
    for given_, rules, at in trace:
        is_kept = data.draw(st.booleans())
        snapshot = replace(
            given_,  # the very objects of before, as a poll keeps them
            findings=tuple(
                known_findings.setdefault(one, one) if is_kept else replace(one)
                for one in given_.findings
            ),
            authorizations={
                name: known_authorizations.setdefault(one, one)
                for name, one in (given_.authorizations or {}).items()
            },
        )
        standing = rest.standing(snapshot, rules, at) if rest else ()
        expected = advance(alerts, snapshot, rules, at)
        assert advance(alerts, snapshot, rules, at, standing=standing) == expected
        alerts, _ = expected
        rest = None
        if snapshot.is_up:
            rest = rest_of(snapshot, rules, at, next_turn(alerts, rules, at))


def test_findings_stand_that_are_the_very_same_of_the_very_same_authorization() -> None:
    first, second, other = overdue("gh-main"), overdue("gh-side"), stale("gh-main")
    before = listed(first, second)
    rest = rest_of(before, RULES, AT, AT + 2 * MINUTE)
    then = AT + MINUTE
    another = replace(before, findings=(first, replace(second), other))
    assert rest.standing(another, RULES, then) == [first.key]
    authorizations = {**(before.authorizations or {})}
    authorizations["gh-main"] = replace(authorizations["gh-main"], repo_type="gitee")
    relisted = replace(before, authorizations=authorizations)
    assert rest.standing(relisted, RULES, then) == [second.key]


def test_nothing_stands_under_other_terms_or_once_time_may_change_it() -> None:
    before = listed(overdue())
    rest = rest_of(before, RULES, AT, AT + MINUTE)
    assert rest.standing(before, RULES, AT)
    assert not rest.standing(before, RULES, AT + MINUTE)
    assert not rest.standing(before, RULES, AT - MINUTE)
    assert not rest.standing(before, replace(RULES), AT)
    renamed = replace(before, project=replace(before.project, labels=()))
    assert not rest.standing(renamed, RULES, AT)
