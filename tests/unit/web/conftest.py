from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientSession, web

from auditd.web.address import Address
from auditd.web.api import make_api
from auditd.web.app import make_app
from auditd.web.guard import Guard
from auditd.web.health import Readiness
from auditd.web.listener import listen
from tests.unit.web.fakes import NOW, Office
from tests.unit.web.fleet_fakes import FleetOffice, put_examples


@dataclass(frozen=True, slots=True)
class Rendered:
    body: bytes
    headers: Mapping[str, str]

    @property
    def size(self) -> int:
        return len(self.body)

    def pieces(self) -> Iterator[bytes]:
        yield self.body


@dataclass
class Daemon:
    """What the pages show, and what they asked for."""

    readiness: Readiness = field(default_factory=Readiness)
    asked: list[tuple[str, str, list[str]]] = field(default_factory=list)
    is_broken: bool = False
    office: Office = field(default_factory=Office)
    fleet: FleetOffice = field(default_factory=FleetOffice)

    async def expose(self, *, accept: str, accept_encoding: str, names: Sequence[str]) -> Rendered:
        self.asked.append((accept, accept_encoding, list(names)))
        if self.is_broken:
            msg = "secret-in-a-traceback"
            raise RuntimeError(msg)
        return Rendered(
            b"one 1.0\n", {"Content-Type": "text/plain; version=0.0.4", "Vary": "Accept"}
        )

    def app(self, external_url: str = "") -> web.Application:
        return make_app(
            expose=self.expose,
            readiness=lambda: self.readiness,
            external_url=external_url,
            routes=make_api(self.office, self.fleet, Guard([], external_url), now=lambda: NOW),
        )


@pytest.fixture
def daemon() -> Daemon:
    return Daemon()


@pytest.fixture
def office(daemon: Daemon) -> Office:
    """Whom the API asks."""
    return daemon.office


@pytest.fixture
def fleet(daemon: Daemon) -> FleetOffice:
    """Whom the API asks about projects."""
    return daemon.fleet


@pytest.fixture
async def address(daemon: Daemon) -> AsyncIterator[Address]:
    """Where the pages are served, without a prefix."""
    async with listen(daemon.app(), [Address("127.0.0.1", 0)]) as (bound,):
        yield bound


@pytest.fixture
async def client(address: Address) -> AsyncIterator[ClientSession]:
    async with ClientSession(f"http://{address}") as session:
        yield session


@pytest.fixture
def known(fleet: FleetOffice) -> None:
    """The fleet has the examples in it."""
    put_examples(fleet)
