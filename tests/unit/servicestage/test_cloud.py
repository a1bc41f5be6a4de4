from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from huaweicloudsdkcore.region.cache import ProfileRegionCache

from auditd.audit.failure import FailureReason, PollError
from auditd.audit.verification import Verdict
from auditd.polling.ports import AuthorizationSource
from auditd.servicestage.credentials import aksk
from auditd.servicestage.message import Answer
from tests.unit.servicestage.fake_huawei import (
    CANARY,
    REFUSAL,
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


async def test_a_project_is_listed_as_the_vendor_documents_it(huawei: FakeHuawei) -> None:
    project = make_project(endpoint="https://gateway.example:8443/stage/")
    assert await poll(make_cloud(huawei, aksk.PLUGIN, KEYS), project) == "ok"
    [(_, request)] = huawei.sent

    assert (request.method, request.origin) == ("GET", "https://gateway.example:8443")
    assert request.target == f"/stage/v1/{project.project_id}/git/auths"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Project-Id"] == project.project_id
    assert request.headers["X-Sdk-Date"] == "20260115T083000Z"


async def test_the_rate_holds_for_lists_and_verifications_together(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, requests_per_second=10)

    async def list_and_verify(number: int) -> None:
        async with cloud.turn(make_project(number)) as turn:
            await turn.list_authorizations()
            await turn.verify("gh-main")
            await turn.verify("gl-main")

    await asyncio.gather(*(list_and_verify(number) for number in range(1, 60)))
    at = [instant for instant, _ in huawei.sent]

    assert len(at) == 177
    assert max(sum(start <= t < start + 1 for t in at) for start in at) <= 11
    assert at[-1] == pytest.approx(17.6, abs=1)


async def test_each_region_has_a_rate_of_its_own(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, requests_per_second=1)
    regions = ("cn-north-4", "cn-south-1", "ap-southeast-3")
    projects = [make_project(n, region=regions[n % 3]) for n in range(30)]
    await asyncio.gather(*(poll(cloud, project) for project in projects))

    assert asyncio.get_running_loop().time() < 11


async def test_no_more_turns_than_places(huawei: FakeHuawei) -> None:
    await poll_all(make_cloud(huawei, aksk.PLUGIN, KEYS, concurrency=3), 30)

    assert huawei.most_under_way == 3


async def test_a_turn_that_does_not_come_within_the_interval_fails(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, requests_per_second=0.1)
    projects = [make_project(n, poll_interval=timedelta(seconds=45)) for n in range(10)]
    outcomes = await asyncio.gather(*(poll(cloud, project) for project in projects))

    assert outcomes == ["ok"] * 5 + ["throttled"] * 5
    # As soon as it is clear that the sixth would come too late.
    assert asyncio.get_running_loop().time() == pytest.approx(40, abs=1)


async def test_a_list_ends_within_the_poll_timeout(huawei: FakeHuawei) -> None:
    huawei.latency_seconds = 3600

    assert await poll(make_cloud(huawei, aksk.PLUGIN, KEYS), make_project()) == "timeout"
    assert asyncio.get_running_loop().time() == 30


async def test_a_cancelled_poll_leaves_room_for_the_next(huawei: FakeHuawei) -> None:
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS, concurrency=1)
    for _ in range(3):
        task = asyncio.create_task(poll(cloud, make_project()))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert await poll(cloud, make_project()) == "ok"


async def test_a_region_without_servicestage_is_named_with_its_remedy(huawei: FakeHuawei) -> None:
    project = make_project(region="xx-nowhere-9", endpoint=None)
    with pytest.raises(PollError, match=r"xx-nowhere-9.*set the project's `endpoint`") as caught:
        async with make_cloud(huawei, aksk.PLUGIN, KEYS).turn(project):
            pass

    assert caught.value.reason is FailureReason.NOT_FOUND


async def test_a_known_region_needs_no_endpoint(huawei: FakeHuawei) -> None:
    await poll(make_cloud(huawei, aksk.PLUGIN, KEYS), make_project(endpoint=None))

    assert huawei.sent[0][1].origin == "https://servicestage.cn-north-4.myhuaweicloud.com"


async def verify(huawei: FakeHuawei, name: str = "gh-main") -> Verdict:
    async with make_cloud(huawei, aksk.PLUGIN, KEYS).turn(make_project()) as turn:
        return await turn.verify(name)


