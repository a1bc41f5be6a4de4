"""A project's permission to use its credential, and what is asked with it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from auditd.audit.authorization import Listing
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.project import Project
from auditd.audit.verification import Verdict
from auditd.servicestage import operations
from auditd.servicestage.client import Admission, Reply
from auditd.servicestage.clients import Clients
from auditd.servicestage.credentials.port import Scope
from auditd.servicestage.listing import parse_listing
from auditd.servicestage.message import Request
from auditd.servicestage.namespaces import read_verdict
from auditd.servicestage.redirect import parse_redirect

_HEADER_SAFE_NAME = re.compile(r"[A-Za-z0-9._-]+")

_OWN_FAULTS = frozenset({FailureReason.AUTH, FailureReason.AUTH_LOCKED, FailureReason.THROTTLED})


class ProjectTurn:
    """See polling's Turn."""

    def __init__(
        self,
        project: Project,
        clients: Clients,
        endpoint_of: Callable[[str], Awaitable[str]],
    ) -> None:
        self._project = project
        self._clients = clients
        self._endpoint_of = endpoint_of
        self._endpoint: str
        self._admission: Admission

    async def __aenter__(self) -> Self:
        """See polling's AuthorizationSource.

        Raises:
            PollError: the credential is refused, held or throttled, its turn did not come
                within the project's poll_interval, or the region has no known endpoint.
        """
        project = self._project
        self._endpoint = project.endpoint or await self._endpoint_of(project.region)
        self._admission = await self._clients.of(project.credential).admit(
            Scope(project.project_id, project.region),
            budget_seconds=project.poll_interval.total_seconds(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._admission.leave()

    async def list_authorizations(self, known: Listing | None = None) -> Listing:
        """See polling's Turn."""
        request = operations.list_authorizations(self._endpoint, self._project.project_id)
        reply = await self._send(request)
        if reply.error is not None:
            raise reply.error
        return parse_listing(reply.answer.body, known)

    async def verify(self, authorization: str) -> Verdict:
        """See polling's Turn.

        A name that is not safe in a header is not sent at all: INCONCLUSIVE.
        """
        if not _HEADER_SAFE_NAME.fullmatch(authorization):
            return Verdict.INCONCLUSIVE
        request = operations.list_namespaces(
            self._endpoint, self._project.project_id, authorization
        )
        try:
            reply = await self._send(request)
        except PollError as error:
            if error.reason in _OWN_FAULTS:
                raise
            return Verdict.INCONCLUSIVE
        return read_verdict(reply.answer)

    async def redirect_url(self, repo_type: str, tag: str) -> str:
        """Where a person authorizes ServiceStage at the Git host anew; it is good for one use.

        Raises:
            PollError: it was not given.
        """
        request = operations.show_redirect_url(
            self._endpoint, self._project.project_id, repo_type, tag
        )
        reply = await self._send(request)
        if reply.error is not None:
            raise reply.error
        return parse_redirect(reply.answer.body)

    def _send(self, request: Request) -> Awaitable[Reply]:
        timeout_seconds = self._project.poll_timeout.total_seconds()
        return self._admission.send(request, timeout_seconds=timeout_seconds)
