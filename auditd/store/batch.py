"""What is done to the database, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from auditd.store.backing import Backing
from auditd.store.errors import StoreFault, StoreHeldError, StoreReadError

LONGEST_SECONDS = 0.1
"""No work is begun in a batch that is older."""


def _never() -> bool:
    return False


def _nothing() -> None:
    pass


def at_once(_: Connection) -> None:
    """Nothing was put off."""


@dataclass(frozen=True, slots=True)
class Work:
    """Something that is done to the database, as a whole or not at all."""

    do: Callable[[Connection], Any]
    unless: Callable[[], bool] = _never
    """Asked once all earlier works are done; if true there is nothing to do."""
    put_off: Callable[[Connection], None] = at_once
    """Does what `do` put off: once for all works in a row that have the same. Idempotent."""
    undo: Callable[[], None] = _nothing
    """Takes back what `do` changed in memory; called when its transaction failed. Idempotent."""
    amends: tuple[Callable[[Connection], None], ...] = ()
    """What squares memory and database when it turns out that the work was stored after all,
    though whoever asked was told that it was not. Each is called once for many works."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a work returned."""

    value: Any = None


Outcome: TypeAlias = Done | Exception
"""An exception says that nothing of the work was stored."""


@dataclass(slots=True)
class Batch:
    """What became of works: of the first ones, if it took too long."""

    outcomes: list[Outcome] = field(default_factory=list)
    is_committed: bool = False
    """Whether there was something to commit, and it is."""
    fault: StoreFault | None = None
    """Why nothing could be stored."""


def read(backing: Backing, works: Sequence[Work]) -> Batch:
    """Do works one by one, each on one state of the database."""
    batch, late_at = Batch(), monotonic() + LONGEST_SECONDS
    for work in works:
        try:
            with backing.reads.connect() as connection:
                batch.outcomes.append(Done(work.do(connection)))
        except Exception as error:  # noqa: BLE001 -- whoever asked gets it
            batch.outcomes.append(_told(error, backing))
        if monotonic() >= late_at:
            break
    return batch


def _told(error: Exception, backing: Backing) -> Exception:
    match error:
        case DBAPIError():
            fault = backing.fault_of(error.orig)
        case StoreHeldError():
            fault = StoreFault.BUSY
        case _:
            return error
    failure = StoreReadError(fault, backing.place)
    failure.__cause__ = error
    return failure
