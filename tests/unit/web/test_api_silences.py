from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from auditd.alerting.matcher import Matcher, Operator
from tests.unit.web.fakes import HOUR, NOW, Office, silence_of

PATH = "/api/v1/silences"
WANTED: dict[str, Any] = {
    "matchers": ['authorization=~"legacy-.*"', "project=payments"],
    "starts_at": "2026-06-01T20:00:00+02:00",
    "ends_at": "2026-06-02T12:00:00Z",
    "author": "ann@acme.example",
    "comment": "迁移\u3000PLAT-42\nuntil June",
}


async def post(client: ClientSession, **changes: Any) -> Any:
    body = {key: value for key, value in (WANTED | changes).items() if value is not ...}
    async with client.post(PATH, json=body) as response:
        return response.status, await response.json()


async def test_silences_are_listed_with_their_state(client: ClientSession, office: Office) -> None:
    office.kept = [
        silence_of("s-1"),
        silence_of("s-2", starts_at=NOW),
        silence_of("s-3", starts_at=NOW + HOUR),
        silence_of("s-4", hours=1),
    ]
    async with client.get(PATH) as response:
        document = await response.json()
    assert document["status"] == "success"
    assert [(shown["id"], shown["state"]) for shown in document["data"]] == [
        ("s-1", "active"),
        ("s-4", "expired"),
        ("s-2", "active"),
        ("s-3", "pending"),
    ]
    assert document["data"][0] == {
        "id": "s-1",
        "state": "active",
        "matchers": ['project="payments"'],
        "starts_at": "2026-06-01T11:00:00Z",
        "ends_at": "2026-06-01T13:00:00Z",
        "author": "ann",
        "comment": "move",
    }


async def test_a_silence_is_made_in_utc(client: ClientSession, office: Office) -> None:
    status, document = await post(client)
    assert status == 200
    assert document["data"]["id"] == "s-new"
    assert document["data"]["starts_at"] == "2026-06-01T18:00:00Z"
    assert document["data"]["matchers"] == ['authorization=~"legacy-.*"', 'project="payments"']
    assert office.asked == [
        (
            "create_silence",
            (
                Matcher("authorization", Operator.FITS, "legacy-.*"),
                Matcher("project", Operator.EQUAL, "payments"),
            ),
            datetime(2026, 6, 1, 18, tzinfo=UTC),
            datetime(2026, 6, 2, 12, tzinfo=UTC),
            "ann@acme.example",
            "迁移\u3000PLAT-42\nuntil June",
        )
    ]


@pytest.mark.parametrize("starts_at", [None, ...])
async def test_a_silence_begins_now_unless_it_is_said(
    client: ClientSession, starts_at: object
) -> None:
    status, document = await post(client, starts_at=starts_at)
    assert (status, document["data"]["starts_at"]) == (200, "2026-06-01T12:00:00Z")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"author": ...}, "Object missing required field `author`"),
        ({"author": ""}, "author: Expected `str` of length >= 1"),
        ({"author": " "}, "author: must not be empty"),
        ({"author": "a\nb"}, "author: has characters that cannot be printed"),
        ({"author": "a" * 201}, "author: Expected `str` of length <= 200"),
        ({"author": 7}, "author: Expected `str`, got `int`"),
        ({"comment": "a\x00"}, "comment: has characters that cannot be printed"),
        ({"comment": "a" * 2001}, "comment: Expected `str` of length <= 2000"),
        ({"expires": 1}, "Object contains unknown field `expires`"),
        ({"matchers": "a=b"}, "matchers: Expected `array`, got `str`"),
        ({"matchers": ["a=b", "a~b"]}, "matchers[1]: expected one matcher"),
        ({"matchers": ["a=" + "b" * 1023]}, "matchers[0]: Expected `str` of length <= 1024"),
        ({"matchers": ["a=b"] * 17}, "matchers: Expected `array` of length <= 16"),
        ({"matchers": ["a=~(a*)*"]}, "matchers[0]: this regular expression may take for ever"),
        ({"matchers": []}, "a silence needs a matcher"),
        ({"matchers": ["a=~.*"]}, "a silence needs a matcher"),
        ({"ends_at": "2026-06-01T17:59:59Z"}, "a silence must end after it begins"),
        ({"ends_at": "2026-06-01T12:00:00Z"}, "ends_at: must not have passed"),
        ({"ends_at": "2026-07-01T12:00:00"}, "ends_at: Expected `datetime` with a timezone"),
        ({"ends_at": "tomorrow"}, "ends_at: Invalid RFC3339 encoded datetime"),
        ({"ends_at": 1}, "ends_at: Expected `datetime`, got `int`"),
        ({"ends_at": "9999-12-31T23:59:59-01:00"}, "ends_at: is out of range"),
        ({"starts_at": "0001-01-01T00:00:00+01:00"}, "starts_at: is out of range"),
    ],
)
async def test_a_silence_that_cannot_be_is_refused_by_field(
    client: ClientSession, office: Office, changes: dict[str, Any], message: str
) -> None:
    status, document = await post(client, **changes)
    assert (status, document["errorType"]) == (400, "bad_data")
    assert document["error"].startswith(message)


async def test_a_silence_is_ended(client: ClientSession, office: Office) -> None:
    office.kept = [silence_of("s-1")]
    async with client.delete(f"{PATH}/s-1", json={"author": "ann"}) as response:
        assert response.status == 200
        assert await response.json() == {"status": "success", "data": None}
    assert office.asked == [("expire_silence", "s-1", "ann")]


async def test_a_silence_that_is_not_there_is_not_ended(client: ClientSession) -> None:
    async with client.delete(f"{PATH}/s-9", json={"author": "ann"}) as response:
        assert response.status == 404
        assert await response.json() == {
            "status": "error",
            "errorType": "not_found",
            "error": "there is no silence s-9",
        }
