from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from auditd.alerting.alert import AlertState
from auditd.audit.authorization import Status
from auditd.web.api_status import MOST_BLIND
from auditd.web.office import HookStanding, UnavailableError
from tests.unit.web.fakes import Office, alert_of
from tests.unit.web.fleet_fakes import (
    FleetOffice,
    authorization_of,
    blind_of,
    project_of,
    snapshot_of,
)

STATUS = "/api/v1/status"
HOOKS = "/api/v1/hooks"


async def get(client: ClientSession, path: str) -> Any:
    async with client.get(path) as response:
        assert response.status == 200
        return (await response.json())["data"]


async def test_an_empty_fleet_has_every_figure(client: ClientSession) -> None:
    assert await get(client, STATUS) == {
        "version": "1.2.3",
        "started_at": "2026-06-01T11:00:00Z",
        "is_ready": True,
        "missing": [],
        "config": {
            "file": "/etc/auditd.yaml",
            "loaded_at": "2026-06-01T11:00:00Z",
            "error": "",
        },
        "projects": {"up": 0, "failing": 0, "blind": 0, "untried": 0},
        "blind_projects": [],
        "authorizations": {"normal": 0, "overdue": 0, "unauthenticated": 0, "unknown": 0},
        "findings": {"info": 0, "warning": 0, "critical": 0},
        "alerts": {"pending": 0, "firing": 0, "resolved": 0},
        "next_poll_at": None,
    }


async def test_everything_is_counted(
    client: ClientSession, office: Office, fleet: FleetOffice
) -> None:
    listed = [authorization_of("a"), authorization_of("b", Status.OVERDUE)]
    fleet.put(
        *(snapshot_of(project_of(f"p{n}"), *listed) for n in range(3)),
        *(blind_of(project_of(f"b{n:03}")) for n in range(MOST_BLIND + 1)),
    )
    fleet.missing = ("37 of 200 projects were not tried yet",)
    office.stock = [(alert_of("a"), ""), (alert_of("b", state=AlertState.PENDING), "")]
    shown = await get(client, STATUS)
    assert (shown["is_ready"], shown["missing"]) == (False, list(fleet.missing))
    assert shown["projects"] == {"up": 3, "failing": 0, "blind": MOST_BLIND + 1, "untried": 0}
    assert shown["blind_projects"] == [f"b{n:03}" for n in range(MOST_BLIND)]
    assert shown["authorizations"]["overdue"] == 3
    assert shown["findings"]["critical"] == 3 + MOST_BLIND + 1
    assert shown["alerts"] == {"pending": 1, "firing": 1, "resolved": 0}
    assert shown["next_poll_at"] == "2026-06-01T13:00:00Z"


async def test_hooks_are_shown_with_what_they_are_owed(
    client: ClientSession, office: Office
) -> None:
    office.receivers = [HookStanding("ops", "webhook", "answered 410 Gone", pending=2, dead=1)]
    assert await get(client, HOOKS) == [
        {
            "name": "ops",
            "kind": "webhook",
            "pending": 2,
            "dead": 1,
            "switched_off": "answered 410 Gone",
        }
    ]


async def test_a_hook_is_switched_on(client: ClientSession, office: Office) -> None:
    office.receivers = [HookStanding("on call", "exec", "", pending=0, dead=0)]
    async with client.post(f"{HOOKS}/on%20call/enable", json={}) as response:
        assert await response.json() == {"status": "success", "data": None}
    assert office.asked == [("enable_hook", "on call")]


@pytest.mark.parametrize(
    ("headers", "status", "type_"),
    [({}, 404, "not_found"), ({"X-Forwarded-For": "192.0.2.1"}, 403, "forbidden")],
)
async def test_no_other_hook_is_switched_on(
    client: ClientSession, headers: dict[str, str], status: int, type_: str
) -> None:
    async with client.post(f"{HOOKS}/x/enable", json={}, headers=headers) as response:
        assert (response.status, (await response.json())["errorType"]) == (status, type_)


async def test_hooks_that_cannot_be_read_are_said(client: ClientSession, office: Office) -> None:
    office.fault = UnavailableError("the disk is full")
    async with client.get(HOOKS) as response:
        assert response.status == 503
