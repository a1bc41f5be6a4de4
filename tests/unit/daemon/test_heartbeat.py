from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from auditd.audit.plugin import Secret
from auditd.daemon.heartbeat import Heartbeat
from auditd.hooks.http import HttpClient
from auditd.hooks.port import Http, HttpAnswer, HttpRequest
from auditd.hooks.refresher import Claim
from tests.unit.hooks.conftest import Receiver, http, receiver  # noqa: F401 -- fixtures
from tests.unit.hooks.fakes import Text, Unreadable

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CANARY = "Canary-0123456789"


class FakeLogger:
    """Remembers level, event and details."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **details: Any) -> None:
        self.lines.append(("info", event, details))

    def warning(self, event: str, **details: Any) -> None:
        self.lines.append(("warning", event, details))


class FakeHttp:
    """Arrives always; remembers when, by the clock of the loop."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
        assert (request.method, hook) == ("GET", "heartbeat")
        self.arrivals.append(asyncio.get_running_loop().time())
        return HttpAnswer(200, {}, b"")


class Bench:
    """A heartbeat, what troubles it and what it said."""

    def __init__(self, way: Http, url: Secret, claim: Claim | None = None) -> None:
        self.troubles: list[str] = []
        self.logger = FakeLogger()
        self.sent: list[datetime] = []
        self.heartbeat = Heartbeat(
            url=url,
            interval=timedelta(minutes=1),
            http=way,
            troubles=lambda: self.troubles,
            on_sent=self.sent.append,
            logger=self.logger,  # type: ignore[arg-type] # as much of a logger as is needed
            now=lambda: NOW,
            claim=claim,
        )

    def told(self) -> list[tuple[str, str]]:
        return [(level, event) for level, event, _ in self.logger.lines]


@pytest.fixture
def make(http: HttpClient, receiver: Receiver) -> Callable[..., Bench]:  # noqa: F811 -- fixtures
    """A heartbeat to the real receiver, or to another address."""

    def make_bench(url: Secret | None = None) -> Bench:
        return Bench(http, url or Text(f"{receiver.url}/ping/{CANARY}"))

    return make_bench


async def test_a_beat_is_a_get_to_the_address(
    make: Callable[..., Bench],
    receiver: Receiver,  # noqa: F811 -- a fixture
) -> None:
    bench = make()
    await bench.heartbeat.beat()
    (request,) = receiver.requests
    assert (request.path, request.body) == (f"/ping/{CANARY}", b"")
    assert bench.sent == [NOW]
    assert bench.told() == [("info", "heartbeat.sent")]


async def test_while_there_is_trouble_nothing_is_sent_and_that_is_said_once(
    make: Callable[..., Bench],
    receiver: Receiver,  # noqa: F811 -- a fixture
) -> None:
    bench = make()
    await bench.heartbeat.beat()
    bench.troubles = ["the state cannot be written"]
    await bench.heartbeat.beat()
    await bench.heartbeat.beat()
    assert len(receiver.requests) == 1
    bench.troubles = []
    await bench.heartbeat.beat()
    await bench.heartbeat.beat()
    assert len(receiver.requests) == 3
    assert bench.told() == [
        ("info", "heartbeat.sent"),
        ("warning", "heartbeat.withheld"),
        ("info", "heartbeat.sent"),
    ]
    assert bench.logger.lines[1][2] == {"troubles": ["the state cannot be written"]}


@pytest.mark.parametrize("status", [302, 404, 410, 429, 500])
async def test_what_is_no_success_has_not_arrived(
    make: Callable[..., Bench],
    receiver: Receiver,  # noqa: F811 -- a fixture
    status: int,
) -> None:
    bench = make()
    receiver.answers = [web.Response(status=status, text=f"no {CANARY}") for _ in range(2)]
    await bench.heartbeat.beat()
    await bench.heartbeat.beat()
    assert bench.sent == []
    ((level, event, details),) = bench.logger.lines
    assert (level, event) == ("warning", "heartbeat.refused")
    assert details["message"].startswith(f"the receiver answered {status}")
    assert CANARY not in str(details)
    await bench.heartbeat.beat()
    assert bench.sent == [NOW]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (Text(f"http://127.0.0.1:1/{CANARY}"), "the receiver refused or closed the connection"),
        (Text(f"http://169.254.169.254/{CANARY}"), "never connected to"),
        (Unreadable(), "No such file or directory"),
    ],
)
async def test_an_address_that_cannot_be_called_is_told_without_it(
    make: Callable[..., Bench], url: Secret, said: str
) -> None:
    bench = make(url)
    await bench.heartbeat.beat()
    ((_, event, details),) = bench.logger.lines
    assert event == "heartbeat.refused"
    assert said in details["message"]
    assert CANARY not in str(details)


@asynccontextmanager
async def running(bench: Bench, ready: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.heartbeat.run(ready))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.looptime
async def test_the_first_beat_comes_as_soon_as_the_daemon_is_ready() -> None:
    fake, ready = FakeHttp(), asyncio.Event()
    async with running(Bench(fake, Text("http://localhost/")), ready):
        await asyncio.sleep(7)
        assert fake.arrivals == []
        ready.set()
        await asyncio.sleep(121)
    assert fake.arrivals == [7, 67, 127]


@pytest.mark.looptime
async def test_a_daemon_that_never_gets_ready_says_so_after_an_interval() -> None:
    fake = FakeHttp()
    bench = Bench(fake, Text("http://localhost/"))
    bench.troubles = ["2 of 3 projects were not tried yet"]
    async with running(bench, asyncio.Event()):
        await asyncio.sleep(59)
        assert bench.told() == []
        await asyncio.sleep(3600)
    assert bench.told() == [("warning", "heartbeat.withheld")]
    assert fake.arrivals == []


@pytest.mark.looptime
async def test_of_replicas_the_one_that_claims_it_beats_and_one_in_trouble_claims_nothing() -> None:
    way, asked = FakeHttp(), []

    async def claim(name: str, every: timedelta) -> bool:
        asked.append((name, every))
        return len(asked) == 2

    bench = Bench(way, Text("http://far.example/"), claim)
    ready = asyncio.Event()
    ready.set()
    task = asyncio.create_task(bench.heartbeat.run(ready))
    await asyncio.sleep(150)
    bench.troubles = ["the disk is full"]
    await asyncio.sleep(60)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert asked == [("heartbeat", timedelta(minutes=1))] * 3
    assert way.arrivals == [60.0]
