"""Lets a hook sign a request to Huawei Cloud with a configured credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from auditd.alerting.events import SendFailure
from auditd.audit.failure import PollError
from auditd.hooks.port import HttpRequest, RetryLaterError
from auditd.servicestage.cloud import Cloud
from auditd.servicestage.message import Request


class CloudSigner:
    """See hooks' Sign. `cloud` is asked for at each request: it is opened after the hooks."""

    def __init__(self, cloud: Callable[[], Cloud]) -> None:
        self._cloud = cloud

    async def __call__(
        self, request: HttpRequest, *, credential: str, project_id: str, region: str
    ) -> HttpRequest:
        """See hooks' Sign."""
        parts = urlsplit(request.url)
        unsigned = Request(
            method=request.method,
            origin=f"{parts.scheme}://{parts.netloc}",
            target=parts.path or "/",
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=request.headers,
            body=request.body,
        )
        try:
            signed = await self._cloud().prove(
                unsigned, credential=credential, project_id=project_id, region=region
            )
        except PollError as error:
            raise RetryLaterError(
                SendFailure.FAILED, f"credential {credential!r}: {error}"
            ) from error
        return replace(request, headers=signed.headers)
