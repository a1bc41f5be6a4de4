from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession

from tests.unit.web.asking import get
from tests.unit.web.fleet_fakes import (
    HOSTILE,
    FleetOffice,
    authorization_of,
    entry_of,
    project_of,
    snapshot_of,
)

pytestmark = pytest.mark.usefixtures("known")


async def test_a_project_is_shown_with_how_well_it_is_seen(client: ClientSession) -> None:
    project = (await get(client, "/projects/payments"))["data"]
    assert project == {
        "name": "payments",
        "project_id": "id-payments",
        "region": "cn-north-4",
        "credential": "prod",
        "labels": {"team": "pay"},
        "state": "up",
        "poll_interval_seconds": 300.0,
        "attempted_at": "2026-06-01T11:00:00Z",
        "succeeded_at": "2026-06-01T11:00:00Z",
        "next_poll_at": "2026-06-01T13:00:00Z",
        "failure": None,
        "failure_message": "",
        "failures_in_a_row": 0,
        "authorizations": {"normal": 1, "overdue": 1},
        "findings": {"critical": 1},
    }


async def test_a_blind_project_says_why(client: ClientSession) -> None:
    project = (await get(client, "/projects/prod%2Feu-west-101"))["data"]
    assert (project["state"], project["failure"]) == ("blind", "dns")
    assert project["failure_message"] == "no such host"
    assert project["authorizations"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["billing", "payments", "prod/eu-west-101"]),
        ({"project": ["payments", "nobody"]}, ["payments"]),
        ({"state": "blind"}, ["prod/eu-west-101"]),
        ({"status": "overdue"}, ["payments"]),
        ({"check": ["stale", "blind"]}, ["billing", "prod/eu-west-101"]),
        ({"severity": "critical"}, ["payments", "prod/eu-west-101"]),
        ({"check": "stale", "severity": "critical"}, []),
        ({"filter": "team=pay"}, ["payments"]),
        ({"filter": ['team=""', 'project=~"b.*"']}, ["billing"]),
        ({"q": "EU-WEST"}, ["prod/eu-west-101"]),
    ],
)
async def test_projects_are_filtered(
    client: ClientSession, query: dict[str, Any], expected: list[str]
) -> None:
    shown = (await get(client, "/projects", **query))["data"]
    assert [project["name"] for project in shown] == expected


async def test_an_authorization_is_shown_with_what_was_found(client: ClientSession) -> None:
    shown = (await get(client, "/projects/payments/authorizations/gh-main"))["data"]
    assert shown == {
        "project": "payments",
        "name": "gh-main",
        "repo_type": "github",
        "repo_host": "https://github.com",
        "repo_user": "tom",
        "token_type": "oauth",
        "tag": "",
        "status": "overdue",
        "raw_status": "0",
        "created_at": "2026-05-30T12:00:00Z",
        "created_at_fault": None,
        "updated_at": "2026-05-31T12:00:00Z",
        "updated_at_fault": None,
        "stale_at": "2026-06-01T13:00:00Z",
        "verdict": "works",
        "verified_at": "2026-06-01T12:00:00Z",
        "seen_at": "2026-06-01T11:00:00Z",
        "findings": [
            {
                "project": "payments",
                "authorization": "gh-main",
                "check": "overdue",
                "alertname": "GitAuthorizationOverdue",
                "severity": "critical",
                "summary": "github authorization gh-main is overdue",
                "since": "2026-06-01T11:00:00Z",
            }
        ],
    }


async def test_any_name_can_be_asked_for(client: ClientSession) -> None:
    path = f"/projects/billing/authorizations/{quote(HOSTILE, safe='')}"
    shown = (await get(client, path))["data"]
    assert (shown["name"], shown["updated_at"], shown["updated_at_fault"]) == (
        HOSTILE,
        None,
        "zero",
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [HOSTILE, "gh-main", "gh-side"]),
        ({"project": "payments"}, ["gh-main", "gh-side"]),
        ({"authorization": ["gh-side", HOSTILE]}, [HOSTILE, "gh-side"]),
        ({"status": ["overdue", "unknown"]}, ["gh-main"]),
        ({"check": "stale"}, [HOSTILE]),
        ({"severity": "critical"}, ["gh-main"]),
        ({"filter": 'authorization!~"gh-.*"'}, [HOSTILE]),
        ({"filter": "status=normal", "q": "ANN"}, [HOSTILE]),
        ({"q": "nobody"}, []),
    ],
)
async def test_authorizations_are_filtered(
    client: ClientSession, query: dict[str, Any], expected: list[str]
) -> None:
    shown = (await get(client, "/authorizations", **query))["data"]
    assert [authorization["name"] for authorization in shown] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["stale", "overdue", "blind"]),
        ({"check": "blind"}, ["blind"]),
        ({"severity": "warning"}, ["stale"]),
        ({"status": "overdue"}, ["overdue"]),
        ({"filter": "alertname=ProjectBlind"}, ["blind"]),
        ({"filter": "team=pay"}, ["overdue"]),
        ({"q": "IS STALE"}, ["stale"]),
    ],
)
async def test_findings_are_filtered(
    client: ClientSession, query: dict[str, Any], expected: list[str]
) -> None:
    shown = (await get(client, "/findings", **query))["data"]
    assert [finding["check"] for finding in shown] == expected


async def test_pages_follow_each_other_whatever_comes_and_goes(
    client: ClientSession, fleet: FleetOffice
) -> None:
    seen = []
    page = await get(client, "/authorizations", limit=1)
    seen.append(page["data"][0]["name"])
    del fleet.known["billing"]  # the one that was shown
    fleet.put(snapshot_of(project_of("accounts"), authorization_of("late")))
    while "next" in page:
        page = await get(client, "/authorizations", limit=1, cursor=page["next"])
        seen += [authorization["name"] for authorization in page["data"]]
    assert seen == [HOSTILE, "gh-main", "gh-side"]


async def test_a_history_is_shown_page_by_page(client: ClientSession, fleet: FleetOffice) -> None:
    fleet.entries = [entry_of(9), entry_of(5)]
    path = "/projects/payments/authorizations/gh-main/history"
    page = await get(client, path, limit=1, since="2026-06-01T00:00:00+02:00")
    (shown,) = page["data"]
    assert (shown["seq"], shown["kind"]) == (9, "finding.flagged")
    assert shown["finding"]["summary"] == "github authorization gh-main is overdue"
    assert shown["listed"]["status"] == "overdue"
    page = await get(client, path, limit=1, cursor=page["next"])
    assert [it["seq"] for it in page["data"]] == [5]
    assert "next" not in page
    assert [call[:3] + call[4:] for call in fleet.asked] == [
        ("history", "payments", "gh-main", None, 2),
        ("history", "payments", "gh-main", 9, 2),
    ]


async def test_the_history_of_a_project_is_of_all_in_it(
    client: ClientSession, fleet: FleetOffice
) -> None:
    assert (await get(client, "/projects/gone/history"))["data"] == []
    assert fleet.asked == [("history", "gone", None, None, None, 101)]
