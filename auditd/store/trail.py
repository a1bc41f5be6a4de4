"""What happened, one entry after another, each with a hash over all before it.

The hash of an entry is the SHA-256, in hexadecimal digits, of the previous entry's hash followed
by the entry's own JSON: the keys `at`, `detail`, `kind`, `seq` and `subject`, sorted, without
spaces, in UTF-8. Before the first entry stands GENESIS. So damage and careless edits are found;
someone who rewrites the end of the chain with all its hashes is only found by comparing with a
hash that was kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from auditd.audit.quick import quick
from auditd.store.columns import instant_text, legible
from auditd.store.schema import TRAIL, TRAIL_ENDS
from auditd.store.statement import Statement

GENESIS = "0" * 64

_END = select(TRAIL_ENDS.c.seq, TRAIL_ENDS.c.hash).where(TRAIL_ENDS.c.name == bindparam("end"))
_HEAD = _END.with_for_update()
"""Nobody else appends between its reading and its writing; SQLite has no other writer anyway."""
_MOVE_END = Statement(
    lambda _: update(TRAIL_ENDS).where(TRAIL_ENDS.c.name == bindparam("end")),
    ("end", "seq", "hash"),
)
_NAMES = ("seq", "at", "kind", "subject", "detail")
_ENTER = Statement(lambda _: insert(TRAIL), (*_NAMES, "hash"))


class TrailKind(StrEnum):
    """What can happen."""

    ALERT_FIRED = "alert.fired"
    ALERT_RESOLVED = "alert.resolved"
    DELIVERY_DELIVERED = "delivery.delivered"
    DELIVERY_DEAD = "delivery.dead"
    DELIVERY_REPLAYED = "delivery.replayed"
    HOOK_SWITCHED_OFF = "hook.switched_off"
    HOOK_SWITCHED_ON = "hook.switched_on"
    SILENCE_SET = "silence.set"
    SILENCE_EXPIRED = "silence.expired"
    ACKNOWLEDGEMENT_SET = "acknowledgement.set"
    CONFIG_LOADED = "config.loaded"


@quick
@dataclass(frozen=True, slots=True)
class TrailEvent:
    """Something that is to be entered."""

    at: datetime
    kind: TrailKind
    subject: str
    """What it happened to: a fingerprint, an id of a delivery or silence, a hook, a file."""
    detail: Mapping[str, str] = field(default_factory=dict)
    """What people want to know of it later; empty texts are left out."""


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """Something that was entered."""

    seq: int
    """From 1, without holes."""
    at: datetime
    kind: str
    subject: str
    detail: Mapping[str, str]
    hash: str


@quick
@dataclass(frozen=True, slots=True)
class TrailEnd:
    """The entry at one end of the chain; number 0 with GENESIS where there is none."""

    seq: int
    hash: str


def append(connection: Connection, events: Iterable[TrailEvent]) -> None:
    """Enter events in their order."""
    rows = []
    end = head = _end(connection, _HEAD, "head")
    for event in events:
        detail = {name: legible(text) for name, text in event.detail.items() if text}
        row = (
            end.seq + 1,
            instant_text(event.at),
            str(event.kind),
            legible(event.subject),
            _canonical(detail),
        )
        line = line_of(dict(zip(_NAMES, row, strict=True)))
        end = TrailEnd(end.seq + 1, link(end.hash, line))
        rows.append((*row, end.hash))
    if end is not head:
        _ENTER.run(connection, rows)
        _write_end(connection, "head", end)


def read_end(connection: Connection, name: str) -> TrailEnd:
    """`head` is the newest entry; `anchor` the one before the oldest.

    Raises:
        ValueError: it is not there, so the file is damaged.
    """
    return _end(connection, _END, name)


def _end(connection: Connection, query: Select[tuple[int, str]], name: str) -> TrailEnd:
    row = connection.execute(query, {"end": name}).one_or_none()
    if row is None:
        msg = f"the trail has no {name}"
        raise ValueError(msg)
    return TrailEnd(row.seq, row.hash)


def line_of(row: Mapping[str, object]) -> bytes:
    """The JSON of columns as they are stored; without `hash` it is what is hashed."""
    detail = str(row["detail"]).encode()
    return _encoded({**row, "detail": msgspec.Raw(detail)})


def link(previous_hash: str, line: bytes) -> str:
    """The hash of an entry."""
    return hashlib.sha256(previous_hash.encode() + line).hexdigest()


def newest(
    connection: Connection, *, since: datetime | None, kind: TrailKind | None, limit: int
) -> tuple[TrailEntry, ...]:
    """At most `limit` entries, the newest first; those at `since` are included."""
    query = select(TRAIL).order_by(TRAIL.c.seq.desc()).limit(limit)
    if since:
        query = query.where(TRAIL.c.at >= instant_text(since))
    if kind:
        query = query.where(TRAIL.c.kind == str(kind))
    return tuple(
        TrailEntry(
            seq=row.seq,
            at=datetime.fromisoformat(row.at),
            kind=row.kind,
            subject=row.subject,
            detail=msgspec.json.decode(row.detail, type=dict[str, str]),
            hash=row.hash,
        )
        for row in connection.execute(query)
    )


def prune(connection: Connection, before: datetime) -> None:
    """Remove the oldest entries, up to the first that is not older than `before`."""
    is_kept = TRAIL.c.at >= instant_text(before)
    first_kept = connection.execute(
        select(TRAIL.c.seq).where(is_kept).order_by(TRAIL.c.seq).limit(1)
    ).scalar()
    query = select(TRAIL.c.seq, TRAIL.c.hash).order_by(TRAIL.c.seq.desc()).limit(1)
    if first_kept is not None:
        query = query.where(TRAIL.c.seq < first_kept)
    if last := connection.execute(query).one_or_none():
        connection.execute(delete(TRAIL).where(TRAIL.c.seq <= last.seq))
        _write_end(connection, "anchor", TrailEnd(last.seq, last.hash))


def _write_end(connection: Connection, name: str, end: TrailEnd) -> None:
    _MOVE_END.run(connection, [(name, end.seq, end.hash)])


def _canonical(detail: Mapping[str, str]) -> str:
    return _encoded(detail).decode()


def _encoded(value: object) -> bytes:
    return msgspec.json.encode(value, order="sorted")
