from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random

import pytest

from auditd.audit.failure import PollError
from auditd.servicestage.clients import CredentialSpec
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.credentials import aksk, iam_password
from tests.unit.servicestage.fake_huawei import (
    CANARY,
    FakeHuawei,
    FakeSecret,
    make_project,
    now,
    poll,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

USER = iam_password.IamPasswordOptions(domain="acme", user="auditor", password=FakeSecret("right"))


def keys(access_key: str) -> CredentialSpec:
    options = aksk.AkSkOptions(
        access_key=FakeSecret(access_key), secret_key=FakeSecret(f"{CANARY}-sk")
    )
    return CredentialSpec("prod", aksk.PLUGIN, options)


USED = CredentialSpec("user", iam_password.PLUGIN, USER)


def make(huawei: FakeHuawei, *specs: CredentialSpec) -> Cloud:
    return Cloud(
        specs,
        transport=huawei,
        requests_per_second=10,
        concurrency=4,
        emit=lambda _: None,
        now=now,
        random=Random(1),
        on_secret=lambda _: None,
    )


def adopt(cloud: Cloud, *specs: CredentialSpec, rate: float = 10, places: int = 4) -> None:
    prepared = cloud.prepare(specs, requests_per_second=rate)
    cloud.adopt(prepared, requests_per_second=rate, concurrency=places)


async def test_an_unchanged_credential_keeps_its_client_and_a_changed_one_is_new() -> None:
    kept, old = keys("AK1"), USED
    cloud = make(FakeHuawei(keys={"AK1"}), kept, old)
    clients = cloud._clients.of("prod"), cloud._clients.of("user")
    new = CredentialSpec(
        "user",
        iam_password.PLUGIN,
        iam_password.IamPasswordOptions(domain="acme", user="other", password=FakeSecret("right")),
    )
    adopt(cloud, kept, new)
    assert cloud._clients.of("prod") is clients[0]
    assert cloud._clients.of("user") is not clients[1]
    assert [status.name for status in cloud.credential_statuses()] == ["prod", "user"]


async def test_preparing_changes_nothing() -> None:
    cloud = make(FakeHuawei(keys={"AK1"}), keys("AK1"))
    client = cloud._clients.of("prod")
    cloud.prepare([keys("AK2"), USED], requests_per_second=1)
    assert cloud._clients.all() == (client,)


async def test_a_poll_with_a_credential_that_is_gone_says_so() -> None:
    cloud = make(FakeHuawei(keys={"AK1"}), keys("AK1"))
    adopt(cloud, USED)
    with pytest.raises(PollError, match="there is no credential 'prod'"):
        async with cloud.turn(make_project()):
            pass
    with pytest.raises(PollError, match="there is no credential 'prod'"):
        await cloud.iam_projects("prod")


async def test_what_is_under_way_ends_with_the_credential_that_it_began_with() -> None:
    huawei = FakeHuawei(keys={"AK1", "AK2"})
    cloud = make(huawei, keys("AK1"))
    async with cloud.turn(make_project()) as turn:
        adopt(cloud, keys("AK2"))
        await turn.list_authorizations()
    assert await poll(cloud, make_project()) == "ok"
    used = [request.headers["Authorization"] for _, request in huawei.sent]
    assert ["AK1" in used[0], "AK2" in used[1]] == [True, True]


async def test_another_rate_counts_for_a_client_that_is_kept() -> None:
    huawei, kept = FakeHuawei(keys={"AK1"}), keys("AK1")
    cloud = make(huawei, kept)
    assert await poll(cloud, make_project()) == "ok"
    adopt(cloud, kept, rate=1)
    await asyncio.gather(*(poll(cloud, make_project(number)) for number in range(1, 6)))
    sent_at = [at for at, _ in huawei.sent][2:]
    assert all(b - a >= 0.999 for a, b in pairwise(sent_at))
