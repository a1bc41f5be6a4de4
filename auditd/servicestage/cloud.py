"""Huawei Cloud as the daemon sees it: its credentials and what can be asked with them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Self

from auditd.audit.credential import CredentialStatus
from auditd.audit.events import Emit
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.servicestage import operations
from auditd.servicestage.channel import Transport
from auditd.servicestage.clients import Clients, CredentialSpec, Prepared
from auditd.servicestage.credentials.port import Scope
from auditd.servicestage.iam_answers import IamProject, parse_projects
from auditd.servicestage.message import Request
from auditd.servicestage.regions import iam_endpoint, servicestage_endpoint
from auditd.servicestage.turn import ProjectTurn

DISCOVERY_BUDGET_SECONDS = 60.0
DISCOVERY_TIMEOUT_SECONDS = 30.0

MOST_PAGES = 100
"""Pages of projects that are read at most: a link that leads in a circle must end."""


class Cloud:
    """Everything that is asked of Huawei Cloud, with the client of its credential.

    Works as it is; entered as a context it also renews keys ahead of their end. At most
    `concurrency` turns are had at once, and at most `requests_per_second` requests are sent for
    each credential and region.
    """

    def __init__(
        self,
        credentials: Sequence[CredentialSpec],
        *,
        transport: Transport,
        requests_per_second: float,
        concurrency: int,
        emit: Emit,
        now: Callable[[], datetime],
        random: Random,
        on_secret: Callable[[str], None],
    ) -> None:
        self._endpoints: dict[str, str] = {}
        self._clients = Clients(
            transport=transport,
            concurrency=concurrency,
            emit=emit,
            now=now,
            random=random,
            on_secret=on_secret,
        )
        self.adopt(
            self.prepare(credentials, requests_per_second=requests_per_second),
            requests_per_second=requests_per_second,
            concurrency=concurrency,
        )

    async def __aenter__(self) -> Self:
        await self._clients.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._clients.close()

    def prepare(
        self, credentials: Sequence[CredentialSpec], *, requests_per_second: float
    ) -> Prepared:
        """See Clients."""
        return self._clients.prepare(credentials, requests_per_second=requests_per_second)

    def adopt(self, prepared: Prepared, *, requests_per_second: float, concurrency: int) -> None:
        """See Clients."""
        self._clients.adopt(
            prepared, requests_per_second=requests_per_second, concurrency=concurrency
        )

    def turn(self, project: Project) -> ProjectTurn:
        """See polling's AuthorizationSource."""
        return ProjectTurn(project, self._clients, self._endpoint)

    async def prove(
        self, request: Request, *, credential: str, project_id: str, region: str
    ) -> Request:
        """A request of somebody else's, to another service, with a credential's proof.

        Raises:
            PollError: there is no such credential, or it has nothing to prove itself with.
        """
        client = self._clients.of(credential)
        authenticated = await client.credential.authenticate(request, Scope(project_id, region))
        return authenticated.request

    def lift_holds(self) -> None:
        """See Gate: the clock was set, which may be why credentials were refused."""
        for client in self._clients.all():
            client.lift_holds()

    def credential_statuses(self) -> tuple[CredentialStatus, ...]:
        """One for each credential, in the order of configuration."""
        return tuple(client.status() for client in self._clients.all())

    async def iam_projects(
        self, credential: str, *, endpoint: str | None = None
    ) -> tuple[IamProject, ...]:
        """Every project that the credential may use, disabled ones included.

        `endpoint` is IAM's base URL when it is not the credential's own or the global one.

        Asks `GET /v3/auth/projects`, which any user may for itself, and not `/v3/projects`,
        which needs a permission of its own (`iam:projects:listProjects`). The former is
        documented without paging; a `links.next` is followed all the same, on its own origin.

        Raises:
            PollError: not all of it came.
        """
        client = self._clients.of(credential)
        request = operations.list_own_projects(
            endpoint or client.credential.iam_endpoint or iam_endpoint(None)
        )
        origin = request.origin
        found: list[IamProject] = []
        with await client.admit(Scope(), budget_seconds=DISCOVERY_BUDGET_SECONDS) as admission:
            for _ in range(MOST_PAGES):
                reply = await admission.send(request, timeout_seconds=DISCOVERY_TIMEOUT_SECONDS)
                if reply.error is not None:
                    raise reply.error
                page = parse_projects(reply.answer.body)
                found.extend(page.projects)
                if page.next_url is None:
                    return tuple(found)
                if not page.next_url.startswith(f"{origin}/"):
                    break
                request = operations.follow(page.next_url)
        msg = f"{origin}: the list of projects does not end, or goes on at another host"
        raise PollError(FailureReason.MALFORMED, msg)

    async def _endpoint(self, region: str) -> str:
        """Of a region, looked up once: that reads files and imports, so it is done in a thread."""
        if region not in self._endpoints:
            try:
                found = await asyncio.to_thread(servicestage_endpoint, region)
            except ValueError as error:
                raise PollError(FailureReason.NOT_FOUND, str(error)) from error
            if found is None:
                msg = (
                    f"region {region!r} is not known to have ServiceStage; "
                    "correct it, or set the project's `endpoint`"
                )
                raise PollError(FailureReason.NOT_FOUND, msg)
            self._endpoints[region] = found
        return self._endpoints[region]
