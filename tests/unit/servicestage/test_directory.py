from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.cloud import MOST_PAGES, Cloud
from auditd.servicestage.credentials import aksk, iam_password, token
from auditd.servicestage.directory import DiscoveredProject, IamDirectory
from tests.unit.servicestage.fake_huawei import FakeHuawei, FakeSecret, answer, make_cloud

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

IAM = "https://iam.example"
_ALL = json.loads((Path(__file__).parent / "data" / "responses.json").read_bytes())["responses"]
LISTED = next(json.loads(r["body"]) for r in _ALL if r["id"] == "iam-200-projects")


def page(*names: str, link: str | None = None) -> dict[str, Any]:
    projects = [{"id": f"id-{name}", "name": name, "enabled": True} for name in names]
    return {"links": {"self": "x", "next": link}, "projects": projects}


@pytest.fixture
def huawei() -> FakeHuawei:
    return FakeHuawei(keys={"AK"}, password="right", projects=LISTED)


@pytest.fixture
def cloud(huawei: FakeHuawei) -> Cloud:
    options = aksk.AkSkOptions(
        access_key=FakeSecret("AK"), secret_key=FakeSecret("SK"), iam_endpoint=IAM
    )
    return make_cloud(huawei, aksk.PLUGIN, options)


def directory(cloud: Cloud, endpoint: str | None = None, **filters: str) -> IamDirectory:
    template = DiscoveredProject(
        poll_interval=timedelta(minutes=5),
        poll_timeout=timedelta(seconds=30),
        endpoint=endpoint,
        verify=True,
        labels=(("team", "payments"),),
    )
    return IamDirectory(
        cloud,
        "prod",
        refresh_interval=timedelta(minutes=10),
        template=template,
        include=re.compile(filters["include"]) if "include" in filters else None,
        exclude=re.compile(filters["exclude"]) if "exclude" in filters else None,
    )


async def names(cloud: Cloud, endpoint: str | None = None, **filters: str) -> list[str]:
    return [project.name for project in await directory(cloud, endpoint, **filters).projects()]


async def test_every_enabled_project_in_a_region_with_servicestage_is_found(cloud: Cloud) -> None:
    source = directory(cloud)
    found = {project.name: project for project in await source.projects()}
    sub_project = found["cn-north-4_team-a"]

    assert (source.name, source.refresh_interval) == ("iam/prod", timedelta(minutes=10))
    assert sorted(found) == ["cn-north-4", "cn-north-4_team-a"]
    assert sub_project.project_id == "1" * 32
    assert (sub_project.region, sub_project.credential) == ("cn-north-4", "prod")
    assert (sub_project.verify, sub_project.labels) == (True, (("team", "payments"),))


async def test_with_an_endpoint_of_its_own_an_unknown_region_is_no_obstacle(cloud: Cloud) -> None:
    found = await names(cloud, "https://servicestage.example")

    assert "xx-nowhere-9" in found
    assert "MOS" not in found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"include": "cn-north-4"}, ["cn-north-4"]),
        ({"include": "cn-.*"}, ["cn-north-4", "cn-north-4_team-a"]),
        ({"exclude": ".*_team.*"}, ["cn-north-4"]),
        ({"include": "cn-.*", "exclude": "cn-.*"}, []),
        ({"include": "north"}, []),
    ],
)
async def test_the_patterns_match_the_whole_name(
    cloud: Cloud, filters: dict[str, str], expected: list[str]
) -> None:
    assert await names(cloud, None, **filters) == expected


async def test_a_signed_request_for_no_project_asks_iam(cloud: Cloud, huawei: FakeHuawei) -> None:
    await names(cloud)
    [(_, request)] = huawei.sent

    assert (request.origin, request.target) == (IAM, "/v3/auth/projects")
    assert "X-Project-Id" not in request.headers


async def test_a_password_credential_asks_with_a_token_for_the_account(huawei: FakeHuawei) -> None:
    options = iam_password.IamPasswordOptions(
        domain="acme", user="auditor", password=FakeSecret("right")
    )
    assert await names(make_cloud(huawei, iam_password.PLUGIN, options))
    login, listing = (request for _, request in huawei.sent)

    assert login.origin == listing.origin == "https://iam.myhuaweicloud.com"
    assert json.loads(login.body)["auth"]["scope"] == {"domain": {"name": "acme"}}


async def test_a_fixed_token_asks_for_itself(huawei: FakeHuawei) -> None:
    huawei.tokens["fixed"] = None
    options = token.TokenOptions(token=FakeSecret("fixed"), iam_endpoint=IAM)

    assert await names(make_cloud(huawei, token.PLUGIN, options))


async def test_pages_are_followed_to_the_last(cloud: Cloud, huawei: FakeHuawei) -> None:
    pages = [
        page("cn-north-4", link=f"{IAM}/v3/auth/a projects?page=2&marker=a%20b"),
        page("cn-south-1"),
    ]
    huawei.fault = lambda _: answer(200, pages.pop(0))

    assert await names(cloud) == ["cn-north-4", "cn-south-1"]
    assert huawei.sent[1][1].target == "/v3/auth/a%20projects"
    assert dict(huawei.sent[1][1].query) == {"page": "2", "marker": "a b"}


@pytest.mark.parametrize(
    ("link", "request_count"),
    [
        (f"{IAM}/v3/auth/projects", MOST_PAGES),
        ("https://evil.example/v3/auth/projects", 1),
        ("http://iam.example/v3/auth/projects", 1),
        (f"{IAM}.evil.example/v3/auth/projects", 1),
        ("/v3/auth/projects", 1),
        ("https://[", 1),
    ],
)
async def test_pages_that_do_not_end_or_lead_elsewhere_are_not_followed(
    cloud: Cloud, huawei: FakeHuawei, link: str, request_count: int
) -> None:
    huawei.fault = lambda _: answer(200, page("cn-north-4", link=link))
    with pytest.raises(PollError) as caught:
        await names(cloud)

    assert caught.value.reason is FailureReason.MALFORMED
    assert len(huawei.sent) == request_count


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "auth"), (403, "forbidden"), (429, "throttled"), (503, "server")]
)
async def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_fleet(
    cloud: Cloud, huawei: FakeHuawei, status: int, reason: str
) -> None:
    huawei.fault = lambda _: answer(status)
    with pytest.raises(PollError) as caught:
        await names(cloud)

    assert caught.value.reason == reason


async def test_an_iam_of_its_own_is_asked_in_place_of_the_credentials(
    cloud: Cloud, huawei: FakeHuawei
) -> None:
    await cloud.iam_projects("prod", endpoint="https://iam.other.example")

    assert huawei.sent[0][1].origin == "https://iam.other.example"
