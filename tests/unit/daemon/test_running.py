"""Against the real API, so that the two agree."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.matcher import Matcher
from auditd.alerting.silence import Silence
from auditd.daemon.running import Fault, RunningDaemon, RunningDaemonError
from auditd.web.address import Address
from auditd.web.api import make_api
from auditd.web.guard import Guard
from auditd.web.office import HookStanding, UnavailableError
from tests.unit.store.examples import START, a_delivery
from tests.unit.web.fleet_fakes import FleetOffice

FAULTS = [
    (LookupError("there is no such thing"), Fault.MISTAKEN),
    (ValueError("it does not fire"), Fault.MISTAKEN),
    (UnavailableError("the disk is full"), Fault.UNABLE),
]


class Office:
    """Notes what it is asked, or raises."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.error: Exception | None = None

    def known(self, project: str | None = None) -> tuple[Alert, ...]:
        return ()

    def suppression(self, alert: Alert) -> str:
        return ""

    def silences(self) -> tuple[Silence, ...]:
        return ()

    async def create_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> Silence:
        self._note(tuple(map(str, matchers)), starts_at, ends_at, author, comment)
        return Silence("s1", matchers, starts_at, ends_at, author, comment)

    async def expire_silence(self, silence_id: str, author: str) -> None:
        self._note(silence_id, author)

    async def acknowledge(self, fingerprint: str, author: str, comment: str) -> None:
        self._note(fingerprint, author, comment)

    async def deliveries(
        self, state: DeliveryState | None, hook: str | None, limit: int, before: str | None
    ) -> tuple[Delivery, ...]:
        return ()

    async def delivery(self, delivery_id: str) -> Delivery:
        return a_delivery(delivery_id)

    async def replay(self, delivery_id: str) -> Delivery:
        self._note(delivery_id)
        return a_delivery(delivery_id)

    async def hooks(self) -> Sequence[HookStanding]:
        return ()

    async def enable_hook(self, name: str) -> None:
        self._note(name)

    def _note(self, *what: Any) -> None:
        if self.error:
            raise self.error
        self.asked.append(what)


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def daemon(office: Office) -> AsyncIterator[RunningDaemon]:
    app = web.Application()
    guard = Guard([Address("127.0.0.1", 0)])
    app.add_routes(make_api(office, FleetOffice(), guard, now=lambda: datetime.now(UTC)))
    async with TestServer(app) as server:
        yield RunningDaemon(str(server.make_url("/")))


async def test_a_silence_is_made(office: Office, daemon: RunningDaemon) -> None:
    ends_at = datetime.now(UTC) + timedelta(hours=1)
    created = await daemon.create_silence(
        matchers=['team=~"pay.*"'], starts_at=START, ends_at=ends_at, author="ada", comment="x"
    )
    assert created == "s1"
    assert office.asked == [(('team=~"pay.*"',), START, ends_at, "ada", "x")]


async def test_a_silence_is_ended(office: Office, daemon: RunningDaemon) -> None:
    await daemon.expire_silence("s1", "ada")
    assert office.asked == [("s1", "ada")]


async def test_an_alert_is_acknowledged(office: Office, daemon: RunningDaemon) -> None:
    await daemon.acknowledge("f1", author="ada", comment="on it")
    assert office.asked == [("f1", "ada", "on it")]


async def test_a_delivery_is_replayed(office: Office, daemon: RunningDaemon) -> None:
    await daemon.replay("d1")
    assert office.asked == [("d1",)]


async def test_a_hook_is_switched_on(office: Office, daemon: RunningDaemon) -> None:
    await daemon.enable_hook("ops/1")
    assert office.asked == [("ops/1",)]


@pytest.mark.parametrize(("error", "fault"), FAULTS)
async def test_what_the_daemon_says_is_passed_on(
    office: Office, daemon: RunningDaemon, error: Exception, fault: Fault
) -> None:
    office.error = error
    with pytest.raises(RunningDaemonError, match=str(error)) as caught:
        await daemon.replay("d1")
    assert caught.value.fault is fault


async def test_an_id_cannot_lead_elsewhere(office: Office, daemon: RunningDaemon) -> None:
    with pytest.raises(RunningDaemonError, match="404") as caught:
        await daemon.replay("../silences")
    assert caught.value.fault is Fault.MISTAKEN
    assert office.asked == []


async def test_nobody_at_the_address_is_told(unused_tcp_port: int) -> None:
    with pytest.raises(RunningDaemonError, match="no daemon answers at") as caught:
        await RunningDaemon(f"http://127.0.0.1:{unused_tcp_port}").replay("d1")
    assert caught.value.fault is Fault.UNREACHABLE


async def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    hung_up = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        daemon = RunningDaemon(f"http://127.0.0.1:{port}", deadline_seconds=0.05)
        with pytest.raises(RunningDaemonError, match="there was no answer in time") as caught:
            await daemon.replay("d1")
        await hung_up.wait()
    assert caught.value.fault is Fault.UNREACHABLE
