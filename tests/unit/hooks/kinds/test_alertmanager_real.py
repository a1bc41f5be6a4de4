from __future__ import annotations

import asyncio
import json
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditd.alerting.events import AlertRefused, DeliveryEvent
from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.alertmanager import GOOD_FOR, AlertmanagerHook, AlertmanagerOptions
from auditd.hooks.port import HttpRequest, StateHook
from tests.unit.hooks.fakes import notified, surroundings_of

CONFIG = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


class Alertmanager:
    """A real one, on a port of its own choice at first."""

    def __init__(self, command: tuple[str, ...], directory: Path, http: HttpClient) -> None:
        self._command = command
        self._directory = directory
        self._http = http
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._address = "127.0.0.1:0"

    @property
    def url(self) -> str:
        return f"http://{self._address}"

    async def start(self) -> None:
        config = self._directory / "alertmanager.yml"
        config.write_text(CONFIG)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            f"--config.file={config}",
            f"--storage.path={self._directory}",
            f"--web.listen-address={self._address}",
            "--cluster.listen-address=",
            stderr=PIPE,
        )
        assert process.stderr
        async for line in process.stderr:
            if found := re.search(rb'"Listening on" address=(\S+)', line):
                self._address = found[1].decode()
                break
        self._process = process
        self._reading = asyncio.create_task(_drain(process.stderr))

    async def kill(self) -> None:
        if self._process and self._reading:
            self._process.kill()
            await self._process.wait()
            await self._reading

    async def active(self) -> dict[str, Any]:
        """The alerts that it takes for firing, by authorization."""
        request = HttpRequest(f"{self.url}/api/v2/alerts?active=true", b"", method="GET")
        answer = await self._http.send(request, hook="test")
        alerts = json.loads(answer.body)
        assert all(alert["status"]["state"] == "active" for alert in alerts)
        return {alert["labels"]["authorization"]: alert for alert in alerts}


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.read(4096):
        pass


@pytest.fixture
async def peer(
    alertmanager: tuple[str, ...], tmp_path: Path, http: HttpClient
) -> AsyncIterator[Alertmanager]:
    peer = Alertmanager(alertmanager, tmp_path, http)
    await peer.start()
    yield peer
    await peer.kill()


@pytest.fixture
def events() -> list[DeliveryEvent]:
    return []


@pytest.fixture
def hook(peer: Alertmanager, http: HttpClient, events: list[DeliveryEvent]) -> StateHook:
    surroundings = surroundings_of(http, emit=events.append)
    return AlertmanagerHook("am", AlertmanagerOptions(urls=(peer.url,)), surroundings)


async def test_what_fires_is_active_until_minutes_after_the_last_refresh_and_back_after_a_kill(
    peer: Alertmanager, hook: StateHook
) -> None:
    now = datetime.now(UTC)
    began_at = (now - timedelta(hours=3)).replace(microsecond=0)
    await hook.refresh([replace(notified("a"), starts_at=began_at)], now)
    active = await peer.active()
    assert datetime.fromisoformat(active["a"]["startsAt"]) == began_at
    assert datetime.fromisoformat(active["a"]["endsAt"]) >= now + GOOD_FOR - timedelta(seconds=1)
    assert active["a"]["annotations"]["summary"] == "authorization a is overdue"
    await peer.kill()
    await peer.start()
    assert await peer.active() == {}
    await hook.refresh([notified("a")], datetime.now(UTC))
    assert list(await peer.active()) == ["a"]


async def test_a_resolve_resolves(peer: Alertmanager, hook: StateHook) -> None:
    now = datetime.now(UTC)
    await hook.refresh([notified("a"), notified("b")], now)
    assert (await peer.active()).keys() == {"a", "b"}
    await hook.refresh([notified("a", end=now), notified("b")], datetime.now(UTC))
    assert (await peer.active()).keys() == {"b"}


async def test_an_alert_that_fired_before_the_clock_was_set_back_is_active(
    peer: Alertmanager, hook: StateHook
) -> None:
    now = datetime.now(UTC)
    await hook.refresh([replace(notified("a"), starts_at=now + timedelta(days=1))], now)
    assert (await peer.active()).keys() == {"a"}


async def test_a_batch_with_one_bad_alert_loses_only_that_one(
    peer: Alertmanager, hook: StateHook, events: list[DeliveryEvent]
) -> None:
    bad = notified("bad")
    bad = replace(bad, labels={**bad.labels, "not-a-label": "x"})
    alerts = [*(notified(f"a{number}") for number in range(40)), bad]
    await hook.refresh(alerts, datetime.now(UTC))
    assert len(await peer.active()) == 40
    (refused,) = (event for event in events if isinstance(event, AlertRefused))
    assert refused.fingerprint == bad.fingerprint
    assert "not-a-label" in refused.message
