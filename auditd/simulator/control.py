"""Looking into the simulator, and interfering, from this machine only.

GET  /_simulator/stats
    {"requests": [{operation, project, credential, status, count}], "logins": {scope: n},
     "authentication_failures": {AK or domain/user: n}, "locked": [AK or domain/user]}
    status 0 is an answer that was not completed.
POST /_simulator/revoke                    {"project": NAME}, or no body for all tokens
    {"revoked": n}
POST /_simulator/authorizations/PROJECT    {"name": NAME, "set": {status: overdue, ...}}
    the changed authorization; `set` has the keys of `life.changes[].set`
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from auditd.simulator.authorization import AuthorizationPatch
from auditd.simulator.fleet import Fleet
from auditd.simulator.gateway import Gateway
from auditd.simulator.iam import Iam
from auditd.simulator.ledger import Ledger
from auditd.simulator.scenario import ProjectSpec
from auditd.simulator.tokens import TokenStore

_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Revocation(BaseModel):
    project: str | None = None


class _Amendment(BaseModel):
    name: str
    set_: AuthorizationPatch = Field(alias="set")


class Control:
    """The paths under /_simulator/."""

    def __init__(
        self, *, fleet: Fleet, gateway: Gateway, iam: Iam, ledger: Ledger, tokens: TokenStore
    ) -> None:
        self._fleet = fleet
        self._gateway = gateway
        self._iam = iam
        self._ledger = ledger
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """All of them; another machine is told that there is nothing."""
        return [
            web.get("/_simulator/stats", _from_here(self._show_stats)),
            web.post("/_simulator/revoke", _from_here(self._revoke)),
            web.post("/_simulator/authorizations/{project}", _from_here(self._amend)),
        ]

    async def _show_stats(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        locked = [*self._gateway.locked(), *self._iam.locked()]
        return web.json_response(self._ledger.to_json() | {"locked": locked})

    async def _revoke(self, request: web.Request) -> web.Response:
        try:
            name = _Revocation.model_validate_json(await request.read() or b"{}").project
        except ValidationError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        project_id = None if name is None else self._find(name).id
        return web.json_response({"revoked": self._tokens.revoke(project_id)})

    async def _amend(self, request: web.Request) -> web.Response:
        project = self._find(request.match_info["project"])
        try:
            wanted = _Amendment.model_validate_json(await request.read())
        except ValidationError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        changed = self._fleet.patch(project.id, wanted.name, wanted.set_)
        if changed is None:
            raise web.HTTPNotFound(text=f"{project.name} has no authorization {wanted.name!r}")
        return web.json_response(changed.to_wire())

    def _find(self, name: str) -> ProjectSpec:
        project = self._fleet.find_by_name(name)
        if project is None:
            raise web.HTTPNotFound(text=f"there is no project {name!r}")
        return project


def _from_here(handler: _Handler) -> _Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.remote is None or not ipaddress.ip_address(request.remote).is_loopback:
            raise web.HTTPNotFound
        return await handler(request)

    return answer
