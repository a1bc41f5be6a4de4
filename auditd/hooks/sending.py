"""One attempt at a delivery, whatever its hook does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from auditd.alerting.delivery import Delivery
from auditd.alerting.events import SendFailure
from auditd.hooks.lane import Lane, Parcel
from auditd.hooks.outcome import delivered, failed
from auditd.hooks.port import Hook, HookError, Message, RetryLaterError

HANG_SECONDS = 300.0
"""More than any kind of hook allows itself; what takes longer is a defect of the kind."""

_LONGEST_HOLD_SECONDS = 3600.0

_log = logging.getLogger(__name__)


class Sender:
    """Makes attempts, and says what each means for its delivery.

    Args:
        external_url: where people reach this daemon.
        random: a number in [0, 1).
    """

    def __init__(
        self,
        external_url: str,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._external_url = external_url
        self._now = now
        self._monotonic = monotonic
        self._random = random

    async def attempt(self, lane: Lane, claimed: Delivery) -> Parcel:
        """Send what was claimed; the lane is held when its receiver asks for it.

        Raises nothing but CancelledError.
        """
        began_at = self._monotonic()
        message = Message(claimed.id, claimed.notification, claimed.attempts, self._external_url)
        error = await _send(lane.hook, message)
        now = self._now()
        if error is None:
            return delivered(claimed, duration_seconds=self._monotonic() - began_at, now=now)
        if error.retry_after_seconds:
            lane.hold(min(error.retry_after_seconds, _LONGEST_HOLD_SECONDS))
        return failed(claimed, error, random_fraction=self._random(), now=now)


async def _send(hook: Hook, message: Message) -> HookError | None:
    """Why it was not taken; None when it was."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await hook.send(message)
    except HookError as error:
        return error
    except TimeoutError:
        msg = f"hook {hook.name!r}: it was still sending after {HANG_SECONDS:g} s"
        return RetryLaterError(SendFailure.TIMEOUT, msg)
    except Exception as error:  # noqa: BLE001 # a kind may raise anything; it is logged
        _log.exception("hook %s failed inside this program", hook.name)
        kind = type(error).__name__
        msg = f"hook {hook.name!r}: {kind} inside this program; please report it with its log"
        return RetryLaterError(SendFailure.INTERNAL, msg)
    return None