@pytest.mark.parametrize("name", ["a b", "", "x\r\nHost: y", "授权", "a/b"])
async def test_a_name_that_is_unsafe_in_a_header_is_never_sent(
    huawei: FakeHuawei, name: str
) -> None:
    assert await verify(huawei, name) is Verdict.INCONCLUSIVE
    assert not huawei.sent


async def test_a_verification_asks_with_the_authorizations_name_signed(huawei: FakeHuawei) -> None:
    assert await verify(huawei) is Verdict.WORKS
    [(_, request)] = huawei.sent

    assert request.headers["X-Repo-Auth"] == "gh-main"
    assert "x-repo-auth" in request.headers["Authorization"]


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (answer(400, {"error_code": "SVCSTG.REPO.0451", "error_msg": "x"}), Verdict.BROKEN),
        (answer(400, {"error_code": "SVCSTG.REPO.0450", "error_msg": "x"}), Verdict.MISSING),
        (answer(502), Verdict.INCONCLUSIVE),
        (PollError(FailureReason.TIMEOUT, "slow"), Verdict.INCONCLUSIVE),
    ],
)
async def test_what_the_far_side_says_of_a_git_credential_is_a_verdict(
    huawei: FakeHuawei, fault: Answer | PollError, verdict: Verdict
) -> None:
    huawei.fault = lambda _: fault

    assert await verify(huawei) is verdict


@pytest.mark.parametrize("fault", [REFUSAL, THROTTLED])
async def test_a_verification_says_when_our_own_credential_is_refused(
    huawei: FakeHuawei, fault: Answer
) -> None:
    huawei.fault = lambda _: fault
    with pytest.raises(PollError):
        await verify(huawei)


async def test_a_verification_is_not_sent_once_the_credential_is_held(huawei: FakeHuawei) -> None:
    huawei.fault = lambda _: REFUSAL
    async with make_cloud(huawei, aksk.PLUGIN, KEYS).turn(make_project()) as turn:
        for _ in range(3):
            with pytest.raises(PollError):
                await turn.verify("gh-main")

    assert len(huawei.sent) == 1


@pytest.mark.parametrize(
    ("date", "skew_seconds"),
    [
        ("Thu, 15 Jan 2026 08:40:00 GMT", 599.9),
        ("Thu, 15 Jan 2026 08:40:00", 599.9),
        ("yesterday", None),
        ("Thu, 99 Jan 2026 08:40:00 GMT", None),
    ],
)
async def test_the_remote_clock_is_read_even_from_a_refusal(
    date: str, skew_seconds: float | None
) -> None:
    huawei = FakeHuawei(fault=lambda _: answer(401, {}, date=date))
    cloud = make_cloud(huawei, aksk.PLUGIN, KEYS)
    await poll(cloud, make_project())
    [status] = cloud.credential_statuses()

    assert status.name == "prod"
    assert status.expires_at is None
    assert status.clock_skew_seconds == (skew_seconds and pytest.approx(skew_seconds))


async def test_a_regions_file_that_cannot_be_used_is_why_the_poll_failed(
    huawei: FakeHuawei, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "regions.yaml").write_text("SERVICESTAGE: [}")
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGIONS_FILE", str(tmp_path / "regions.yaml"))
    # The SDK reads that file once in the life of the process.
    monkeypatch.delitem(ProfileRegionCache._instances, ProfileRegionCache, raising=False)
    with pytest.raises(PollError, match="regions file of the Huawei Cloud SDK"):
        async with make_cloud(huawei, aksk.PLUGIN, KEYS).turn(make_project(endpoint=None)):
            pass


async def test_the_cloud_is_what_polling_asks_for(huawei: FakeHuawei) -> None:
    source: AuthorizationSource = make_cloud(huawei, aksk.PLUGIN, KEYS)  # for mypy to check
    async with source.turn(make_project()) as turn:
        listing = await turn.list_authorizations()

    assert listing.authorizations == ()


async def test_what_goes_wrong_inside_keeps_its_type(huawei: FakeHuawei) -> None:
    with pytest.raises(LookupError):
        async with make_cloud(huawei, aksk.PLUGIN, KEYS):
            raise LookupError
