from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web

from auditd.audit.failure import FailureReason
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.address import Address
from auditd.web.listener import listen
from auditd.web.office import UnavailableError
from auditd.web.probe import LONGEST_SECONDS, TIMEOUT_HEADER, make_probe
from tests.unit.web.fleet_fakes import HOSTILE, FleetOffice, project_of, snapshot_of

SERIES = 'auditd_project_up{project="%s"} 1.0\n'


@pytest.fixture
def fleet() -> FleetOffice:
    fleet = FleetOffice()
    fleet.put(snapshot_of(project_of("payments")), snapshot_of(project_of(HOSTILE)))
    return fleet


@pytest.fixture
async def client(fleet: FleetOffice) -> AsyncIterator[ClientSession]:
    def render(snapshot: ProjectSnapshot) -> str:
        return SERIES % snapshot.project.name

    app = web.Application()
    app.add_routes(make_probe(fleet, render))
    async with (
        listen(app, [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as session,
    ):
        yield session


async def probe(
    client: ClientSession, headers: Mapping[str, str] | None = None, target: str = "payments"
) -> tuple[int, str]:
    async with client.get("/probe", params={"target": target}, headers=headers) as response:
        return response.status, await response.text()


async def test_a_probe_polls_and_shows_the_project_alone(
    client: ClientSession, fleet: FleetOffice
) -> None:
    status, text = await probe(client)
    assert status == 200
    assert "\nprobe_success 1\n" in text
    assert text.endswith(SERIES % "payments")
    assert fleet.asked == [("poll_now", "payments")]


async def test_any_name_can_be_probed(client: ClientSession, fleet: FleetOffice) -> None:
    assert (await probe(client, target=HOSTILE))[0] == 200
    assert fleet.asked == [("poll_now", HOSTILE)]


async def test_a_failed_poll_is_no_success(client: ClientSession, fleet: FleetOffice) -> None:
    fleet.put(replace(fleet.known["payments"], failure=FailureReason.DNS))
    status, text = await probe(client)
    assert status == 200
    assert "\nprobe_success 0\n" in text


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10", 9.5), ("2.5", 2.0), ("0.4", 0.2), ("1e9", LONGEST_SECONDS - 0.5), (None, 119.5)],
)
async def test_a_slow_poll_is_answered_before_the_scraper_gives_up(
    client: ClientSession, fleet: FleetOffice, text: str | None, seconds: float
) -> None:
    fleet.poll_seconds = 3600.0
    status, answer = await probe(client, {TIMEOUT_HEADER: text} if text else {})
    assert status == 200
    assert "\nprobe_success 0\n" in answer
    assert answer.endswith(SERIES % "payments")
    took = asyncio.get_running_loop().time()
    assert took == pytest.approx(seconds, abs=0.05)


async def test_it_is_told_how_long_it_took(client: ClientSession, fleet: FleetOffice) -> None:
    fleet.poll_seconds = 0.05
    _, text = await probe(client)
    (seconds,) = re.findall(r"^probe_duration_seconds (\S+)$", text, re.MULTILINE)
    assert 0.05 <= float(seconds) < 5


@pytest.mark.parametrize("text", ["", "soon", "0", "-1", "nan", "1,2"])
async def test_a_timeout_that_is_none_is_refused(
    client: ClientSession, fleet: FleetOffice, text: str
) -> None:
    status, answer = await probe(client, {TIMEOUT_HEADER: text})
    assert status == 400
    assert TIMEOUT_HEADER in answer
    assert fleet.asked == []


@pytest.mark.parametrize("query", ["", "?target=a&target=b", "?project=payments"])
async def test_without_one_target_there_is_no_probe(client: ClientSession, query: str) -> None:
    async with client.get(f"/probe{query}") as response:
        assert response.status == 400


@pytest.mark.parametrize("target", ["nobody", ""])
async def test_an_unknown_project_is_not_found(client: ClientSession, target: str) -> None:
    status, text = await probe(client, target=target)
    assert (status, text) == (404, f"there is no project {target!r}\n")


async def test_too_many_probes_are_refused(client: ClientSession, fleet: FleetOffice) -> None:
    fleet.fault = UnavailableError("too many polls are asked for at once")
    assert await probe(client) == (503, "too many polls are asked for at once\n")
