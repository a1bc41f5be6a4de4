"""Stands for a hook that is owed something and is not configured any more."""

from __future__ import annotations

from auditd.alerting.events import SendFailure
from auditd.hooks.port import Message, RefusedError


class RemovedHook:
    """See Hook. Nothing can be sent by it."""

    kind = "removed"
    limit: int | None = None
    messages_per_minute: int | None = None

    def __init__(self, name: str) -> None:
        self.name = name

    async def send(self, message: Message) -> None:  # noqa: ARG002 -- the shape of every hook
        """See Hook."""
        msg = f"hook {self.name!r}: it is not configured any more"
        raise RefusedError(SendFailure.FAILED, msg)
