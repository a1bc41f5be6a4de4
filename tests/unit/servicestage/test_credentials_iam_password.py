from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from auditd.audit.events import CredentialRefreshed, CredentialRejected, Event
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.credentials.iam_password import PLUGIN, IamPasswordOptions
from auditd.servicestage.message import Answer, Request
from tests.unit.servicestage.fake_huawei import (
    CANARY,
    REFUSAL,
    START,
    WRONG_PASSWORD,
    FakeHuawei,
    FakeSecret,
    answer,
    make_cloud,
    make_project,
    now,
    poll,
    poll_all,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

PASSWORD = f"{CANARY}-password"


@pytest.fixture
def huawei() -> FakeHuawei:
    return FakeHuawei(password=PASSWORD)


@pytest.fixture
def password() -> FakeSecret:
    return FakeSecret(PASSWORD)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def cloud(huawei: FakeHuawei, password: FakeSecret, events: list[Event]) -> Cloud:
    options = IamPasswordOptions(domain="acme", user="auditor", password=password)
    return make_cloud(huawei, PLUGIN, options, events=events)


def is_login(request: Request) -> bool:
    return request.target == "/v3/auth/tokens"


async def test_the_login_is_scoped_to_the_project_at_the_iam_of_its_region(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    project = make_project(region="cn-south-1")
    await poll(cloud, project)
    login, listing = (request for _, request in huawei.sent)

    assert login.origin == "https://iam.cn-south-1.myhuaweicloud.com"
    assert login.query == (("nocatalog", "true"),)
    user = {"name": "auditor", "password": PASSWORD, "domain": {"name": "acme"}}
    assert json.loads(login.body)["auth"] == {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"id": project.project_id}},
    }
    assert listing.headers["X-Auth-Token"] in huawei.tokens


