"""The rows of a database as they are stored, and what becomes of them in another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Table, TableClause, column, func, insert, select, table, text
from sqlalchemy.exc import DBAPIError

from auditd.store.backing import Backing
from auditd.store.columns import Key
from auditd.store.errors import StoreReadError, StoreWriteError

CHUNK = 200
"""Rows that are in memory at once. One of a large project has a megabyte."""

Row: TypeAlias = tuple[Any, ...]

_COUNT_ON = "SELECT setval(pg_get_serial_sequence(:name, 'seq'), max(seq)) FROM {}"
_PATIENCE = "SET LOCAL idle_in_transaction_session_timeout = '10min'"
_MODULUS = 1 << 256


class _Keyed(msgspec.Struct):
    """What a body says of the key of its row, however long."""

    key: str | None = None
    group_key: str | None = None


_KEYED = msgspec.json.Decoder(_Keyed)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows there are, and a digest of them that does not depend on their order."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: Sequence[Row]) -> Tally:
        """The tally with these rows as well."""
        digests = (hashlib.sha256(msgspec.json.encode(row)).digest() for row in rows)
        added = sum(int.from_bytes(digest) for digest in digests)
        return Tally(self.rows + len(rows), (self.digest + added) % _MODULUS)


@dataclass(frozen=True, slots=True)
class Rows:
    """What is in the tables of a database, in one transaction. All of it blocks.

    Methods raise StoreReadError or StoreWriteError.
    """

    backing: Backing
    connection: Connection

    def take_time(self) -> None:
        """Let a server wait for the other end; it would take its connection for a dead one."""
        if self.connection.dialect.name == "postgresql":
            with reading(self.backing):
                self.connection.execute(text(_PATIENCE))

    def count(self, of: Table) -> int:
        """How many there are."""
        with reading(self.backing):
            return self.connection.execute(select(func.count()).select_from(of)).scalar_one()

    def greatest(self, of: Table, name: str) -> object:
        """The greatest value in a column; None when there are no rows."""
        with reading(self.backing):
            return self.connection.execute(select(func.max(of.c[name]))).scalar()

    def chunks(self, of: Table) -> Iterator[Sequence[Row]]:
        """All of them, each value as it is stored."""
        query = select(*_bare(of).c).execution_options(yield_per=CHUNK)
        with reading(self.backing):
            found = self.connection.execute(query).partitions()
        while chunk := self._next(found):
            yield [tuple(row) for row in chunk]

    def add(self, to: Table, rows: Sequence[Row]) -> None:
        """Add rows, each value as it is to be stored."""
        names = to.c.keys()
        with writing(self.backing):
            self.connection.execute(
                insert(_bare(to)), [dict(zip(names, row, strict=True)) for row in rows]
            )

    def count_on(self, after: Table) -> None:
        """Let the numbers of new rows follow on those that were added. SQLite does by itself."""
        if self.connection.dialect.name == "postgresql" and "seq" in after.c:
            with writing(self.backing):
                self.connection.execute(text(_COUNT_ON.format(after.name)), {"name": after.name})

    def fitted(self, to: Table, rows: Sequence[Row]) -> Sequence[Row]:
        """What is stored here in the place of rows from elsewhere: a long key differs, see `Key`.

        Raises:
            ValueError: a body is not what this program wrote.
        """
        names = to.c.keys()
        place = next((names.index(name) for name in names if isinstance(to.c[name].type, Key)), -1)
        if place < 0:
            return rows
        body = names.index("body" if "body" in names else "notification")

        def fit(row: Row) -> Row:
            whole = getattr(_KEYED.decode(row[body]), names[place])
            stored = Key().bind_processor(self.connection.dialect)(whole)
            return (*row[:place], stored, *row[place + 1 :])

        return [fit(row) for row in rows]

    def _next(self, found: Iterator[Sequence[Any]]) -> Sequence[Any]:
        with reading(self.backing):
            return next(found, ())


@contextmanager
def reading(backing: Backing) -> Iterator[None]:
    """Tell what is wrong with a database as a StoreReadError."""
    try:
        yield
    except DBAPIError as error:
        raise StoreReadError(backing.fault_of(error.orig), backing.place) from error


@contextmanager
def writing(backing: Backing) -> Iterator[None]:
    """Tell what is wrong with a database as a StoreWriteError."""
    try:
        yield
    except DBAPIError as error:
        raise StoreWriteError(backing.fault_of(error.orig), backing.place) from error


def _bare(of: Table) -> TableClause:
    """The table without types, so that nothing is made of what is stored."""
    return table(of.name, *map(column, of.c.keys()))
