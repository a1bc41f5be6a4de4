from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from auditd.alerting.alert import AlertState
from tests.unit.web.fakes import Office, alert_of

MAIN = alert_of("gh-main")
SIDE = alert_of("gh-side", "billing", AlertState.PENDING)


@pytest.fixture(autouse=True)
def _known(office: Office) -> None:
    office.stock = [(MAIN, "silenced"), (SIDE, "")]


async def alerts(client: ClientSession, query: str = "") -> Any:
    async with client.get(f"/api/v1/alerts{query}") as response:
        return response.status, await response.json()


async def test_an_alert_is_shown_with_its_age_and_what_suppresses_it(client: ClientSession) -> None:
    status, document = await alerts(client, "?project=payments")
    assert status == 200
    assert document == {
        "status": "success",
        "data": [
            {
                "fingerprint": MAIN.fingerprint,
                "state": "firing",
                "suppression": "silenced",
                "labels": MAIN.labels,
                "annotations": {
                    "summary": "gh-main is overdue",
                    "since": "2026-05-30T10:00:00Z",
                    "age": "2d2h",
                },
                "active_at": "2026-06-01T11:00:00Z",
                "fired_at": "2026-06-01T11:00:00Z",
                "resolved_at": None,
                "end_reason": None,
                "last_seen_at": "2026-06-01T12:00:00Z",
                "is_flapping": False,
            }
        ],
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [SIDE, MAIN]),
        ("?state=firing", [MAIN]),
        ("?state=pending&state=firing", [SIDE, MAIN]),
        ("?state=resolved", []),
        ("?project=billing", [SIDE]),
        ("?project=billing&project=payments", [SIDE, MAIN]),
        ("?project=billing&state=firing", []),
        ("?alertname=GitAuthorizationOverdue", [SIDE, MAIN]),
        ("?alertname=GitAuthorization", []),
        ('?filter=authorization="gh-main"', [MAIN]),
        ("?filter=authorization!=gh-main", [SIDE]),
        ('?filter=authorization=~"gh-.*"&filter=project=billing', [SIDE]),
        ("?filter=team=", [SIDE, MAIN]),
    ],
)
async def test_alerts_are_filtered(client: ClientSession, query: str, expected: list[Any]) -> None:
    status, document = await alerts(client, query)
    assert status == 200
    assert [shown["fingerprint"] for shown in document["data"]] == [
        alert.fingerprint for alert in expected
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("?state=open", "state[0]: Invalid enum value 'open'"),
        ("?stat=firing", "Object contains unknown field `stat`"),
        ("?filter=a=b&filter=nonsense", "filter[1]: expected one matcher"),
        ("?filter=", "filter[0]: must not be empty"),
        ("?filter=a=%00", "filter[0]: has characters that cannot be printed"),
        ("?filter=a=~(", "filter[0]: the matcher of label a has no usable regular expression"),
        ("?filter=a=~(a%2b)%2b", "filter[0]: this regular expression may take for ever"),
        ("?filter=" + "a" * 1025, "filter[0]: Expected `str` of length <= 1024"),
        ("?" + "filter=a=b&" * 17, "filter: Expected `array` of length <= 16"),
        ("?%ED%A0%80=1", "Object contains unknown field"),
    ],
)
async def test_a_bad_query_is_named(client: ClientSession, query: str, message: str) -> None:
    status, document = await alerts(client, query)
    assert (status, document["status"], document["errorType"]) == (400, "error", "bad_data")
    assert document["error"].startswith(message)


async def test_others_may_read_but_not_filter_by_regular_expressions(client: ClientSession) -> None:
    proxied = {"X-Forwarded-For": "192.0.2.1"}
    async with client.get('/api/v1/alerts?filter=a="b"', headers=proxied) as response:
        assert response.status == 200
    for operator in ("=~", "!~"):
        url = f"/api/v1/alerts?filter=a{operator}b"
        async with client.get(url, headers=proxied) as response:
            assert response.status == 403
            assert (await response.json())["errorType"] == "forbidden"


async def test_a_firing_alert_is_acknowledged(client: ClientSession, office: Office) -> None:
    url = f"/api/v1/alerts/{MAIN.fingerprint}/acknowledge"
    async with client.post(url, json={"author": "ann", "comment": "on it\nsoon"}) as response:
        assert response.status == 200
        assert await response.json() == {"status": "success", "data": None}
    assert office.asked == [("acknowledge", MAIN.fingerprint, "ann", "on it\nsoon")]


@pytest.mark.parametrize(
    ("fingerprint", "status", "type_"),
    [
        (SIDE.fingerprint, 400, "bad_data"),
        ("0" * 32, 404, "not_found"),
        ("%ED%A0%80", 404, "not_found"),
        ("a%20b", 404, "not_found"),
    ],
)
async def test_another_alert_is_not_acknowledged(
    client: ClientSession, fingerprint: str, status: int, type_: str
) -> None:
    url = f"/api/v1/alerts/{fingerprint}/acknowledge"
    async with client.post(url, json={"author": "ann"}) as response:
        assert response.status == status
        assert (await response.json())["errorType"] == type_