async def test_two_hundred_projects_log_in_exactly_once_each(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    for _ in range(2):
        assert set(await poll_all(cloud, 200)) == {"ok"}
        await asyncio.sleep(3600)

    assert Counter(Counter(huawei.logins).values()) == {1: 200}


@pytest.mark.parametrize("latency_seconds", [0.1, 3])
async def test_a_wrong_password_with_fifty_projects_logs_in_twice_at_most(
    cloud: Cloud, huawei: FakeHuawei, events: list[Event], latency_seconds: float
) -> None:
    huawei.password, huawei.latency_seconds = "another", latency_seconds

    assert await poll_all(cloud, 50) + await poll_all(cloud, 50) == ["auth"] * 100
    assert len(huawei.logins) == (1 if latency_seconds < 1 else 2)
    [rejected] = events
    assert isinstance(rejected, CredentialRejected)
    assert rejected.scope == ""
    assert CANARY not in repr(events)


async def test_a_wrong_password_is_sent_fewer_than_five_times_in_fifteen_minutes(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    huawei.password = "another"
    for _ in range(120):
        await poll_all(cloud, 20)
        await asyncio.sleep(30)
    at = [instant for instant, request in huawei.sent if is_login(request)]

    assert max(sum(start <= t < start + 900 for t in at) for start in at) < 5


async def test_a_changed_password_is_not_tried_by_every_project_that_was_thrown_out(
    cloud: Cloud, huawei: FakeHuawei, password: FakeSecret
) -> None:
    await poll_all(cloud, 30)
    await asyncio.sleep(3600)
    huawei.password, login_count = "another", len(huawei.logins)
    huawei.tokens.clear()
    assert await poll_all(cloud, 30) == ["auth"] * 30
    assert len(huawei.logins) - login_count <= 2
    password.value = "another"

    assert await poll_all(cloud, 30) == ["ok"] * 30


async def test_each_revoked_token_costs_one_login_and_no_poll(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    await poll_all(cloud, 30)
    huawei.tokens.clear()

    assert await poll_all(cloud, 30) == ["ok"] * 30
    assert Counter(Counter(huawei.logins).values()) == {2: 30}


async def test_a_fresh_token_that_is_refused_holds_that_project_only(
    cloud: Cloud, huawei: FakeHuawei, events: list[Event]
) -> None:
    bad = make_project(1).project_id
    huawei.fault = lambda request: REFUSAL if bad in request.target else None
    for _ in range(4):
        assert await poll_all(cloud, 10) == ["auth"] + ["ok"] * 9
        await asyncio.sleep(60)
    rejections = [event for event in events if isinstance(event, CredentialRejected)]

    assert [rejected.scope for rejected in rejections] == [bad]
    assert Counter(huawei.logins)[bad] == 2
    assert len(huawei.targets(f"{bad}/git/auths")) == 2


async def test_a_token_is_renewed_between_70_and_90_percent_of_its_life_and_spread(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    for _ in range(24):
        await poll_all(cloud, 20)
        await asyncio.sleep(3600)
    hours = [at / 3600 for at, request in huawei.sent if is_login(request)]
    renewed = [hour for hour in hours if hour > 1]

    assert len(renewed) == 20
    assert all(16.8 <= hour <= 22.7 for hour in renewed)
    assert len({int(hour) for hour in renewed}) >= 4


async def test_a_renewal_that_fails_leaves_the_token_in_use_until_its_end(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    await poll(cloud, make_project())
    await asyncio.sleep(23 * 3600)
    huawei.fault = lambda request: answer(503) if is_login(request) else None
    assert await poll(cloud, make_project()) == "ok"
    await asyncio.sleep(3600)

    assert await poll(cloud, make_project()) == "server"


async def test_a_clock_that_is_a_day_fast_does_not_log_in_for_every_poll(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    huawei.token_life = timedelta(seconds=-1)
    for _ in range(5):
        assert await poll(cloud, make_project()) == "ok"
        await asyncio.sleep(60)

    assert len(huawei.logins) == 1


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (WRONG_PASSWORD, "auth"),
        (answer(400, {"error_code": "1103", "error_msg": "incorrect password"}), "auth"),
        (answer(403, {"error": {"code": 403, "message": "no programmatic access"}}), "forbidden"),
        (answer(503), "server"),
        (answer(201, {"token": {}}, x_subject_token="t"), "malformed"),
        (answer(429, {}, retry_after="30"), "throttled"),
    ],
)
async def test_a_login_that_fails_says_why(
    cloud: Cloud, huawei: FakeHuawei, fault: Answer, outcome: str
) -> None:
    huawei.fault = lambda request: fault if is_login(request) else None

    assert await poll(cloud, make_project()) == outcome
    assert len(huawei.sent) == 1


async def test_a_throttled_login_throttles_the_whole_credential(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    once = iter([answer(429, {}, retry_after="30")])
    huawei.fault = lambda _: next(once, None)
    outcomes = await poll_all(cloud, 5)

    assert outcomes == ["throttled"] + ["ok"] * 4
    assert min(at for at, _ in huawei.sent[1:]) == pytest.approx(30.1, abs=0.01)


async def test_issued_tokens_are_made_known_to_the_redaction(huawei: FakeHuawei) -> None:
    secrets: list[str] = []
    options = IamPasswordOptions(domain="acme", user="auditor", password=FakeSecret(PASSWORD))
    await poll_all(make_cloud(huawei, PLUGIN, options, secrets=secrets), 3)

    assert set(secrets) == set(huawei.tokens)


async def test_the_status_tells_the_earliest_end_of_the_tokens_in_use(
    cloud: Cloud, huawei: FakeHuawei, events: list[Event]
) -> None:
    assert cloud.credential_statuses()[0].expires_at is None
    await poll(cloud, make_project(1))
    await asyncio.sleep(3600)
    await poll(cloud, make_project(2))
    first = cloud.credential_statuses()[0].expires_at
    assert first == pytest.approx(START + timedelta(hours=24), abs=timedelta(seconds=1))
    await asyncio.sleep(23.5 * 3600)

    expires_at = cloud.credential_statuses()[0].expires_at
    assert expires_at is not None
    assert expires_at > now()
    assert [type(event) for event in events] == [CredentialRefreshed] * 2


async def test_a_password_file_that_cannot_be_read_is_named(
    cloud: Cloud, huawei: FakeHuawei, password: FakeSecret
) -> None:
    password.error = FileNotFoundError(2, "No such file or directory", "/run/secrets/password")
    with pytest.raises(PollError, match=r"password cannot be read: .*: /run/secrets/p") as caught:
        async with cloud.turn(make_project()):
            pass

    assert caught.value.reason is FailureReason.AUTH
    assert not huawei.sent


async def test_a_secret_that_says_itself_what_is_wrong_is_quoted(
    cloud: Cloud, password: FakeSecret
) -> None:
    password.error = OSError("the secret file /run/secrets/password is empty")
    with pytest.raises(PollError, match=r"read: the secret file /run/secrets/password is empty$"):
        async with cloud.turn(make_project()):
            pass
