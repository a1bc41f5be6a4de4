from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from standardwebhooks import Webhook

from auditd.simulator.receiver import Received, Receiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY = json.dumps({"type": "alerts.firing"})


def headers(body: str = BODY, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("msg_1", at, body),
    }


@pytest.fixture
def shown() -> list[Received]:
    return []


@pytest.fixture
async def url(shown: list[Received]) -> AsyncIterator[str]:
    async with Receiver(SECRET, show=shown.append, now=lambda: NOW).serve() as bound:
        yield bound


async def post(url: str, body: str, sent: dict[str, str]) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=body, headers=sent) as answer,
    ):
        return answer.status


async def test_what_the_reference_signs_is_shown_and_a_repeat_is_said(
    url: str, shown: list[Received]
) -> None:
    assert await post(url, BODY, headers()) == 204
    assert await post(url, BODY, headers()) == 204
    assert [(it.id, it.is_repeated) for it in shown] == [("msg_1", False), ("msg_1", True)]
    assert shown[0].payload == {"type": "alerts.firing"}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (BODY + " ", headers()),
        (BODY, headers(secret="whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        (BODY, headers(at=NOW - timedelta(minutes=6))),
        (BODY, headers(at=NOW + timedelta(minutes=6))),
        (BODY, {**headers(), "webhook-timestamp": "soon"}),
        (BODY, {**headers(), "webhook-id": "msg_2"}),
        (BODY, {}),
    ],
)
async def test_what_is_not_signed_for_now_is_refused(
    url: str, shown: list[Received], body: str, sent: dict[str, str]
) -> None:
    assert await post(url, body, sent) == 401
    assert shown == []


async def test_one_good_signature_among_several_is_enough(url: str, shown: list[Received]) -> None:
    sent = headers()
    sent["webhook-signature"] = f"v1,AAAA {sent['webhook-signature']}"
    assert await post(url, BODY, sent) == 204
    assert len(shown) == 1
