"""The stand-in cloud itself: one port for ServiceStage, IAM, STS and the metadata services."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import partial
from random import Random

from aiohttp import web

from auditd.simulator.call import Call, Operation
from auditd.simulator.caller import NOBODY, Caller
from auditd.simulator.control import Control
from auditd.simulator.directory import Directory
from auditd.simulator.exchange import Exchange, Sleep
from auditd.simulator.faults import Faults
from auditd.simulator.fleet import Fleet
from auditd.simulator.gateway import Gateway
from auditd.simulator.iam import Iam
from auditd.simulator.keyring import KeyRing
from auditd.simulator.ledger import Ledger
from auditd.simulator.metadata import Metadata
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.repositories import Repositories
from auditd.simulator.scenario import Scenario
from auditd.simulator.signature import SignedRequest, lower_headers
from auditd.simulator.tokens import TokenStore

_HEADER_LIMIT_BYTES = 65536
"""Of one header: a token is longer than aiohttp's default allows."""
_BODY_LIMIT_BYTES = 12 * 1024 * 1024
"""Source: API Sign guide, the largest body of a signed request."""
_SHUTDOWN_SECONDS = 0.1
"""How long answers under way are waited for: slow ones are slow on purpose."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a simulator listens. `url` has no trailing slash."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The one endpoint of all services."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


class Simulator:
    """A scenario come alive.

    `now` gives aware UTC datetimes and decides all: life, expiry, signatures, the Date header.
    `start` is when the time of the scenario began, by default the moment it is made. `sleep`
    is how slow answers wait.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        now: Callable[[], datetime],
        start: datetime | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._now = now
        self._start = now() if start is None else start
        self._sleep = sleep
        # Not for secrets: what it makes opens nothing but this stand-in.
        self._random = random = Random(scenario.seed)  # noqa: S311
        self._faults = Faults(scenario.faults, seed=scenario.seed)
        self._ledger = ledger = Ledger()
        self._fleet = fleet = Fleet(scenario, start=self._start, now=now)
        credentials = scenario.credentials
        tokens = TokenStore(scenario.tokens, random=random, now=now)
        keys = KeyRing(credentials, random=random, start=self._start, now=now)
        self._gateway = Gateway(keys=keys, tokens=tokens, fleet=fleet, ledger=ledger, now=now)
        iam = Iam(credentials, keys=keys, tokens=tokens, fleet=fleet, ledger=ledger, now=now)
        self._operations = [
            *Repositories(fleet, random=random, now=now, sleep=sleep).operations(),
            *iam.operations(),
            *Directory(fleet).operations(),
            *Metadata(credentials, keys=keys, random=random, now=now).operations(),
            Operation(OperationName.UNKNOWN, "*", "/{rest:.*}", _refuse_unknown, is_open=True),
        ]
        self._control = Control(
            fleet=fleet, gateway=self._gateway, iam=iam, ledger=ledger, tokens=tokens
        )

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Bound]:
        """Listen until the context ends; port 0 takes any that is free.

        Raises:
            OSError: the address is taken or not ours.
        """
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            auto_decompress=False,
            handler_cancellation=True,
            max_field_size=_HEADER_LIMIT_BYTES,
            max_line_size=_HEADER_LIMIT_BYTES,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound_host, bound_port = runner.addresses[0][:2]
            yield Bound(bound_host, bound_port)
        finally:
            await runner.cleanup()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=_BODY_LIMIT_BYTES)
        application.add_routes(self._control.routes())
        # In this order: the last operation takes whatever the others did not.
        for operation in self._operations:
            handler = partial(self._answer, operation)
            application.router.add_route(operation.method, operation.path, handler)
        application.on_response_prepare.append(self._stamp)
        return application

    async def _answer(self, operation: Operation, request: web.Request) -> web.StreamResponse:
        """Authenticate, let a fault strike, answer, and count whatever came of it."""
        caller, status = NOBODY, 0
        try:
            body = await _read_body(request)
            if not operation.is_open:
                caller = self._authenticate(request, body)
                self._admit(operation, request, caller)
            response = await self._strike(operation, Call(request, body, caller))
            status = response.status
        except RefusalError as refusal:
            status = refusal.status
            return refusal.to_response(self._make_request_id())
        except web.HTTPException as answer:
            status = answer.status
            raise
        else:
            return response
        finally:
            project = self._project_name(request)
            self._ledger.count_request(operation.name, project, caller.credential, status)

    def _authenticate(self, request: web.Request, body: bytes) -> Caller:
        headers = lower_headers(request.raw_headers)
        signed = SignedRequest(request.method, request.raw_path, headers, body)
        return self._gateway.authenticate(signed)

    def _admit(self, operation: Operation, request: web.Request, caller: Caller) -> None:
        project_id = request.match_info.get("project_id")
        if project_id is not None:
            self._gateway.admit(caller, project_id, operation.name)

    async def _strike(self, operation: Operation, call: Call) -> web.StreamResponse:
        project = self._project_name(call.request)
        effect = self._faults.strike(operation.name, project, self._now() - self._start)
        if effect is None:
            return await operation.handler(call)
        proceed = partial(operation.handler, call)
        return await effect.answer(Exchange(call.request, proceed, self._sleep))

    def _project_name(self, request: web.Request) -> str:
        project = self._fleet.find(request.match_info.get("project_id", ""))
        return project.name if project is not None else ""

    def _make_request_id(self) -> str:
        return self._random.randbytes(16).hex()

    async def _stamp(self, request: web.Request, response: web.StreamResponse) -> None:  # noqa: ARG002 - a signal
        """The headers that every answer has; Date tells the simulator's time."""
        response.headers["Date"] = format_datetime(self._now(), usegmt=True)
        response.headers.setdefault("X-Request-Id", self._make_request_id())


async def _read_body(request: web.Request) -> bytes:
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise RefusalError.of_gateway(413, "0201", "Request entity too large.") from None


async def _refuse_unknown(call: Call) -> web.Response:  # noqa: ARG001 - a handler
    message = "The API does not exist or has not been published in the environment"
    raise RefusalError.of_gateway(404, "0101", message)
