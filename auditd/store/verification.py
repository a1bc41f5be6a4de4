"""Whether the trail is what was entered, and how it leaves the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, select
from sqlalchemy.exc import DBAPIError

from auditd.store.schema import TRAIL
from auditd.store.trail import TrailEnd, line_of, link, read_end

CHUNK = 500
"""Entries in one transaction, so that the daemon's own can come between."""


@dataclass(frozen=True, slots=True)
class TrailVerdict:
    """What the verification of the trail found."""

    ok: bool
    checked: int
    """Entries whose hash is right, up to the first that is wrong."""
    first_bad_seq: int | None = None
    """The first entry that is not what was entered, or is missing."""
    reason: str = ""
    """What is wrong with it, fit for people."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the chain was followed."""

    last: TrailEnd
    checked: int = 0
    verdict: TrailVerdict | None = None
    """None while there is more to check."""


def follow(connection: Connection, progress: Progress | None) -> Progress:
    """Check the next chunk of the chain; the first one without `progress`."""
    try:
        anchor, head = read_end(connection, "anchor"), read_end(connection, "head")
        if progress is None or progress.last.seq < anchor.seq:
            progress = Progress(anchor, progress.checked if progress else 0)
        return _check(progress, _rows_after(connection, progress.last.seq), head)
    except (DBAPIError, ValueError) as error:
        seq = progress.last.seq + 1 if progress else 1
        checked = progress.checked if progress else 0
        reason = f"cannot be read from there on ({type(error).__name__})"
        verdict = TrailVerdict(ok=False, checked=checked, first_bad_seq=seq, reason=reason)
        return Progress(TrailEnd(seq, ""), checked, verdict)


def lines_after(connection: Connection, seq: int) -> tuple[int, list[bytes]]:
    """The next entries as JSON lines, with their hashes, and the number of the last one.

    Without `hash` a line is, byte for byte, what was hashed.
    """
    rows = _rows_after(connection, seq)
    return (rows[-1]["seq"] if rows else seq), [line_of(dict(row)) + b"\n" for row in rows]


def _check(progress: Progress, rows: Sequence[RowMapping], head: TrailEnd) -> Progress:
    last, checked = progress.last, progress.checked
    for row in rows:
        if fault := _fault(row, last):
            return _bad(last, checked, fault)
        last, checked = TrailEnd(row["seq"], row["hash"]), checked + 1
    if len(rows) == CHUNK:
        return Progress(last, checked)
    if last.seq < head.seq:
        return _bad(last, checked, f"is missing: the last entry was number {head.seq}")
    if last != head:
        fault = "does not agree with what was noted of the last entry"
        return _bad(TrailEnd(head.seq - 1, ""), checked, fault)
    return Progress(last, checked, TrailVerdict(ok=True, checked=checked))


def _fault(row: RowMapping, last: TrailEnd) -> str | None:
    if row["seq"] != last.seq + 1:
        return f"is missing: number {row['seq']} follows on number {last.seq}"
    content = {name: value for name, value in row.items() if name != "hash"}
    if row["hash"] != link(last.hash, line_of(content)):
        return "is not what was entered: its hash is another"
    return None


def _bad(last: TrailEnd, checked: int, reason: str) -> Progress:
    verdict = TrailVerdict(ok=False, checked=checked, first_bad_seq=last.seq + 1, reason=reason)
    return Progress(last, checked, verdict)


def _rows_after(connection: Connection, seq: int) -> Sequence[RowMapping]:
    query = select(TRAIL).where(TRAIL.c.seq > seq).order_by(TRAIL.c.seq).limit(CHUNK)
    return connection.execute(query).mappings().all()
