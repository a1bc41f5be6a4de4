"""A stand-in for whoever is told of alerts: takes signed webhooks, verifies them, shows them.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Received:
    """One verified webhook."""

    id: str
    payload: Any
    is_repeated: bool
    """It came before: delivery is at least once."""


class Receiver:
    """Verifies with one secret; `show` is told of each webhook that holds.

    `now` gives aware UTC datetimes. A signature that does not hold is answered with 401.
    """

    def __init__(
        self, secret: str, *, show: Callable[[Received], None], now: Callable[[], datetime]
    ) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._show = show
        self._now = now
        self._seen: set[str] = set()

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Listen until the context ends. Yields the URL to post to."""
        application = web.Application()
        application.router.add_post("/alerts", self._receive)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            bound_host, bound_port = runner.addresses[0][:2]
            yield f"http://{bound_host}:{bound_port}/alerts"
        finally:
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._holds(request.headers, body):
            return web.Response(status=web.HTTPUnauthorized.status_code)
        webhook_id = request.headers["webhook-id"]
        self._show(Received(webhook_id, json.loads(body), webhook_id in self._seen))
        self._seen.add(webhook_id)
        return web.Response(status=web.HTTPNoContent.status_code)

    def _holds(self, headers: Any, body: bytes) -> bool:
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        webhook_id, timestamp, signatures = (headers.get(name, "") for name in names)
        if not timestamp.isascii() or not timestamp.isdigit():
            return False
        at = datetime.fromtimestamp(int(timestamp), UTC)
        content = f"{webhook_id}.{timestamp}.".encode() + body
        expected = base64.b64encode(hmac.digest(self._key, content, hashlib.sha256)).decode()
        is_signed = any(
            hmac.compare_digest(signature.encode(), f"v1,{expected}".encode())
            for signature in signatures.split(" ")
        )
        return is_signed and abs(self._now() - at) <= _TOLERANCE
