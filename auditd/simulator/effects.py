"""What a fault does when it answers in place of the service, over sound HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from aiohttp import web
from pydantic import Field

from auditd.simulator.exchange import Exchange
from auditd.simulator.moments import Duration
from auditd.simulator.refusal import RefusalError
from auditd.simulator.section import Section

_GATEWAY = {
    400: ("0602", "Bad request."),
    401: ("0301", "Incorrect IAM authentication information: decrypt token fail"),
    403: ("0302", "The IAM user is not authorized to access the API."),
    404: ("0101", "The API does not exist or has not been published in the environment"),
    413: ("0201", "Request entity too large."),
    429: ("0308", "The throttling threshold has been reached."),
    494: ("0201", "Request headers too large."),
    500: ("0601", "Internal server error."),
    502: ("0201", "Backend unavailable."),
    503: ("0613", "The IAM service is unavailable."),
    504: ("0201", "Backend timeout."),
}
"""Source: the gateway's error code table (API Sign guide, "Error Codes")."""


class StatusEffect(Section):
    """Another status; without `body` the gateway's own text for it."""

    type: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: str | None = None
    headers: dict[str, str] = Field(default_factory=dict)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:  # noqa: ARG002 - one shape
        """The status without asking the service."""
        if self.body is None:
            code, message = _GATEWAY.get(self.status, ("0601", f"Status {self.status}."))
            raise RefusalError.of_gateway(self.status, code, message, headers=self.headers)
        headers = {"Content-Type": "application/json;charset=utf8"} | self.headers
        return web.Response(status=self.status, body=self.body.encode(), headers=headers)


class ThrottleEffect(Section):
    """429. `limit` is the tail of the message, for example `limit:200,time:5 minute`."""

    type: Literal["throttle"]
    retry_after: Duration | None = None
    limit: str | None = None

    async def answer(self, exchange: Exchange) -> web.StreamResponse:  # noqa: ARG002 - one shape
        """A refusal with the hints that were asked for.

        Source: the message with its limit was seen in public bug reports (VPC); Retry-After is
        documented nowhere.
        """
        message = "The throttling threshold has been reached"
        message += f": policy user over ratelimit,{self.limit}" if self.limit else "."
        headers = {}
        if self.retry_after is not None:
            headers["Retry-After"] = str(round(self.retry_after.total_seconds()))
        raise RefusalError.of_gateway(
            HTTPStatus.TOO_MANY_REQUESTS, "0308", message, headers=headers
        )


class HtmlEffect(Section):
    """200 and a page, as a captive portal or a proxy answers."""

    type: Literal["html"]
    body: str = "<html><body>login</body></html>"

    async def answer(self, exchange: Exchange) -> web.StreamResponse:  # noqa: ARG002 - one shape
        """The page."""
        return web.Response(body=self.body.encode(), content_type="text/html")


class RedirectEffect(Section):
    """A redirection that no client should follow: the signature covers the host."""

    type: Literal["redirect"]
    location: str = "https://elsewhere.example/"
    status: int = Field(default=302, ge=301, le=308)

    async def answer(self, exchange: Exchange) -> web.StreamResponse:  # noqa: ARG002 - one shape
        """The redirection without a body."""
        return web.Response(status=self.status, headers={"Location": self.location})


class DelayEffect(Section):
    """The service's own answer, late."""

    type: Literal["delay"]
    delay: Duration

    async def answer(self, exchange: Exchange) -> web.StreamResponse:
        """Wait first; what is answered is as of afterwards."""
        await exchange.sleep(self.delay.total_seconds())
        return await exchange.proceed()
