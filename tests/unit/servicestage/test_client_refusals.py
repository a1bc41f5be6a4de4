from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from auditd.audit.events import CredentialRejected, Event
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.credentials import aksk, token
from auditd.servicestage.message import Answer, Request
from tests.unit.servicestage.fake_huawei import (
    CANARY,
    CONNECTION_REFUSED,
    REFUSAL,
    START,
    FakeHuawei,
    FakeSecret,
    answer,
    make_cloud,
    make_project,
    poll,
    poll_all,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ACCESS_KEY = FakeSecret("AK1")
KEYS = aksk.AkSkOptions(access_key=ACCESS_KEY, secret_key=FakeSecret(f"{CANARY}-sk"))
THROTTLED = answer(429, {"error_code": "APIGW.0308", "error_msg": "too many"}, retry_after="40")


@pytest.fixture
def huawei() -> FakeHuawei:
    return FakeHuawei(keys={"AK1"})


def refused_for(number: int) -> Callable[[Request], Answer | None]:
    return lambda request: REFUSAL if f"/{number:032x}/" in request.target else None


@pytest.mark.parametrize("latency_seconds", [0.1, 3])
async def test_a_wrong_key_with_fifty_projects_sends_two_requests_at_most(
    latency_seconds: float,
) -> None:
    events: list[Event] = []
    huawei = FakeHuawei(latency_seconds=latency_seconds)
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, events=events)
    outcomes = await poll_all(cloud, 50)
    outcomes += await poll_all(cloud, 50)

    assert outcomes == ["auth"] * 100
    assert len(huawei.sent) == (1 if latency_seconds < 1 else 2)
    [rejected] = events
    assert isinstance(rejected, CredentialRejected)
    assert rejected.scope == ""
    assert rejected.held_until == START + timedelta(seconds=latency_seconds + 305)
    assert CANARY not in repr(events)


async def test_a_wrong_key_is_tried_once_in_five_minutes_so_that_it_never_locks() -> None:
    huawei = FakeHuawei()
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    for _ in range(60):
        await poll_all(cloud, 10)
        await asyncio.sleep(60)

    assert len(huawei.sent) <= 60 * 60 / 300


async def test_a_key_that_a_wrong_clock_had_refused_is_used_once_the_clock_was_set(
    huawei: FakeHuawei,
) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    huawei.fault = lambda _: REFUSAL
    assert await poll_all(cloud, 50) == ["auth"] * 50
    huawei.fault = lambda _: None
    assert await poll_all(cloud, 50) == ["auth"] * 50
    cloud.lift_holds()

    assert await poll_all(cloud, 50) == ["ok"] * 50
    assert len(huawei.sent) == 51


async def test_a_rotated_key_is_used_without_waiting_for_the_hold_to_end() -> None:
    huawei, access_key = FakeHuawei(keys={"AK2"}), FakeSecret("AK1")
    options = aksk.AkSkOptions(access_key=access_key, secret_key=FakeSecret("SK"))
    cloud = make_cloud(huawei, aksk.PLUGIN, options)
    assert await poll_all(cloud, 5) == ["auth"] * 5
    access_key.value = "AK2"

    assert await poll_all(cloud, 5) == ["ok"] * 5
    assert len(huawei.sent) == 6


async def test_a_revoked_key_sends_those_under_way_and_one_more(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, concurrency=4)
    assert await poll_all(cloud, 50) == ["ok"] * 50
    huawei.keys.clear()
    huawei.sent.clear()

    assert await poll_all(cloud, 50) == ["auth"] * 50
    assert len(huawei.sent) <= 5


async def test_one_misconfigured_project_blinds_nobody_else(huawei: FakeHuawei) -> None:
    huawei.fault = refused_for(7)
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    for _ in range(20):
        outcomes = await poll_all(cloud, 20)
        assert outcomes == ["ok"] * 6 + ["auth"] + ["ok"] * 13
        await asyncio.sleep(60)


