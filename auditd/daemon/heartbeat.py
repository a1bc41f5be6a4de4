"""Calls an address while this daemon is well, so that its silence alarms whoever listens there.

An alert that the daemon cannot send any more, because it hangs, lost its state or its network,
or is not there at all, is told by the far side of this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NoReturn

from structlog.typing import FilteringBoundLogger

from auditd.audit.plugin import Secret
from auditd.hooks.port import HookError, Http, HttpRequest
from auditd.hooks.verdict import judge
from auditd.telemetry import names

_SENDER = "heartbeat"


class _Standing(Enum):
    SENT = auto()
    WITHHELD = auto()
    REFUSED = auto()


class Heartbeat:
    """Sends a GET at each interval, but none while there is trouble.

    It is logged when it begins to be sent, withheld or refused, and not again until that changes.

    Args:
        url: where to; read anew for each beat.
        interval: from the end of one beat to the next.
        http: the guarded way out, with a deadline of its own.
        troubles: what is wrong with this daemon now, in sentences; empty when it is well.
        on_sent: told when a beat arrived.
        logger: where the changes are logged.
        now: the wall clock.
        claim: whether it is for this replica to beat now; without others it always is.
    """

    def __init__(
        self,
        *,
        url: Secret,
        interval: timedelta,
        http: Http,
        troubles: Callable[[], Sequence[str]],
        on_sent: Callable[[datetime], None],
        logger: FilteringBoundLogger,
        now: Callable[[], datetime],
        claim: Callable[[str, timedelta], Awaitable[bool]] | None = None,
    ) -> None:
        self._url = url
        self._interval = interval
        self._interval_seconds = interval.total_seconds()
        self._claim = claim
        self._http = http
        self._troubles = troubles
        self._on_sent = on_sent
        self._logger = logger
        self._now = now
        self._standing: _Standing | None = None

    async def run(self, ready: asyncio.Event) -> NoReturn:
        """Beat until cancelled, at once when `ready` is set and otherwise after an interval."""
        with suppress(TimeoutError):
            await asyncio.wait_for(ready.wait(), self._interval_seconds)
        while True:
            if await self._is_ours():
                await self.beat()
            await asyncio.sleep(self._interval_seconds)

    async def _is_ours(self) -> bool:
        """Also when there is trouble: then another replica may be well, and claims it."""
        if self._claim is None or self._troubles():
            return True
        return await self._claim("heartbeat", self._interval)

    async def beat(self) -> None:
        """Send it, or withhold it. Raises nothing but CancelledError."""
        if troubles := self._troubles():
            self._note(_Standing.WITHHELD, names.HEARTBEAT_WITHHELD, troubles=list(troubles))
            return
        try:
            await self._send()
        except HookError as error:
            said = str(error).removeprefix(f"hook {_SENDER!r}: ")
            self._note(
                _Standing.REFUSED, names.HEARTBEAT_REFUSED, reason=error.reason.value, message=said
            )
        except OSError as error:  # the file of the address cannot be read
            self._note(_Standing.REFUSED, names.HEARTBEAT_REFUSED, message=str(error))
        else:
            self._on_sent(self._now())
            self._note(_Standing.SENT, names.HEARTBEAT_SENT)

    async def _send(self) -> None:
        request = HttpRequest(url=self._url.reveal(), body=b"", method="GET")
        answer = await self._http.send(request, hook=_SENDER)
        judge(answer, request, hook=_SENDER, now=self._now())

    def _note(self, standing: _Standing, event: str, **details: object) -> None:
        if standing is self._standing:
            return
        self._standing = standing
        if standing is _Standing.SENT:
            self._logger.info(event)
        else:
            self._logger.warning(event, **details)
