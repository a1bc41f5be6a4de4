"""What happens to the file before the daemon uses it: checked, restored, brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from auditd.store.backup import Backups, set_aside, touch
from auditd.store.creation import create
from auditd.store.errors import StoreFault, StoreUnavailableError
from auditd.store.migration import HEAD, revision_of, upgrade
from auditd.store.sqlite import SIDE_FILES, DamageError, fault_of, open_engine, quick_check
from auditd.store.state import StoredState, read_state

_OUTSIDE = {StoreFault.FULL, StoreFault.READ_ONLY, StoreFault.IO, StoreFault.BUSY}
"""Faults that another file would have as well."""
_SMALLEST_BYTES = 512
"""What is shorter than a page SQLite takes for an empty database, as if nothing had been lost."""


class OpeningKind(StrEnum):
    """What was found when the store was opened."""

    NEW = "new"
    """Nothing: the state is empty."""
    OPENED = "opened"
    RESTORED = "restored"
    """The file was damaged; the state is that of the newest good backup."""
    REBUILT = "rebuilt"
    """The file was damaged and there was no good backup: the state is empty."""


@dataclass(frozen=True, slots=True)
class StoreOpening:
    """What is to be said aloud of the opening."""

    kind: OpeningKind
    detail: str
    """Fit for people: names the files, and what was lost."""


class _DamagedError(Exception):
    """The file is not what this program wrote; the message says how that is known."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """Gets the database at `path` into a state that can be used. All of it blocks."""

    path: Path
    backups: Backups
    at: datetime

    def run(self) -> tuple[StoreOpening, StoredState]:
        """Raises StoreUnavailableError."""
        try:
            return self._run()
        except OSError as error:
            raise unavailable(self.path, error) from error

    def _run(self) -> tuple[StoreOpening, StoredState]:
        is_new = not self.path.exists() or not self.path.stat().st_size
        kind = OpeningKind.NEW if is_new else OpeningKind.OPENED
        try:
            return StoreOpening(kind, f"state in {self.path}"), self._examined()
        except _DamagedError as error:
            aside = set_aside(self.path, self.at)
            damage = f"{self.path} was damaged ({error}) and is kept as {aside.name}"
        for copy in self.backups.newest_first():
            self.backups.restore(copy)
            try:
                state = self._examined()
            except _DamagedError:
                self._discard()
            else:
                detail = f"{damage}; restored {copy.name}: what came after it is lost"
                return StoreOpening(OpeningKind.RESTORED, detail), state
        detail = f"{damage}; there is no good backup, so what fires is told anew"
        return StoreOpening(OpeningKind.REBUILT, detail), self._examined()

    def _examined(self) -> StoredState:
        """What the file holds, once it has our schema.

        Raises:
            _DamagedError: it cannot be used.
            StoreUnavailableError: no file can be used here.
        """
        touch(self.path)
        if 0 < self.path.stat().st_size < _SMALLEST_BYTES:
            msg = "it is shorter than any database"
            raise _DamagedError(msg)
        engine = open_engine(self.path)
        try:
            with engine.connect() as connection:
                return self._read(connection)
        except DBAPIError as error:
            fault = fault_of(error.orig)
            if fault in _OUTSIDE:
                raise unavailable(self.path, error.orig) from error
            raise _DamagedError(str(error.orig)) from error
        except DamageError as error:
            raise _DamagedError(str(error)) from error
        except (SQLAlchemyError, LookupError, TypeError, ValueError) as error:
            msg = f"{type(error).__name__} in a row"
            raise _DamagedError(msg) from error
        finally:
            engine.dispose()

    def _read(self, connection: Connection) -> StoredState:
        with connection.begin():
            quick_check(connection)
            revision = revision_of(connection)
        if revision is None:
            with connection.begin():
                create(connection)
        elif revision != HEAD:
            self._migrate(connection, revision)
        with connection.begin():
            return read_state(connection)

    def _migrate(self, connection: Connection, revision: str) -> None:
        """A sound file that cannot be brought up to our schema is not damaged: it is left alone."""
        self.backups.begin()
        self.backups.copy(connection)
        self.backups.keep(self.at)
        try:
            with connection.begin():
                upgrade(connection)
        except (DBAPIError, LookupError, TypeError, ValueError) as error:
            reason = error.orig if isinstance(error, DBAPIError) else type(error).__name__
            msg = (
                f"cannot bring the state in {self.path} from schema {revision} to {HEAD}: {reason};"
                " it is as it was, so the release that wrote it can go on with it"
            )
            raise StoreUnavailableError(msg) from error

    def _discard(self) -> None:
        for suffix in SIDE_FILES:
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def unavailable(path: Path, error: BaseException | None) -> StoreUnavailableError:
    """What is said when a file can neither be opened nor made."""
    reason = error.strerror if isinstance(error, OSError) else error
    return StoreUnavailableError(
        f"cannot open the state in {path}: {reason}; the directory must be writable for the user"
        f" that runs this, on a disk with free space"
    )
