"""What differs between the databases that can be behind a store."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Connection, Engine

from auditd.store.errors import StoreFault
from auditd.store.receipts import Receipts
from auditd.store.revisions import Revisions


class Backing(Protocol):
    """One database. Its engines are for one thread, in which all its transactions run."""

    @property
    def place(self) -> str:
        """Where it is, fit for people and without a secret."""

    @property
    def writes(self) -> Engine:
        """What others write is excluded while it matters, or told as a fault."""

    @property
    def reads(self) -> Engine:
        """Its transactions see one state, and work where nothing can be written."""

    def fault_of(self, error: BaseException | None) -> StoreFault:
        """What an error of the driver means."""

    def check(self, connection: Connection) -> None:
        """Look through all of it, as far as that is ours to do. Raises ValueError for damage."""

    @property
    def revisions(self) -> Revisions | None:
        """Needed where others may write too; None where this process is alone."""

    @property
    def receipts(self) -> Receipts | None:
        """Needed where the answer to a commit can be lost; None where it cannot."""
