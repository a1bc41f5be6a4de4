"""The HTTP API of a daemon that runs, as the commands beside it use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum, auto
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp

DEADLINE_SECONDS = 10.0
_QUOTED_LIMIT = 256
"""Characters of an answer that appear in an error."""


class Fault(Enum):
    """Why the daemon did not do what was asked."""

    UNREACHABLE = auto()
    """Nobody answers at the address, or no daemon of ours."""
    MISTAKEN = auto()
    """What was asked for is not there, does not fit, or is not well formed."""
    UNABLE = auto()
    """The daemon cannot now, or lets nobody do so from here."""


class RunningDaemonError(Exception):
    """The daemon did not do what was asked. The message is fit for people."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class RunningDaemon:
    """Asks one daemon. Each method raises RunningDaemonError.

    Args:
        url: where the daemon is reached, with the path of its external URL if it has one.
        deadline_seconds: from the first packet to the last byte.
    """

    def __init__(self, url: str, *, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._deadline_seconds = deadline_seconds

    async def replay(self, delivery_id: str) -> None:
        """Owe a dead delivery again."""
        await self._call("POST", f"deliveries/{_segment(delivery_id)}/replay", {})

    async def enable_hook(self, name: str) -> None:
        """Tell a hook again what it is owed."""
        await self._call("POST", f"hooks/{_segment(name)}/enable", {})

    async def create_silence(
        self,
        *,
        matchers: Sequence[str],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> str:
        """Silence what fits all matchers. Returns the id of the silence."""
        silence = {
            "matchers": list(matchers),
            "starts_at": starts_at.isoformat(),
            "ends_at": ends_at.isoformat(),
            "author": author,
            "comment": comment,
        }
        return str((await self._call("POST", "silences", silence))["id"])

    async def expire_silence(self, silence_id: str, author: str) -> None:
        """End a silence now."""
        await self._call("DELETE", f"silences/{_segment(silence_id)}", {"author": author})

    async def acknowledge(self, fingerprint: str, *, author: str, comment: str) -> None:
        """Stop the repeats of a firing alert."""
        path = f"alerts/{_segment(fingerprint)}/acknowledge"
        await self._call("POST", path, {"author": author, "comment": comment})

    async def _call(self, method: str, path: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The data of the answer; empty where it has none."""
        try:
            async with asyncio.timeout(self._deadline_seconds):
                status, body = await self._exchange(f"{self._url}/api/v1/{path}", method, content)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            msg = f"no daemon answers at {self._url}: {_reason(error)}"
            raise RunningDaemonError(Fault.UNREACHABLE, msg) from error
        return self._judge(status, body)

    async def _exchange(
        self, url: str, method: str, content: Mapping[str, Any]
    ) -> tuple[int, bytes]:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.request(method, url, json=content, allow_redirects=False) as response,
        ):
            return response.status, await response.read()

    def _judge(self, status: int, body: bytes) -> Mapping[str, Any]:
        try:
            envelope: Any = json.loads(body)
            is_ours = envelope["status"] in {"success", "error"}
        except (ValueError, LookupError, TypeError, RecursionError):
            is_ours = False
        if not is_ours:
            msg = f"what answers at {self._url} ({status}) is no daemon of this release"
            raise RunningDaemonError(Fault.UNREACHABLE, msg)
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            data = envelope.get("data")
            return data if isinstance(data, dict) else {}
        said = str(envelope.get("error", ""))[:_QUOTED_LIMIT]
        mistaken = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
        fault = Fault.MISTAKEN if status in mistaken else Fault.UNABLE
        raise RunningDaemonError(fault, f"the daemon at {self._url} answered {status}: {said}")


def _segment(text: str) -> str:
    """Any text as one part of a path."""
    return quote(text, safe="")


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "there was no answer in time"
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return (isinstance(cause, OSError) and cause.strerror) or "it speaks no HTTP"
