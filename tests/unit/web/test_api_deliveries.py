from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientSession

from auditd.alerting.delivery import DeliveryState
from auditd.web.office import UnavailableError
from tests.unit.web.fakes import Office, delivery_of

PATH = "/api/v1/deliveries"
SHOWN = {
    "id": "d-1",
    "hook": "ops",
    "group_key": "ops{}:{}",
    "state": "pending",
    "attempts": 3,
    "last_error": "hook 'ops': 503",
    "created_at": "2026-06-01T11:00:00Z",
    "next_at": "2026-06-01T12:00:00Z",
    "settled_at": None,
    "status": "firing",
    "reason": "new",
    "alerts": 3,
}


@pytest.fixture(autouse=True)
def _owed(office: Office) -> None:
    office.owed = {"d-1": delivery_of("d-1"), "d-2": delivery_of("d-2", DeliveryState.DEAD)}


async def test_deliveries_are_listed_without_what_they_say(
    client: ClientSession, office: Office
) -> None:
    async with client.get(PATH) as response:
        assert response.status == 200
        document = await response.json()
    assert document["data"][0] == SHOWN
    assert document["data"][1]["next_at"] is None
    assert document["data"][1]["settled_at"] == "2026-06-01T12:00:00Z"
    assert office.asked == [("deliveries", None, None, 101, None)]


async def test_deliveries_are_listed_page_by_page(client: ClientSession, office: Office) -> None:
    async with client.get(f"{PATH}?state=dead&hook=null&limit=1") as response:
        assert response.status == 200
        document = await response.json()
    assert [shown["id"] for shown in document["data"]] == ["d-1"]
    query = {"limit": "1000", "cursor": document["next"]}
    async with client.get(PATH, params=query) as response:
        assert "next" not in await response.json()
    assert office.asked == [
        ("deliveries", DeliveryState.DEAD, "null", 2, None),
        ("deliveries", None, None, 1001, "d-1"),
    ]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=0", "limit: Expected `int` >= 1"),
        ("limit=1001", "limit: Expected `int` <= 1000"),
        ("limit=many", "limit: Expected `int`, got `str`"),
        ("limit=1&limit=2", "limit: give it once"),
        ("state=lost", "state: Invalid enum value 'lost'"),
        ("state=null", "state: Invalid enum value 'null'"),
        ("state=", "state: Invalid enum value ''"),
        ("hook=" + "a" * 257, "hook: Expected `str` of length <= 256"),
        ("hooks=ops", "Object contains unknown field `hooks`"),
        ("hook=%00", "hook: has characters that cannot be printed"),
        ("cursor=d%E2%80%AE1", "cursor: has characters that cannot be printed"),
        ("cursor=d-1", "cursor: must be the `next` of the page before"),
        ("before=d-1", "Object contains unknown field `before`"),
    ],
)
async def test_a_bad_query_is_named(client: ClientSession, query: str, message: str) -> None:
    async with client.get(f"{PATH}?{query}") as response:
        document = await response.json()
    assert (response.status, document["errorType"]) == (400, "bad_data")
    assert document["error"].startswith(message)


async def test_one_delivery_is_shown_with_what_it_says(client: ClientSession) -> None:
    async with client.get(f"{PATH}/d-1") as response:
        assert response.status == 200
        data = (await response.json())["data"]
    notification = data.pop("notification")
    (attempt,) = data.pop("tried")
    assert attempt == {
        "at": "2026-06-01T11:00:00Z",
        "outcome": "failed",
        "detail": "hook 'ops': 503",
    }
    assert data == SHOWN
    assert notification["truncated"] == 2
    assert notification["alerts"][0]["starts_at"] == "2026-06-01T11:00:00Z"
    assert notification["alerts"][0]["labels"]["authorization"] == "gh-main"


@pytest.mark.parametrize("id_", ["d-9", "a.b", "%ED%A0%80", "%00", "d%2F1", "a" * 129])
async def test_a_delivery_that_is_not_there_is_not_found(client: ClientSession, id_: str) -> None:
    async with client.get(f"{PATH}/{id_}") as response:
        assert response.status == 404
        assert (await response.json())["errorType"] == "not_found"


@pytest.mark.parametrize(
    ("id_", "status", "state"),
    [("d-2", 200, "pending"), ("d-1", 400, None), ("d-9", 404, None)],
)
async def test_only_a_dead_delivery_is_replayed(
    client: ClientSession, id_: str, status: int, state: str | None
) -> None:
    async with client.post(f"{PATH}/{id_}/replay", json={}) as response:
        assert response.status == status
        document = await response.json()
    assert document.get("data", {}).get("state") == state


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/d-1", None),
        ("POST", "/d-2/replay", {}),
        ("POST", "/../silences", {"matchers": ["a=b"], "ends_at": "2027-01-01T00:00:00Z"}),
        ("DELETE", "/../silences/s-1", {}),
        ("POST", "/../alerts/0/acknowledge", {}),
    ],
)
async def test_state_that_cannot_be_used_is_said(
    client: ClientSession, office: Office, method: str, path: str, body: Any
) -> None:
    office.fault = UnavailableError("the state in /x cannot be written: the disk is full")
    if body:
        body |= {"author": "ann", "comment": ""}
    elif method == "DELETE" or "acknowledge" in path:
        body = {"author": "ann"}
    async with client.request(method, f"{PATH}{path}", json=body) as response:
        assert response.status == 503
        assert await response.json() == {
            "status": "error",
            "errorType": "unavailable",
            "error": "the state in /x cannot be written: the disk is full",
        }
