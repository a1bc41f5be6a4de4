"""ServiceStage: the authorizations of a project, and what is done with them.

Source: ServiceStage API reference, "Git Repository Access APIs", and its error codes.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import datetime, timedelta
from random import Random
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from auditd.simulator.authorization import Authorization, AuthorizationSpec
from auditd.simulator.call import Call, Operation, to_answer
from auditd.simulator.exchange import Sleep
from auditd.simulator.fleet import Fleet
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.repository_bodies import OAuthAccess, PasswordAccess, PersonalAccess

_BACKEND_TIMEOUT = timedelta(seconds=60)
_OAUTH_PAGES = {
    "github": "https://github.com/login/oauth/authorize",
    "gitlab": "https://gitlab.com/oauth/authorize",
    "gitee": "https://gitee.com/oauth/authorize",
    "bitbucket": "https://bitbucket.org/site/oauth2/authorize",
}


class Repositories:
    """Answers for the authorizations in the fleet."""

    def __init__(
        self, fleet: Fleet, *, random: Random, now: Callable[[], datetime], sleep: Sleep
    ) -> None:
        self._fleet = fleet
        self._random = random
        self._now = now
        self._sleep = sleep
        self._oauth_states: set[str] = set()

    def operations(self) -> list[Operation]:
        """What this part answers."""
        names = OperationName
        auths, repos = "/v1/{project_id}/git/auths", "/v1/{project_id}/git/repos"
        one = auths + "/{repo_type}"
        return [
            Operation(names.LIST_AUTHORIZATIONS, "GET", auths, self._list),
            Operation(names.SHOW_REDIRECT_URL, "GET", f"{one}/redirect", self._show_redirect_url),
            Operation(names.CREATE_OAUTH, "POST", f"{one}/oauth", self._create_oauth),
            Operation(names.CREATE_PERSONAL_AUTH, "POST", f"{one}/personal", self._create_personal),
            Operation(names.CREATE_PASSWORD_AUTH, "POST", f"{one}/password", self._create_password),
            Operation(names.DELETE_AUTHORIZE, "DELETE", auths + "/{name}", self._delete),
            Operation(names.LIST_NAMESPACES, "GET", f"{repos}/namespaces", self._list_namespaces),
            Operation(names.SHOW_PROJECT_DETAIL, "GET", f"{repos}/project-info", self._show_detail),
        ]

    async def _list(self, call: Call) -> web.Response:
        live = self._fleet.authorizations(call.project_id).values()
        entries = [authorization.to_wire() for authorization in live]
        return to_answer({"authorizations": entries, "count": len(entries)})

    async def _show_redirect_url(self, call: Call) -> web.Response:
        repo_type = _repo_type(call, _OAUTH_PAGES)
        state = f"$2a$10${self._random.randbytes(26).hex()}"
        self._oauth_states.add(state)
        query = {
            "client_id": "servicestage",
            "redirect_uri": f"https://console.example/servicestage/oauth?repo_type={repo_type}",
            "state": state,
            "scope": "read:user repo write:repo_hook",
        }
        return to_answer({"url": f"{_OAUTH_PAGES[repo_type]}?{urlencode(query)}"})

    async def _create_oauth(self, call: Call) -> web.Response:
        repo_type = _repo_type(call, _OAUTH_PAGES)
        access = call.read(OAuthAccess, _bad_parameter())
        if access.state not in self._oauth_states:
            raise RefusalError.of_service(400, "0402", "oauth code or state invalid")
        self._oauth_states.remove(access.state)
        tag = call.request.query.get("tag")
        spec = AuthorizationSpec(name=access.name, repo_type=repo_type, tag=tag)
        return self._create(call.project_id, spec)

    async def _create_personal(self, call: Call) -> web.Response:
        repo_type = _repo_type(call, ("github", "gitlab", "gitee"))
        access = call.read(PersonalAccess, _bad_parameter())
        spec = AuthorizationSpec(
            name=access.name,
            repo_type=repo_type,
            repo_host=access.host,
            token_type="personal",  # noqa: S106 - a kind, not a token
        )
        return self._create(call.project_id, spec)

    async def _create_password(self, call: Call) -> web.Response:
        repo_type = _repo_type(call, ("github", "devcloud", "bitbucket"))
        access = call.read(PasswordAccess, _bad_parameter())
        spec = AuthorizationSpec(
            name=access.name,
            repo_type=repo_type,
            repo_user=access.account,
            token_type="password",  # noqa: S106 - a kind, not a token
        )
        return self._create(call.project_id, spec)

    async def _delete(self, call: Call) -> web.Response:
        if not self._fleet.delete(call.project_id, call.request.match_info["name"]):
            # 500 is the only failure that the page of this call lists; the code is invented.
            raise RefusalError.of_service(500, "0500", "internal error")
        return web.Response(status=204)

    async def _list_namespaces(self, call: Call) -> web.Response:
        authorization = await self._exercise(call)
        space = {"id": authorization.repo_user, "name": authorization.repo_user}
        return to_answer({"namespaces": [space]})

    async def _show_detail(self, call: Call) -> web.Response:
        await self._exercise(call)
        path = urlsplit(call.request.query.get("clone_url", "")).path.strip("/")
        namespace, slash, name = path.removesuffix(".git").rpartition("/")
        if not slash or not name:
            raise RefusalError.of_service(400, "0452", "clone url invalid")
        detail = {"namespace": namespace, "project": name}
        return to_answer(detail | {"namespace_id": namespace, "project_id": name})

    async def _exercise(self, call: Call) -> Authorization:
        """What the Git host would say of the stored credential."""
        name = call.request.headers.get("X-Repo-Auth", "")
        authorization = self._fleet.authorizations(call.project_id).get(name)
        if authorization is None or authorization.verdict == "missing":
            raise RefusalError.of_service(400, "0450", "no repository authorization")
        if authorization.verdict == "broken":
            raise RefusalError.of_service(400, "0451", "repository authorization invalid")
        if authorization.verdict == "timeout":
            await self._sleep(_BACKEND_TIMEOUT.total_seconds())
            raise RefusalError.of_gateway(504, "0201", "Backend timeout.")
        return authorization

    def _create(self, project_id: str, spec: AuthorizationSpec) -> web.Response:
        if spec.name in self._fleet.authorizations(project_id):
            raise RefusalError.of_service(400, "0403", "resource already exist")
        made_now = spec.model_copy(update={"created": timedelta(), "updated": timedelta()})
        authorization = made_now.at(self._now())
        self._fleet.put(project_id, authorization)
        entry = authorization.to_wire()
        del entry["tag"]
        return to_answer({"authorization": entry})


def _bad_parameter() -> RefusalError:
    return RefusalError.of_service(400, "0400", "parameter invalid")


def _repo_type(call: Call, implemented: Container[str]) -> str:
    """The kind in the path, in lower case: the pages of the API reference vary in this."""
    repo_type = call.request.match_info["repo_type"].lower()
    if repo_type not in implemented:
        raise RefusalError.of_service(400, "0401", "repository not implemented")
    return repo_type
