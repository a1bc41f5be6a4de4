"""What became of projects and their authorizations, as `auditd.audit.history` tells it.

Nothing that still holds is ever forgotten: what was listed at any instant since can be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from auditd.audit.authorization import Authorization
from auditd.audit.history import HistoryEntry, HistoryKind, ending
from auditd.store.codec import Event, decode_event, decode_listed, encode
from auditd.store.schema import HISTORY
from auditd.store.statement import Statement

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
_LIST = "list"
_STANDS = HISTORY.c.ended_at.is_(None)
_NAMES = ("project", "authorization", "aspect", "kind", "at", "body")
_ENTER = Statement(lambda _: insert(HISTORY).inline(), (*_NAMES, "ended_at"))
_STAND = Statement(lambda _: insert(HISTORY).inline(), _NAMES)
_END = Statement(
    lambda _: update(HISTORY).where(
        HISTORY.c.project == bindparam("of_project"),
        HISTORY.c.authorization == bindparam("of_authorization"),
        HISTORY.c.aspect == bindparam("of_aspect"),
        _STANDS,
    ),
    ("of_project", "of_authorization", "of_aspect", "ended_at"),
)
_KNOWN = (
    select(HISTORY.c.project)
    .where(HISTORY.c.project.in_(bindparam("among", expanding=True)), _STANDS)
    .distinct()
)
_STANDING = (
    select(HISTORY).where(HISTORY.c.project == bindparam("of_project"), _STANDS).order_by("seq")
)
_LISTED = (
    select(HISTORY.c.project, HISTORY.c.body)
    .where(HISTORY.c.aspect == _LIST, _STANDS)
    .order_by(HISTORY.c.project, HISTORY.c.authorization)
)
_END_ALL = update(HISTORY).where(HISTORY.c.project == bindparam("of_project"), _STANDS)


def enter(connection: Connection, entries: Sequence[HistoryEntry]) -> None:
    """Add entries in their order; each ends the one before it of its aspect.

    Of each aspect there is at most one among them.
    """
    _END.run(connection, map(_ended, entries))
    _ENTER.run(connection, ((*_row(it), it.at if it.kind in _ENDS else None) for it in entries))


def add(connection: Connection, entries: Iterable[HistoryEntry]) -> None:
    """Add entries that stand, in their order, of aspects of which none stood."""
    _STAND.run(connection, map(_row, entries))


def begin(connection: Connection, begun: Mapping[str, datetime]) -> None:
    """Projects, by name, have no past from then on. If there was one of the name, that has left."""
    if begun:
        known = connection.execute(_KNOWN, {"among": [*begun]}).scalars().all()
        for project in known:
            depart(connection, project, begun[project])


def depart(connection: Connection, project: str, at: datetime) -> None:
    """A project left: all that stands of it ends."""
    standing = connection.execute(_STANDING, {"of_project": project}).all()
    if standing:
        connection.execute(_END_ALL, {"of_project": project, "ended_at": at})
        endings = (ending(_entry(row), at) for row in standing)
        enter(connection, [entry for entry in endings if entry])


def listed(
    connection: Connection, projects: Collection[str] | None
) -> Mapping[str, Mapping[str, Authorization]]:
    """What is listed now, by project and by name: of all projects, or of these.

    Raises ValueError for what was not stored by this program.
    """
    query = _LISTED if projects is None else _LISTED.where(HISTORY.c.project.in_(projects))
    found: dict[str, dict[str, Authorization]] = defaultdict(dict)
    for project, body in connection.execute(query):
        authorization = decode_listed(body)
        found[project][authorization.name] = authorization
    return found


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


def _row(entry: HistoryEntry) -> Sequence[Any]:
    """As `_STAND` takes it."""
    return (
        entry.project,
        entry.authorization,
        _aspect(entry),
        str(entry.kind),
        entry.at,
        encode(Event(entry.listed, entry.fields, entry.finding, entry.reason)),
    )


def _ended(entry: HistoryEntry) -> Sequence[Any]:
    """As `_END` takes it."""
    return entry.project, entry.authorization, _aspect(entry), entry.at


def _aspect(entry: HistoryEntry) -> str:
    if entry.finding:
        return f"check {entry.finding.check}"
    return "polls" if entry.kind in _OF_POLLS else _LIST


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
