from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import yarl

PLATFORM = ("AKPLATFORM", "sk-platform")
GIT = "/v1/0123456789abcdef0123456789abcdef/git"
VERDICTS = """
credentials: [{name: platform, type: keys, access_key: AKPLATFORM, secret_key: sk-platform}]
projects:
  - name: cn-north-4
    id: 0123456789abcdef0123456789abcdef
    authorizations:
      - {name: works, status: overdue, repo_user: zmg}
      - {name: broken, verdict: broken}
      - {name: missing, verdict: missing}
      - {name: timeout, verdict: timeout}
"""


async def send(client: Any, method: str, target: str, **how: Any) -> Any:
    return await client.send(method, GIT + target, keys=PLATFORM, **how)


def service_code(reply: Any, status: int = 400) -> str:
    body = reply.json()
    assert reply.status == status
    assert list(body) == ["error_code", "error_msg"]
    return str(body["error_code"])


async def test_the_list_has_the_fields_of_the_reference(client: Any) -> None:
    answer = (await client.list_authorizations()).json()
    assert answer["count"] == 2
    github, gitlab = answer["authorizations"]
    assert github == {
        "name": "gh-main",
        "repo_type": "github",
        "repo_host": "https://api.github.com",
        "repo_home": "https://github.com/acme",
        "repo_user": "acme",
        "avartar": "https://avatars.example/acme.png",
        "token_type": "oauth",
        "create_time": 1768465800000 - 300 * 86400000,
        "update_time": 1768465800000 - 120 * 86400000,
        "status": 0,
        "tag": None,
    }
    assert (gitlab["status"], gitlab["repo_host"]) == (1, "https://git.acme.example/api/v4")


async def test_ages_do_not_move_with_the_clock(client: Any) -> None:
    before = (await client.list_authorizations()).json()
    client.clock.advance(600)
    assert (await client.list_authorizations()).json() == before


async def test_oauth_goes_through_the_redirect_and_its_state_is_good_once(client: Any) -> None:
    url = yarl.URL((await send(client, "GET", "/auths/GitHub/redirect?tag=intl")).json()["url"])
    assert (url.host, url.path) == ("github.com", "/login/oauth/authorize")
    assert url.query["redirect_uri"].endswith("/servicestage/oauth?repo_type=github")
    body = {"name": "gh-new", "code": "c", "state": url.query["state"]}
    made = await send(client, "POST", "/auths/github/oauth?tag=intl", body=body)
    assert made.json()["authorization"]["create_time"] == 1768465800000
    assert "tag" not in made.json()["authorization"]
    listed = (await client.list_authorizations()).json()["authorizations"][-1]
    assert (listed["name"], listed["tag"]) == ("gh-new", "intl")
    again = await send(client, "POST", "/auths/github/oauth", body=body | {"name": "gh-two"})
    assert service_code(again) == "SVCSTG.REPO.0402"


async def test_a_personal_token_may_be_for_a_private_host(client: Any) -> None:
    body = {"name": "gl-new", "token": "t", "host": "https://git.example/api/v4"}
    made = (await send(client, "POST", "/auths/gitlab/personal", body=body)).json()
    assert made["authorization"]["repo_host"] == "https://git.example/api/v4"
    assert made["authorization"]["token_type"] == "personal"


@pytest.mark.parametrize(
    "secret",
    [{"user": "u", "password": "p"}, {"token": base64.b64encode(b"u:p").decode()}],
    ids=["reference", "terraform"],
)
async def test_a_password_comes_in_either_contract(client: Any, secret: dict[str, str]) -> None:
    body = {"name": "bb-new", **secret}
    made = (await send(client, "POST", "/auths/bitbucket/password", body=body)).json()
    assert made["authorization"]["repo_user"] == "u"


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/auths/github/oauth", {"name": "gh-new"}),
        ("/auths/github/personal", {"name": "x y z", "token": "t"}),
        ("/auths/github/personal", {"name": "abc", "token": "t"}),
        ("/auths/bitbucket/password", {"name": "bb-new"}),
        ("/auths/bitbucket/password", {"name": "bb-new", "token": "!"}),
        ("/auths/bitbucket/password", {"name": "bb-new", "token": "/////w=="}),
    ],
)
async def test_bad_parameters_are_refused(client: Any, target: str, body: object) -> None:
    assert service_code(await send(client, "POST", target, body=body)) == "SVCSTG.REPO.0400"


async def test_a_name_is_there_once(client: Any) -> None:
    body = {"name": "gh-main", "token": "t"}
    reply = await send(client, "POST", "/auths/github/personal", body=body)
    assert service_code(reply) == "SVCSTG.REPO.0403"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/auths/devcloud/redirect"),
        ("POST", "/auths/svn/oauth"),
        ("POST", "/auths/bitbucket/personal"),
        ("POST", "/auths/gitlab/password"),
    ],
)
async def test_kinds_that_a_call_does_not_know_are_not_implemented(
    client: Any, method: str, target: str
) -> None:
    assert service_code(await send(client, method, target)) == "SVCSTG.REPO.0401"


async def test_deleting_takes_it_off_the_list(client: Any) -> None:
    reply = await send(client, "DELETE", "/auths/gh-main")
    assert (reply.status, reply.body) == (204, b"")
    assert (await client.list_authorizations()).json()["count"] == 1
    assert service_code(await send(client, "DELETE", "/auths/gh-main"), 500) == "SVCSTG.REPO.0500"


async def exercise(client: Any, name: str) -> Any:
    return await send(client, "GET", "/repos/namespaces", headers={"X-Repo-Auth": name})


async def test_verdicts_do_not_depend_on_the_listed_status(
    simulate: Callable[..., Awaitable[Any]],
) -> None:
    client = await simulate(base=VERDICTS)
    works = await exercise(client, "works")
    assert works.json() == {"namespaces": [{"id": "zmg", "name": "zmg"}]}
    assert service_code(await exercise(client, "broken")) == "SVCSTG.REPO.0451"
    assert service_code(await exercise(client, "missing")) == "SVCSTG.REPO.0450"
    assert service_code(await exercise(client, "nobody")) == "SVCSTG.REPO.0450"
    timeout = await exercise(client, "timeout")
    assert (timeout.status, timeout.json()["error_code"]) == (504, "APIGW.0201")
    assert client.waits == [60.0]


async def show_detail(client: Any, clone_url: str) -> Any:
    target = f"/repos/project-info?clone_url={clone_url}"
    return await send(client, "GET", target, headers={"X-Repo-Auth": "gh-main"})


async def test_a_clone_url_tells_namespace_and_project(client: Any) -> None:
    detail = (await show_detail(client, "https%3A%2F%2Fgithub.com%2Facme%2Fshop.git")).json()
    assert detail == {
        "namespace": "acme",
        "project": "shop",
        "namespace_id": "acme",
        "project_id": "shop",
    }


async def test_a_clone_url_without_project_is_invalid(client: Any) -> None:
    assert service_code(await show_detail(client, "https%3A%2F%2Fgithub.com")) == "SVCSTG.REPO.0452"
