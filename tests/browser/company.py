"""A company's fleet on an ordinary bad night, made from a seed: what people look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Silence
from auditd.audit.authorization import Authorization, Status
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.web.office import HookStanding
from tests.unit.web.pages.examples import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    alert_of,
    delivery_of,
    finding_of,
    listed_as,
    project_of,
    seen,
)
from tests.unit.web.pages.fakes import Alerts, Fleet

_TEAMS = (
    "payments", "checkout", "ledger", "search", "catalog", "identity", "mobile", "web",
    "data", "reports", "partners", "billing", "logistics", "support", "risk", "media",
)  # fmt: skip
_REGIONS = ("cn-north-4", "cn-east-3", "cn-south-1", "ap-southeast-1")
_HOSTS = {
    "github": "https://api.github.com",
    "gitlab": "https://gitlab.acme.example/api/v4",
    "gitee": "https://gitee.com/api/v5",
    "bitbucket": "https://api.bitbucket.org/2.0",
    "devcloud": "https://codehub.devcloud.cn-north-4.huaweicloud.com",
}
STAR = ("cn-north-4_payments", "payments-gitlab")
"""The authorization that has a story."""


def furnish(fleet: Fleet, alerts: Alerts) -> None:
    """Fill both."""
    random = Random(7)
    for team in _TEAMS:
        region = random.choice(_REGIONS)
        name = f"{region}_{team}"
        project = project_of(
            f"cn-north-4_{team}" if team == "payments" else name,
            region="cn-north-4" if team == "payments" else region,
            project_id=f"{random.getrandbits(128):032x}",
            labels=(("team", team),),
            verify=True,
        )
        listed = tuple(_some(random, team) for _ in range(random.randint(3, 9)))
        fleet.add(_polled(random, seen(project, *{one.name: one for one in listed}.values())))
        fleet.polls[project.name] = NOW + timedelta(seconds=random.randint(4, 290))
    _tell_the_story(fleet)
    _blind(fleet, alerts)
    _alarm(fleet, alerts)


def _some(random: Random, team: str) -> Authorization:
    kind = random.choice(tuple(_HOSTS))
    updated_at = (
        NOW - random.randint(1, 75) * DAY - random.randint(0, 80_000) * timedelta(seconds=1)
    )
    return listed_as(
        f"{team}-{kind}",
        repo_type=kind,
        repo_host=_HOSTS[kind],
        repo_user=f"acme-{team}",
        token_type=random.choice(("oauth", "personal", "password")),
        created_at=updated_at - random.randint(1, 500) * DAY,
        updated_at=updated_at,
    )


def _polled(random: Random, snapshot: ProjectSnapshot) -> ProjectSnapshot:
    at = NOW - timedelta(seconds=random.randint(3, 280))
    verifications = {
        name: Verification(Verdict.WORKS, at - HOUR) for name in snapshot.authorizations or {}
    }
    return replace(snapshot, attempted_at=at, succeeded_at=at, verifications=verifications)


def _tell_the_story(fleet: Fleet) -> None:
    """One that was renewed now and then, and is forgotten since."""
    project, name = STAR
    renewals = [NOW - days * DAY for days in (340, 262, 151)]
    updated_at = NOW - 98 * DAY
    listed = listed_as(
        name,
        repo_type="gitlab",
        repo_host=_HOSTS["gitlab"],
        repo_user="payments-bot",
        token_type="personal",
        created_at=NOW - 420 * DAY,
        updated_at=updated_at,
    )
    stale = finding_of(
        name,
        check="stale",
        alertname="GitAuthorizationStale",
        severity=Severity.WARNING,
        summary=(
            f"gitlab authorization {name} was last renewed 2026-02-23T12:00:00Z; the limit is 90d"
        ),
        since=updated_at + 90 * DAY,
    )
    snapshot = fleet.known[project]
    fleet.known[project] = replace(
        snapshot,
        authorizations=dict(sorted({**(snapshot.authorizations or {}), name: listed}.items())),
        findings=(stale,),
        stale_at={**snapshot.stale_at, name: updated_at + 90 * DAY},
        verifications={
            **snapshot.verifications,
            name: Verification(Verdict.WORKS, NOW - 5 * HOUR),
        },
    )
    story = [
        HistoryEntry(
            renewals[0], project, HistoryKind.AUTHORIZATION_ADDED, name,
            listed=replace(listed, updated_at=renewals[0]),
        ),
        *(
            HistoryEntry(
                at, project, HistoryKind.AUTHORIZATION_CHANGED, name,
                listed=replace(listed, updated_at=at), fields=("updated_at",),
            )
            for at in [*renewals[1:], updated_at]
        ),
        _flag(project, _of_age(stale, renewals[1]), NOW - 172 * DAY),
        _flag(
            project, _of_age(stale, renewals[1]), NOW - 151 * DAY, HistoryKind.FINDING_CLEARED
        ),
        _flag(project, stale, NOW - 8 * DAY),
        HistoryEntry(
            NOW - 3 * DAY, project, HistoryKind.POLLS_FAILED, reason=FailureReason.THROTTLED
        ),
        HistoryEntry(NOW - 3 * DAY + 11 * MINUTE, project, HistoryKind.POLLS_RECOVERED),
    ]  # fmt: skip
    story.sort(key=lambda entry: (entry.at, entry.kind))
    fleet.entries += [replace(entry, seq=seq) for seq, entry in enumerate(story, 1)]


def _of_age(stale: Finding, updated_at: datetime) -> Finding:
    summary = stale.summary.replace("2026-02-23", updated_at.date().isoformat())
    return replace(stale, summary=summary, since=updated_at + 90 * DAY)


def _flag(
    project: str,
    finding: Finding,
    at: datetime,
    kind: HistoryKind = HistoryKind.FINDING_FLAGGED,
) -> HistoryEntry:
    return HistoryEntry(at, project, kind, finding.authorization, finding=finding)


def _blind(fleet: Fleet, alerts: Alerts) -> None:
    name = next(name for name in fleet.known if name.endswith("_partners"))
    snapshot = fleet.known[name]
    seen_at = NOW - 43 * MINUTE
    finding = blind_finding(name, FailureReason.FORBIDDEN, seen_at)
    fleet.known[name] = replace(
        snapshot,
        succeeded_at=seen_at,
        failure=FailureReason.FORBIDDEN,
        failure_message=(
            "HTTP 403 APIGW.0302 from servicestage.ap-southeast-1.myhuaweicloud.com: grant the"
            " user the action servicestage:repositoryAuth:list in this project"
        ),
        failures_in_a_row=9,
        findings=(finding,),
    )
    alert = alert_of("", name, alertname="ProjectBlind", check="blind")
    alerts.add(
        replace(
            alert,
            annotations={"summary": finding.summary},
            since=seen_at,
            active_at=NOW - 28 * MINUTE,
            fired_at=NOW - 28 * MINUTE,
        )
    )


def _alarm(fleet: Fleet, alerts: Alerts) -> None:
    names = [name for name in fleet.known if name.split("_")[1] in {"web", "search", "risk"}]
    told = []
    for number, name in enumerate(names):
        snapshot = fleet.known[name]
        one = next(iter((snapshot.authorizations or {}).values()))
        status = Status.UNAUTHENTICATED if number == 1 else Status.OVERDUE
        bad = replace(one, status=status, raw_status=str(1 + (number == 1)))
        finding = finding_of(
            one.name,
            check=str(status),
            alertname=f"GitAuthorization{str(status).title()}",
            summary=f"{one.repo_type} authorization {one.name} is {status}; re-authorize it",
            since=None,
        )
        fleet.known[name] = replace(
            snapshot,
            authorizations={**(snapshot.authorizations or {}), one.name: bad},
            findings=(finding,),
        )
        alert = replace(
            alert_of(
                one.name, name, alertname=finding.alertname, check=finding.check,
                repo_type=one.repo_type, team=name.split("_")[1],
            ),
            annotations={
                "summary": finding.summary,
                "description": (
                    "ServiceStage says that the authorization has expired; builds, pipelines and"
                    " upgrades from its repositories fail. Re-authorize it in the ServiceStage"
                    " console."
                ),
                "console_url": "https://console.huaweicloud.com/servicestage/?region=cn-north-4",
                "runbook_url": "https://runbooks.acme.example/auditd#GitAuthorizationOverdue",
            },
            active_at=NOW - (17 + 31 * number) * MINUTE,
            fired_at=NOW - (17 + 31 * number) * MINUTE,
            since=NOW - (17 + 31 * number) * MINUTE,
        )  # fmt: skip
        told.append(alert)
        alerts.add(alert, "acknowledged" if number == 2 else "")
    stale = alert_of(
        STAR[1], STAR[0], severity="warning", alertname="GitAuthorizationStale", check="stale"
    )
    alerts.add(replace(stale, since=NOW - 8 * DAY, active_at=NOW - 8 * DAY, fired_at=NOW - 8 * DAY))
    alerts.add(alert_of("data-trial", names[0], AlertState.RESOLVED))
    alerts.add(alert_of("media-github", names[1], AlertState.PENDING, "warning"))
    alerts.kept["s1"] = Silence(
        "s1",
        (Matcher("project", Operator.EQUAL, STAR[0]), Matcher("severity", Operator.EQUAL, "info")),
        NOW - HOUR,
        NOW + 5 * HOUR,
        "Ann Lee",
        "The migration of PLAT-42; she is on it",
    )
    alerts.kept["s2"] = replace(alerts.kept["s1"], id="s2", ends_at=NOW - 30 * MINUTE)
    for hook, kind, off in (
        ("ops", "webhook", ""),
        ("pager", "exec", ""),
        ("chat", "dingtalk", "HTTP 410 of msg_0"),
    ):
        alerts.standing[hook] = HookStanding(hook, kind, off, hook == "pager", 7 * bool(off))
    alerts.owed["msg_3"] = delivery_of("msg_3", *told)
    alerts.owed["msg_2"] = delivery_of(
        "msg_2", told[0], state=DeliveryState.PENDING, attempts=4, hook="pager",
        last_error="hook 'pager': HTTP 503 from pager.acme.example",
    )  # fmt: skip
    alerts.owed["msg_1"] = delivery_of(
        "msg_1", told[0], state=DeliveryState.DEAD, attempts=11, hook="chat",
        last_error="hook 'chat': HTTP 404: the robot was removed from its group",
        tried=(
            Attempt(NOW - HOUR, AttemptOutcome.FAILED, "hook 'chat': no answer within 30 s"),
            Attempt(NOW - 50 * MINUTE, AttemptOutcome.REPLAYED),
            Attempt(
                NOW - 2 * MINUTE,
                AttemptOutcome.FAILED,
                "hook 'chat': HTTP 404: the robot was removed from its group",
            ),
        ),
    )  # fmt: skip
