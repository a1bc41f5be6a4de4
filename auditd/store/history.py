"""What became of projects and their authorizations, as `auditd.audit.history` tells it.

Nothing that still holds is ever forgotten: what was listed at any instant since can be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Dialect,
    Row,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from auditd.audit.history import HistoryEntry, HistoryKind, ending
from auditd.store.codec import Event, decode_event, encode
from auditd.store.columns import instant_text, legible
from auditd.store.schema import HISTORY

CHUNK = 500
"""Entries in one transaction of a long reading, so that others can come between."""

_ENDS = frozenset(
    {
        HistoryKind.AUTHORIZATION_REMOVED,
        HistoryKind.FINDING_CLEARED,
        HistoryKind.POLLS_RECOVERED,
    }
)
_OF_POLLS = frozenset({HistoryKind.POLLS_FAILED, HistoryKind.POLLS_RECOVERED})
_STANDS = HISTORY.c.ended_at.is_(None)
_ENTERED = ("project", "authorization", "aspect", "kind", "at", "ended_at", "body")
_END = update(HISTORY).where(
    HISTORY.c.project == bindparam("of_project"),
    HISTORY.c.authorization == bindparam("of_authorization"),
    HISTORY.c.aspect == bindparam("of_aspect"),
    _STANDS,
)
_STANDING = (
    select(HISTORY).where(HISTORY.c.project == bindparam("of_project"), _STANDS).order_by("seq")
)
_END_ALL = update(HISTORY).where(HISTORY.c.project == bindparam("of_project"), _STANDS)


def enter(connection: Connection, entries: Iterable[HistoryEntry]) -> None:
    """Add entries in their order; each ends the one before it of its aspect."""
    every = [*entries]
    if every:
        connection.execute(_END, [_ended(entry) for entry in every])
        _insert(connection, every)


def begin(
    connection: Connection, project: str, at: datetime, entries: Iterable[HistoryEntry]
) -> None:
    """Add the first entries of a project. If one of its name was there before, that has left."""
    depart(connection, project, at)
    if every := [*entries]:
        _insert(connection, every)


def depart(connection: Connection, project: str, at: datetime) -> None:
    """A project left: all that stands of it ends."""
    standing = connection.execute(_STANDING, {"of_project": project}).all()
    if standing:
        connection.execute(_END_ALL, {"of_project": project, "ended_at": at})
        endings = (ending(_entry(row), at) for row in standing)
        enter(connection, [entry for entry in endings if entry])


def newest(
    connection: Connection,
    *,
    project: str,
    authorization: str | None,
    since: datetime | None,
    before: int | None,
    limit: int,
) -> tuple[HistoryEntry, ...]:
    """At most `limit` entries of a project, the newest first, with a lower seq than `before`."""
    query = select(HISTORY).where(HISTORY.c.project == project)
    if authorization is not None:
        query = query.where(HISTORY.c.authorization == authorization)
    if since:
        query = query.where(HISTORY.c.at >= since)
    if before is not None:
        query = query.where(HISTORY.c.seq < before)
    rows = connection.execute(query.order_by(HISTORY.c.seq.desc()).limit(limit))
    return tuple(map(_entry, rows))


def oldest(connection: Connection, *, since: datetime, after: int) -> tuple[HistoryEntry, ...]:
    """The next CHUNK entries, oldest first, with a higher seq than `after`.

    Those at `since` and later, and before them those that stood then.
    """
    stood = or_(_STANDS, HISTORY.c.ended_at > since)
    query = select(HISTORY).where(HISTORY.c.seq > after, or_(HISTORY.c.at >= since, stood))
    return tuple(map(_entry, connection.execute(query.order_by(HISTORY.c.seq).limit(CHUNK))))


def prune(connection: Connection, before: datetime) -> None:
    """Remove what ended before that instant."""
    connection.execute(delete(HISTORY).where(HISTORY.c.ended_at < before))


def _insert(connection: Connection, entries: Sequence[HistoryEntry]) -> None:
    """By the driver itself: what SQLAlchemy does for each row takes longer than to insert it."""
    instants = {at: instant_text(at) for at in {entry.at for entry in entries}}  # mostly one
    rows: Sequence[Any] = [_row(entry, instants[entry.at]) for entry in entries]
    if not connection.dialect.positional:
        rows = [dict(zip(_ENTERED, row, strict=True)) for row in rows]
    connection.exec_driver_sql(_insertion(connection.dialect), rows)


@lru_cache(maxsize=1)
def _insertion(dialect: Dialect) -> str:
    """Its parameters are in the order of _ENTERED, or have these names."""
    return str(insert(HISTORY).inline().compile(dialect=dialect, column_keys=_ENTERED))


def _row(entry: HistoryEntry, at: str) -> tuple[str | None, ...]:
    """As `_ENTERED`, and as the types of the columns would make it."""
    body = Event(entry.listed, entry.fields, entry.finding, entry.reason)
    return (
        legible(entry.project),
        legible(entry.authorization),
        legible(_aspect(entry)),
        str(entry.kind),
        at,
        at if entry.kind in _ENDS else None,
        encode(body),
    )


def _ended(entry: HistoryEntry) -> Mapping[str, Any]:
    return {
        "of_project": entry.project,
        "of_authorization": entry.authorization,
        "of_aspect": _aspect(entry),
        "ended_at": entry.at,
    }


def _aspect(entry: HistoryEntry) -> str:
    if entry.finding:
        return f"check {entry.finding.check}"
    return "polls" if entry.kind in _OF_POLLS else "list"


def _entry(row: Row[Any]) -> HistoryEntry:
    event = decode_event(row.body)
    return HistoryEntry(
        at=row.at,
        project=row.project,
        kind=HistoryKind(row.kind),
        authorization=row.authorization,
        listed=event.listed,
        fields=event.fields,
        finding=event.finding,
        reason=event.reason,
        seq=row.seq,
    )
