from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from auditd.audit.events import CredentialRefreshed, CredentialRejected, Event
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Plugin
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.credentials.port import Surroundings
from auditd.servicestage.credentials.sdk_chain import (
    PLUGIN,
    SdkChainCredential,
    SdkChainOptions,
)
from auditd.servicestage.signing import Keys
from tests.unit.servicestage.fake_huawei import (
    CANARY,
    REFUSAL,
    START,
    FakeHuawei,
    make_cloud,
    make_project,
    now,
    poll,
    poll_all,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NOTHING_FOUND = PollError(FailureReason.AUTH, "no keys were found (environment: not set)")


@dataclass
class FakeMachine:
    """Gives keys that live for an hour, a new pair each time, unless told otherwise."""

    huawei: FakeHuawei
    life: timedelta | None = timedelta(hours=1)
    give: Callable[[int], Keys] | None = None
    error: PollError | None = None
    seconds: float = 1
    asked_at: list[float] = field(default_factory=list)

    async def find_keys(self) -> Keys:
        self.asked_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        if self.give:
            return self.give(len(self.asked_at))
        access_key = f"TAK{len(self.asked_at)}"
        self.huawei.keys.add(access_key)
        expires_at = now() + self.life if self.life else None
        return Keys(access_key, f"{CANARY}-sk", f"{CANARY}-st", expires_at)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine(FakeHuawei())


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def secrets() -> list[str]:
    return []


@pytest.fixture
def cloud(machine: FakeMachine, events: list[Event], secrets: list[str]) -> Cloud:
    def build(
        name: str, options: SdkChainOptions, surroundings: Surroundings
    ) -> SdkChainCredential:
        return SdkChainCredential(name, options, surroundings, find_keys=machine.find_keys)

    plugin = Plugin("sdk_chain", SdkChainOptions, build)
    return make_cloud(machine.huawei, plugin, SdkChainOptions(), events=events, secrets=secrets)


async def test_the_keys_are_looked_for_once_however_many_projects_wait(
    cloud: Cloud, machine: FakeMachine, events: list[Event], secrets: list[str]
) -> None:
    assert await poll_all(cloud, 50) == ["ok"] * 50
    assert len(machine.asked_at) == 1
    assert machine.huawei.sent[0][1].headers["X-Security-Token"] == f"{CANARY}-st"
    assert secrets == [f"{CANARY}-sk", f"{CANARY}-st"]
    [refreshed] = events
    assert isinstance(refreshed, CredentialRefreshed)
    assert refreshed.expires_at == cloud.credential_statuses()[0].expires_at
    assert CANARY not in repr(events)


async def test_keys_are_replaced_ten_minutes_before_their_end_and_not_before(
    cloud: Cloud, machine: FakeMachine
) -> None:
    async with cloud:
        for _ in range(48):
            assert await poll(cloud, make_project()) == "ok"
            await asyncio.sleep(300)
    gaps = [b - a for a, b in zip(machine.asked_at, machine.asked_at[1:], strict=False)]

    assert len(gaps) == 4
    assert all(50 * 60 <= gap <= 52 * 60 for gap in gaps)


async def test_a_refresh_that_fails_keeps_the_old_keys_until_their_end(
    cloud: Cloud, machine: FakeMachine, events: list[Event]
) -> None:
    async with cloud:
        await poll(cloud, make_project())
        machine.error = NOTHING_FOUND
        await asyncio.sleep(59 * 60)
        assert await poll(cloud, make_project()) == "ok"
        assert len(events) == 1
        await asyncio.sleep(2 * 60)
        assert await poll(cloud, make_project()) == "auth"
        machine.error = None
        await asyncio.sleep(2 * 60)
        assert await poll(cloud, make_project()) == "ok"

    assert min(b - a for a, b in zip(machine.asked_at, machine.asked_at[1:], strict=False)) >= 60


async def test_a_machine_without_keys_is_asked_once_a_minute_and_says_why(
    cloud: Cloud, machine: FakeMachine, events: list[Event]
) -> None:
    machine.error = NOTHING_FOUND
    outcomes = await poll_all(cloud, 20)
    with pytest.raises(PollError, match=r"'prod': no keys were found \(environment: not set\)"):
        async with cloud.turn(make_project()) as turn:
            await turn.list_authorizations()

    assert outcomes == ["auth"] * 20
    assert len(machine.asked_at) == 1
    assert not machine.huawei.sent
    [rejected] = events
    assert isinstance(rejected, CredentialRejected)
    assert rejected.held_until == START + timedelta(seconds=61)


async def test_a_search_that_hangs_is_given_up(cloud: Cloud, machine: FakeMachine) -> None:
    machine.seconds = 3600

    assert await poll(cloud, make_project()) == "auth"
    assert asyncio.get_running_loop().time() == 25


async def test_refused_keys_are_replaced_and_the_request_is_sent_once_more(
    cloud: Cloud, machine: FakeMachine
) -> None:
    await poll(cloud, make_project())
    await asyncio.sleep(120)
    machine.huawei.keys.clear()
    machine.huawei.sent.clear()

    assert await poll_all(cloud, 20) == ["ok"] * 20
    assert len(machine.asked_at) == 2
    assert len(machine.huawei.sent) <= 20 + 20


async def test_permanent_keys_that_one_project_is_refused_with_serve_the_others(
    cloud: Cloud, machine: FakeMachine
) -> None:
    machine.huawei.keys.add("AK")
    machine.give = lambda _: Keys("AK", "SK")
    await poll(cloud, make_project(2))
    await asyncio.sleep(120)
    bad = make_project(1).project_id
    machine.huawei.fault = lambda request: REFUSAL if bad in request.target else None

    assert await poll_all(cloud, 5) == ["auth"] + ["ok"] * 4
    assert cloud.credential_statuses()[0].expires_at is None


async def test_keys_that_have_ended_when_they_are_found_are_not_used(
    cloud: Cloud, machine: FakeMachine
) -> None:
    machine.life = timedelta(seconds=-1)
    with pytest.raises(PollError, match="ended at 2026-01-15"):
        async with cloud.turn(make_project()) as turn:
            await turn.list_authorizations()

    assert not machine.huawei.sent


async def test_the_plugin_asks_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", "AK")
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "SK")
    huawei = FakeHuawei(keys={"AK"})
    credential = make_cloud(huawei, PLUGIN, SdkChainOptions())._clients.of("prod").credential
    assert isinstance(credential, SdkChainCredential)

    assert await credential._find_keys() == Keys("AK", "SK")
