"""A poll on its way to the board."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from auditd.audit.snapshot import ProjectSnapshot
from auditd.hooks.endurance import GRACE_SECONDS
from auditd.hooks.rest import Rest


@dataclass(eq=False, slots=True)
class Arrival:
    """A poll that waits to be recorded by somebody else."""

    snapshot: ProjectSnapshot
    rest: Rest | None
    """Of the poll before."""
    is_taken: bool = False
    """Whether its recording has begun."""
    is_over: bool = False
    error: BaseException | None = None
    """Why it is not recorded, once it is over; None when it is."""
    _told: asyncio.Future[None] = field(default_factory=asyncio.Future[None])

    def end(self) -> None:
        """It is over."""
        self.is_over = True
        if not self._told.done():
            self._told.set_result(None)

    async def wait(self) -> None:
        """Until it is over. Whoever is cancelled waits for it for GRACE_SECONDS all the same.

        Raises:
            BaseException: the error.
        """
        try:
            await self._told
        except asyncio.CancelledError:
            if not self.is_over:
                self._told = asyncio.Future()
                await asyncio.wait({self._told}, timeout=GRACE_SECONDS)
            raise
        if self.error:
            raise self.error
