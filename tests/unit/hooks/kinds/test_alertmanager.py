from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from auditd.alerting.events import (
    AlertRefused,
    DeliveryEvent,
    SendFailure,
    StateFailed,
    StateSent,
)
from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.alertmanager import (
    BATCH,
    PLUGIN,
    REFUSED_LIMIT,
    AlertmanagerHook,
    AlertmanagerOptions,
)
from auditd.hooks.port import StateHook
from tests.unit.hooks.conftest import Receiver
from tests.unit.hooks.fakes import START, Text, notified, surroundings_of

Answer: TypeAlias = Callable[[list[Any]], web.Response]
NOW = START + timedelta(hours=2)


class Peer:
    """An Alertmanager that refuses alerts whose authorization begins with `bad`."""

    def __init__(self) -> None:
        self.url = ""
        self.batches: list[list[Any]] = []
        self.taken: dict[str, Any] = {}
        self.refusal = 400

    async def handle(self, request: web.Request) -> web.Response:
        assert request.path == "/am/api/v2/alerts"
        alerts = await request.json()
        self.batches.append(alerts)
        if any(alert["labels"]["authorization"].startswith("bad") for alert in alerts):
            return web.Response(status=self.refusal, text='"invalid label"')
        self.taken.update((alert["labels"]["authorization"], alert) for alert in alerts)
        return web.Response()


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    peers = [Peer(), Peer()]
    async with AsyncExitStack() as opened:
        for peer in peers:
            app = web.Application()
            app.router.add_post("/{tail:.*}", peer.handle)
            runner = web.AppRunner(app)
            await runner.setup()
            opened.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}/am/"
        yield peers


def _hook(http: HttpClient, events: list[DeliveryEvent], *urls: str, **options: Any) -> StateHook:
    chosen = AlertmanagerOptions(urls=urls, **options)
    return AlertmanagerHook("am", chosen, surroundings_of(http, emit=events.append))


async def test_every_peer_is_told_what_fires_and_what_ended(
    http: HttpClient, peers: list[Peer]
) -> None:
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, *(peer.url for peer in peers))
    await hook.refresh([notified("a"), notified("b", end=START + timedelta(hours=1))], NOW)
    for peer in peers:
        assert peer.taken["a"] == {
            "labels": dict(notified("a").labels),
            "annotations": dict(notified("a").annotations),
            "startsAt": "2026-11-24T12:00:00Z",
            "endsAt": "2026-11-24T14:04:00Z",
            "generatorURL": "https://console.example.com/?agencyId=1&region=r",
        }
        assert peer.taken["b"]["endsAt"] == "2026-11-24T13:00:00Z"
    assert {(type(event), event.peer) for event in events if isinstance(event, StateSent)} == {
        (StateSent, 0),
        (StateSent, 1),
    }


@pytest.mark.parametrize("refusal", [400, 413, 422])
async def test_only_the_bad_alert_of_a_batch_is_lost_and_it_is_told_once(
    http: HttpClient, peers: list[Peer], refusal: int
) -> None:
    peers[0].refusal = refusal
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, peers[0].url)
    alerts = [notified(f"ok-{number}") for number in range(100)]
    alerts.insert(37, notified("bad"))
    await hook.refresh(alerts, NOW)
    assert len(peers[0].taken) == 100
    refused, sent = sorted(events, key=lambda event: type(event).__name__)
    assert isinstance(refused, AlertRefused)
    assert refused.message == '"invalid label"'
    assert refused.fingerprint == notified("bad").fingerprint
    assert isinstance(sent, StateSent)
    assert sent.alerts == 100
    peers[0].batches.clear()
    await hook.refresh(alerts, NOW)
    assert [len(batch) for batch in peers[0].batches] == [100, 1]
    assert [type(event) for event in events].count(AlertRefused) == 1


async def test_an_alert_that_is_refused_no_more_is_told_again(
    http: HttpClient, peers: list[Peer]
) -> None:
    peers[0].refusal = 400
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, peers[0].url)
    await hook.refresh([notified("bad")], NOW)
    peers[0].refusal = 200
    await hook.refresh([notified("bad")], NOW)
    peers[0].refusal = 400
    await hook.refresh([notified("bad")], NOW)
    assert [type(event) for event in events].count(AlertRefused) == 2


async def test_a_peer_that_refuses_everything_has_failed(
    http: HttpClient, peers: list[Peer]
) -> None:
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, peers[0].url)
    await hook.refresh([notified(f"bad-{number}") for number in range(100)], NOW)
    (failed,) = (event for event in events if isinstance(event, StateFailed))
    assert failed.reason is SendFailure.REFUSED
    assert len(peers[0].batches) < 4 * REFUSED_LIMIT


async def test_a_dead_peer_delays_no_other(http: HttpClient, peers: list[Peer]) -> None:
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, "http://127.0.0.1:9", peers[1].url)
    await hook.refresh([notified("a")], NOW)
    assert list(peers[1].taken) == ["a"]
    (failed,) = (event for event in events if isinstance(event, StateFailed))
    assert (failed.peer, failed.reason) == (0, SendFailure.CONNECT)
    assert "127.0.0.1:9" not in failed.message.replace("('127.0.0.1', 9)", "")


async def test_many_alerts_go_in_batches(http: HttpClient, peers: list[Peer]) -> None:
    hook = _hook(http, [], peers[0].url)
    await hook.refresh([notified(f"a{number}") for number in range(2 * BATCH + 1)], NOW)
    assert [len(batch) for batch in peers[0].batches] == [BATCH, BATCH, 1]


async def test_other_statuses_are_failures_of_the_peer(
    http: HttpClient, receiver: Receiver
) -> None:
    events: list[DeliveryEvent] = []
    hook = _hook(http, events, receiver.url, authorization=Text("Basic abcdefghij"))
    for status, reason in ((401, SendFailure.REFUSED), (503, SendFailure.SERVER)):
        receiver.answers = [web.Response(status=status, text="Basic abcdefghij")]
        await hook.refresh([notified("a")], NOW)
        failed = events[-1]
        assert isinstance(failed, StateFailed)
        assert failed.reason is reason
        assert "abcdefghij" not in failed.message
    assert receiver.requests[0].headers["authorization"] == "Basic abcdefghij"


@pytest.mark.parametrize("urls", [(), ("am:9093",), ("http://u:p@am",), ("http://am/?a=b",)])
def test_options_that_cannot_work_are_refused(urls: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="urls"):
        AlertmanagerOptions(urls=urls)


def test_it_is_told_the_state() -> None:
    client = HttpClient()
    hook: object = _hook(client, [], "http://am:9093")
    assert isinstance(hook, StateHook)
    assert PLUGIN.name == hook.kind
