"""Offices whose every text is one that somebody hostile would choose."""

from __future__ import annotations

from dataclasses import replace

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.audit.authorization import Status, TimestampFault
from auditd.web.office import HookStanding
from tests.unit.web.fakes import Office, alert_of, delivery_of, silence_of
from tests.unit.web.fleet_fakes import (
    HOSTILE,
    FleetOffice,
    authorization_of,
    blind_of,
    entry_of,
    project_of,
    snapshot_of,
)


def hostile_office() -> Office:
    silence = silence_of("s-1")
    deliveries = [delivery_of("d-1"), delivery_of("d-2", DeliveryState.DEAD)]
    return Office(
        stock=[
            (alert_of(HOSTILE, HOSTILE), "silenced"),
            (alert_of("gh", state=AlertState.RESOLVED), ""),
        ],
        kept=[
            silence,
            replace(silence, id="s-2", matchers=(Matcher("project", Operator.EQUAL, HOSTILE),)),
            replace(silence, id="s-3", author=HOSTILE, comment=HOSTILE),
        ],
        owed={
            it.id: replace(
                it,
                group_key=HOSTILE,
                last_error=HOSTILE,
                tried=(Attempt(it.created_at, AttemptOutcome.FAILED, HOSTILE),),
            )
            for it in deliveries
        },
        receivers=[HookStanding(HOSTILE, "webhook", HOSTILE, pending=2, dead=1)],
    )


def hostile_fleet() -> FleetOffice:
    fleet = FleetOffice(missing=(HOSTILE,), entries=[entry_of(7, HOSTILE), entry_of(5)])
    odd = replace(
        authorization_of(HOSTILE, Status.OVERDUE, updated_at=TimestampFault.IN_SECONDS),
        repo_type=HOSTILE,
        repo_host=HOSTILE,
        repo_user=HOSTILE,
        token_type=HOSTILE,
        tag=HOSTILE,
        raw_status=HOSTILE,
    )
    fleet.put(
        snapshot_of(project_of("payments", team="pay"), odd, authorization_of("gh-main")),
        snapshot_of(project_of(HOSTILE, team=HOSTILE), odd),
        blind_of(project_of("blind")),
    )
    return fleet
