from __future__ import annotations

from typing import Any

from aiohttp import ClientSession

from auditd.web.address import Address
from auditd.web.listener import listen
from tests.unit.web.fleet_fakes import HOSTILE, FleetOffice, project_of, snapshot_of

TARGETS = "/api/v1/targets"


async def test_each_project_is_a_target_of_the_probe(
    client: ClientSession, address: Address, fleet: FleetOffice
) -> None:
    fleet.put(snapshot_of(project_of("payments", team="pay")), snapshot_of(project_of(HOSTILE)))
    async with client.get(TARGETS) as response:
        assert (response.status, response.content_type) == (200, "application/json")
        hostile, payments = sorted(
            await response.json(), key=lambda it: str(it["labels"]["__param_target"])
        )
    assert payments == {
        "targets": [str(address)],
        "labels": {
            "__scheme__": "http",
            "__metrics_path__": "/probe",
            "__param_target": "payments",
            "__meta_auditd_project": "payments",
            "__meta_auditd_project_id": "id-payments",
            "__meta_auditd_region": "cn-north-4",
            "__meta_auditd_credential": "prod",
            "__meta_auditd_label_team": "pay",
        },
    }
    assert hostile["labels"]["__param_target"] == HOSTILE


async def test_without_projects_there_is_an_empty_list(client: ClientSession) -> None:
    async with client.get(TARGETS) as response:
        assert await response.read() == b"[]"


async def test_targets_are_where_the_list_was_asked_for(daemon: Any) -> None:
    daemon.fleet.put(snapshot_of(project_of("payments")))
    async with (
        listen(daemon.app("http://x.example/watch"), [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as client,
    ):
        headers = {"Host": "auditd.acme.example"}
        async with client.get(f"/watch{TARGETS}", headers=headers) as response:
            (group,) = await response.json()
        assert group["targets"] == ["auditd.acme.example"]
        assert group["labels"]["__metrics_path__"] == "/watch/probe"
        headers = {"Host": "a,b"}
        async with client.get(f"/watch{TARGETS}", headers=headers) as response:
            assert response.status == 400
