"""All that is stored, brought from one database to another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Table, delete

from auditd.store import verification
from auditd.store.copy_end import opened_source, opened_target
from auditd.store.copy_rows import Row, Rows, Tally, reading, writing
from auditd.store.errors import StoreError, StoreFault, StoreReadError, StoreUnavailableError
from auditd.store.schema import METADATA, TRAIL
from auditd.store.state import read_state

LEFT_BEHIND = frozenset({"claims", "commits", "keys", "replicas"})
"""Tables that are about the processes that run on the database in which they are."""
_BEGINNINGS = {"trail_ends": "seq", "revision": "number"}
"""The tables that are never empty, and the column that is 0 while there is nothing."""
COPIED: tuple[Table, ...] = tuple(
    table for table in METADATA.sorted_tables if table.name not in LEFT_BEHIND
)
"""Each after those that it refers to."""

Advance: TypeAlias = Callable[[int, int], None]
"""Is told how many rows were gone through by now, and how many there are to go through."""


class CopyRefusedError(StoreUnavailableError):
    """There is something else in the target."""


class CopyUnverifiedError(StoreError):
    """What was copied, or its copy, is not what it should be."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy came to."""

    source: str
    """Where it is, fit for people and without a secret; `target` likewise."""
    target: str
    rows: Mapping[str, int]
    """By table, without what is never empty."""
    entries: int
    """Of the trail, each of which was verified."""
    was_there: bool
    """Whether an earlier run had made it, so that it was only verified."""


def copy_state(source_url: str, target_url: str, advance: Advance) -> Copy:
    """Copy everything, verify it, and only then keep it. Blocks.

    All of it is one transaction: wherever a run ends, whatever ends it, the target has everything
    or nothing, so no daemon can go on from a half. Done again it begins anew, or finds that all is
    there already and verifies that.

    Raises:
        CopyRefusedError: the target holds something else.
        CopyUnverifiedError: the trail is not what was entered, or the copy is not the source.
        StoreError: an end is held, cannot be used, or fails meanwhile.
    """
    with (
        opened_source(source_url) as source,
        opened_target(target_url) as target,
        writing(target),
        target.writes.begin() as to,
        reading(source),
        source.reads.connect() as of,
    ):
        return _Copying(Rows(source, of), Rows(target, to), advance).run()


class _Copying:
    """A copy under way, within a transaction at each end."""

    def __init__(self, source: Rows, target: Rows, advance: Advance) -> None:
        self._source, self._target = source, target
        self._advance = advance
        self._done = self._all = 0

    def run(self) -> Copy:
        for end in (self._source, self._target):
            end.take_time()
        expected = {table.name: self._source.count(table) for table in COPIED}
        found = {table.name: self._target.count(table) for table in COPIED}
        self._all = 2 * sum(expected.values())
        was_there = self._is_in_use(found)
        if was_there and found != expected:
            raise self._refusal()
        if not was_there:
            self._clear_beginnings()
        for table in COPIED:
            if self._bring(table, is_kept=not was_there) != self._look_through(table):
                raise self._refusal() if was_there else self._difference(table)
        return Copy(
            source=self._source.backing.place,
            target=self._target.backing.place,
            rows={name: rows for name, rows in expected.items() if name not in _BEGINNINGS},
            entries=self._verify(),
            was_there=was_there,
        )

    def _is_in_use(self, found: Mapping[str, int]) -> bool:
        if any(count for name, count in found.items() if name not in _BEGINNINGS):
            return True
        return any(self._target.greatest(each, number) != 0 for each, number in _beginnings())

    def _clear_beginnings(self) -> None:
        with writing(self._target.backing):
            for each, _ in _beginnings():
                self._target.connection.execute(delete(each))

    def _bring(self, table: Table, *, is_kept: bool) -> Tally:
        """The tally of what there has to be in the target."""
        tally = Tally()
        for chunk in self._source.chunks(table):
            rows = self._fitted(table, chunk)
            if is_kept:
                self._target.add(table, rows)
            tally = tally.plus(rows)
            self._advance_by(len(rows))
        if is_kept:
            self._target.count_on(table)
        return tally

    def _fitted(self, table: Table, rows: Sequence[Row]) -> Sequence[Row]:
        try:
            return self._target.fitted(table, rows)
        except ValueError as error:
            raise StoreReadError(StoreFault.DAMAGED, self._source.backing.place) from error

    def _look_through(self, table: Table) -> Tally:
        """The tally of what there is in the target."""
        tally = Tally()
        for rows in self._target.chunks(table):
            tally = tally.plus(rows)
            self._advance_by(len(rows))
        return tally

    def _verify(self) -> int:
        """How many entries the trail has, once a daemon could go on from the target."""
        connection = self._target.connection
        with writing(self._target.backing):
            read_state(connection)
        progress = verification.follow(connection, None)
        while progress.verdict is None:
            progress = verification.follow(connection, progress)
        verdict = progress.verdict
        if not verdict.ok:
            self._target.count(TRAIL)  # raises if what is not ok is the connection
            msg = (
                f"nothing was copied, because entry {verdict.first_bad_seq} of the trail in"
                f" {self._source.backing.place} {verdict.reason}; restore a backup in which"
                " `audit verify` finds nothing"
            )
            raise CopyUnverifiedError(msg)
        return verdict.checked

    def _advance_by(self, rows: int) -> None:
        self._done += rows
        self._advance(self._done, self._all)

    def _refusal(self) -> CopyRefusedError:
        return CopyRefusedError(
            f"{self._target.backing.place} holds another state than"
            f" {self._source.backing.place}; name an empty database to copy to"
        )

    def _difference(self, table: Table) -> CopyUnverifiedError:
        return CopyUnverifiedError(
            f"what {self._target.backing.place} stored in table {table.name} is not what"
            f" {self._source.backing.place} holds; nothing was copied. Please report it"
        )


def _beginnings() -> Iterator[tuple[Table, str]]:
    for table in COPIED:
        if number := _BEGINNINGS.get(table.name):
            yield table, number