async def test_a_misconfigured_project_that_comes_first_blinds_the_others_once_only(
    huawei: FakeHuawei,
) -> None:
    huawei.fault = refused_for(1)
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    assert await poll_all(cloud, 5) == ["auth"] * 5
    await asyncio.sleep(310)

    for _ in range(20):
        assert await poll_all(cloud, 5) == ["auth"] + ["ok"] * 4
        await asyncio.sleep(60)


@pytest.mark.parametrize("status", [403, 404, 400])
async def test_an_error_from_behind_authentication_proves_the_key(status: int) -> None:
    huawei = FakeHuawei(latency_seconds=1)
    huawei.fault = lambda _: answer(status, {"error_code": "X.1", "error_msg": "no"})
    await poll_all(make_cloud(huawei, aksk.PLUGIN, KEYS), 30)

    assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("status", [500, 503, 302, 407])
async def test_a_server_error_is_no_verdict_on_the_key(status: int) -> None:
    huawei = FakeHuawei()
    huawei.fault = lambda _: answer(status)
    await poll_all(make_cloud(huawei, aksk.PLUGIN, KEYS), 30)

    assert huawei.most_under_way == 1
    assert len(huawei.sent) == 30


async def test_a_network_fault_passes_the_turn_on(huawei: FakeHuawei) -> None:
    faults = iter([CONNECTION_REFUSED] * 3)
    huawei.fault = lambda _: next(faults, None)

    assert await poll_all(make_cloud(huawei, aksk.PLUGIN, KEYS), 10) == ["connect"] * 3 + ["ok"] * 7


async def test_a_429_holds_every_project_until_retry_after(huawei: FakeHuawei) -> None:
    once = iter([THROTTLED])
    huawei.fault = lambda _: next(once, None)
    outcomes = await poll_all(make_cloud(huawei, aksk.PLUGIN, KEYS), 20)

    assert outcomes == ["throttled"] + ["ok"] * 19
    assert min(at for at, _ in huawei.sent[1:]) == pytest.approx(40.1)


async def test_a_429_fails_at_once_who_is_polled_more_often_than_it_lasts(
    huawei: FakeHuawei,
) -> None:
    huawei.fault = lambda _: THROTTLED
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    await poll(cloud, make_project())
    hasty = make_project(2, poll_interval=timedelta(seconds=30))

    assert await poll(cloud, hasty) == "throttled"
    assert asyncio.get_running_loop().time() == pytest.approx(0.1)
    assert len(huawei.sent) == 1


async def test_a_held_credential_takes_no_places_from_another(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, concurrency=1)
    await poll_all(cloud, 2)
    huawei.fault = lambda _: answer(429, {}, retry_after="200")
    await poll(cloud, make_project())
    waiting = asyncio.create_task(poll(cloud, make_project(2)))
    await asyncio.sleep(10)
    places = cloud._clients.of("prod")._channel._places

    assert places.take()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_a_fixed_token_is_sent_whatever_its_length_and_reread_after_a_401() -> None:
    huawei, secret = FakeHuawei(), FakeSecret("x" * 30_000)
    huawei.tokens[secret.value] = None
    cloud = make_cloud(huawei, token.PLUGIN, token.TokenOptions(token=secret))
    assert await poll(cloud, make_project()) == "ok"
    huawei.tokens = {"renewed": None}

    def rotate(_: Request) -> None:
        secret.value = "renewed"

    huawei.fault = rotate
    assert await poll(cloud, make_project()) == "ok"
    assert len(huawei.sent) == 3


async def test_a_further_request_does_not_wait_at_the_gate_with_a_place_in_its_hands(
    huawei: FakeHuawei,
) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, concurrency=1)
    async with cloud.turn(make_project()) as turn:
        await turn.list_authorizations()
        huawei.fault = lambda _: THROTTLED
        with pytest.raises(PollError):
            await turn.verify("gh-main")
        with pytest.raises(PollError) as caught:
            await turn.verify("gh-main")

    assert caught.value.reason is FailureReason.THROTTLED
    assert asyncio.get_running_loop().time() < 1
