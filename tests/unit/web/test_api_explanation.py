from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import ClientSession

from auditd.alerting.alert import AlertState
from auditd.alerting.exception import AcceptedFinding
from auditd.alerting.rules import CheckRule
from auditd.audit.authorization import Status
from auditd.audit.match import MatchField
from tests.unit.web.fakes import HOUR, NOW, Office, alert_of
from tests.unit.web.fleet_fakes import (
    CHECKS,
    FleetOffice,
    authorization_of,
    finding_of,
    project_of,
    snapshot_of,
)

PATH = "/api/v1/projects/payments/authorizations/gh-main/explanation"


def accepted(project: str, until: timedelta) -> AcceptedFinding:
    match = {MatchField.PROJECT: re.compile(project)}
    return AcceptedFinding(match, None, "ann", "PLAT-42", NOW + until)


async def explain(client: ClientSession) -> dict[str, Any]:
    async with client.get(PATH) as response:
        assert response.status == 200
        data = (await response.json())["data"]
    assert (data["project"], data["authorization"]) == ("payments", "gh-main")
    return {check["check"]: check for check in data["checks"]}


async def test_each_enabled_check_says_what_it_looked_at(
    client: ClientSession, fleet: FleetOffice
) -> None:
    fleet.put(snapshot_of(project_of("payments"), authorization_of("gh-main", Status.OVERDUE)))
    checks = await explain(client)
    assert list(checks) == [check.name for check in CHECKS]
    assert {name: check["inputs"] for name, check in checks.items()} == {
        "broken": {"verdict": "works"},
        "drift": {
            "repo_user": "tom",
            "repo_host": "https://github.com",
            "token_type": "oauth",
            "created_at": "2026-05-30T12:00:00Z",
        },
        "duplicate": {"name": "gh-main"},
        "overdue": {"status": "overdue"},
        "policy": {},
        "stale": {"updated_at": "2026-05-31T12:00:00Z"},
        "timestamp": {
            "created_at": "2026-05-30T12:00:00Z",
            "updated_at": "2026-05-31T12:00:00Z",
        },
        "unauthenticated": {"status": "overdue"},
        "unknown_status": {"status": "overdue", "raw_status": "0"},
    }
    assert [name for name, check in checks.items() if check["is_found"]] == ["overdue"]
    assert checks["overdue"]["summary"] == "github authorization gh-main is overdue"
    assert checks["overdue"]["since"] == "2026-06-01T11:00:00Z"
    assert checks["stale"]["fires_at"] == "2026-08-29T12:00:00Z"
    assert checks["overdue"]["fires_at"] is None


async def test_what_results_is_told(
    client: ClientSession, fleet: FleetOffice, office: Office
) -> None:
    overdue = authorization_of("gh-main", Status.OVERDUE)
    stale = finding_of("gh-main", "stale")
    fleet.put(snapshot_of(project_of("payments"), overdue, findings=[stale]))
    pending = alert_of("gh-main", state=AlertState.PENDING)
    pending = replace(pending, labels={**pending.labels, "check": "stale"}, fingerprint="f2")
    fleet.terms = replace(
        fleet.terms, checks={**fleet.terms.checks, "stale": CheckRule("Old.", for_=3 * HOUR)}
    )
    ended = replace(alert_of("gh-main", state=AlertState.RESOLVED), fingerprint="f3")
    office.stock = [(alert_of("gh-main"), "silenced"), (pending, ""), (ended, "")]
    checks = await explain(client)
    assert checks["overdue"]["alert"] == {
        "fingerprint": alert_of("gh-main").fingerprint,
        "state": "firing",
        "suppression": "silenced",
        "active_at": "2026-06-01T11:00:00Z",
        "fires_at": "2026-06-01T11:00:00Z",
    }
    assert checks["stale"]["alert"]["state"] == "pending"
    assert checks["stale"]["alert"]["fires_at"] == "2026-06-01T14:00:00Z"
    assert checks["drift"]["alert"] is None


async def test_an_exception_says_who_and_until_when(
    client: ClientSession, fleet: FleetOffice
) -> None:
    fleet.put(snapshot_of(project_of("payments"), authorization_of("gh-main", Status.OVERDUE)))
    shown = []
    for exceptions in (
        (accepted("pay.*", HOUR), accepted("billing", 9 * HOUR)),
        (accepted("payments", -HOUR),),
        (accepted("billing", HOUR),),
    ):
        fleet.terms = replace(fleet.terms, accepted=exceptions)
        shown.append((await explain(client))["overdue"]["acceptance"])
    assert shown == [
        {"owner": "ann", "reason": "PLAT-42", "until": "2026-06-01T13:00:00Z", "is_over": False},
        {"owner": "ann", "reason": "PLAT-42", "until": "2026-06-01T11:00:00Z", "is_over": True},
        None,
    ]
