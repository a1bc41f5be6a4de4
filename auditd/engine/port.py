"""What an engine is: it takes jobs and has each done once, somewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, Protocol, TypeAlias

from auditd.audit.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class Job:
    """Something that is to be done for a slot. It names things and holds nothing of them.

    While one of a kind and key waits to be begun, another is not taken.
    """

    kind: str
    key: str
    slot: datetime


@dataclass(frozen=True, slots=True)
class EngineStats:
    """How the engine is."""

    running: int
    """Jobs that are being done in this process."""
    restarts: int = 0
    """How often it had to begin anew, because what it works with went away."""
    reaped: int = 0
    """Jobs of processes that died which were taken away here."""


Handler: TypeAlias = Callable[[Job], Awaitable[None]]
"""Does a job. Raises nothing but CancelledError. The next slot is the retry: no job is done again
because it failed, or because its process died."""


class Engine(Protocol):
    """Has jobs done."""

    def submit(self, jobs: Iterable[Job], transaction: object | None = None) -> None:
        """Take jobs. They are begun once `transaction` is committed, if that is given.

        Args:
            jobs: those to be done.
            transaction: a SQLAlchemy connection within one, for an engine that is in a database.
        """

    async def run(self, handlers: Mapping[str, Handler]) -> NoReturn:
        """Do jobs until cancelled, by kind. Those under way are cancelled with it, and awaited."""

    def stats(self) -> EngineStats:
        """How it is now."""
