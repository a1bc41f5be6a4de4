"""What a fault gets to work with: a request, and the answer that it would have had."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from aiohttp import web

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for as many seconds; asyncio.sleep outside tests."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request under way. `proceed` makes the answer that there would be without the fault."""

    request: web.Request
    proceed: Callable[[], Awaitable[web.Response]]
    sleep: Sleep

    async def proceed_bytes(self) -> bytes:
        """The body of the answer that there would be without the fault."""
        body = (await self.proceed()).body
        return body if isinstance(body, bytes) else b""

    def begin(self, *, content_length: int | None = None, encoding: str = "") -> web.StreamResponse:
        """A 200 JSON answer whose body the fault writes itself."""
        response = web.StreamResponse(headers={"Content-Type": "application/json;charset=utf8"})
        response.content_length = content_length
        if encoding:
            response.headers["Content-Encoding"] = encoding
        return response
