"""What people said of alerts: silences and acknowledgements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, select

from auditd.alerting.silence import Acknowledgement, Silence
from auditd.store.codec import ACKNOWLEDGEMENT, SILENCE, encode
from auditd.store.columns import instant_text
from auditd.store.errors import StoreConflictError
from auditd.store.revisions import ChangeKind, changed
from auditd.store.schema import ACKNOWLEDGEMENTS, ALERTS, SILENCES
from auditd.store.trail import TrailEvent, TrailKind, append
from auditd.store.upsert import upsert

_HUSH = (ChangeKind.HUSH, "")


def put_silence(connection: Connection, silence: Silence, now: datetime) -> None:
    """Add a silence, or replace the one with its id."""
    row = {"id": silence.id, "ends_at": silence.ends_at, "body": encode(silence)}
    upsert(connection, SILENCES, [row])
    changed(connection, [_HUSH])
    detail = {
        "matchers": ", ".join(str(matcher) for matcher in silence.matchers),
        "starts_at": instant_text(silence.starts_at),
        "ends_at": instant_text(silence.ends_at),
        "author": silence.author,
        "comment": silence.comment,
    }
    append(connection, [TrailEvent(now, TrailKind.SILENCE_SET, silence.id, detail)])


def expire_silence(connection: Connection, silence_id: str, author: str, now: datetime) -> None:
    """Remove a silence before its end.

    Raises:
        StoreConflictError: there is none with this id.
    """
    if not connection.execute(delete(SILENCES).where(SILENCES.c.id == silence_id)).rowcount:
        msg = f"there is no silence {silence_id}; it may have ended"
        raise StoreConflictError(msg)
    changed(connection, [_HUSH])
    event = TrailEvent(now, TrailKind.SILENCE_EXPIRED, silence_id, {"author": author})
    append(connection, [event])


def acknowledge(connection: Connection, acknowledgement: Acknowledgement) -> None:
    """Add an acknowledgement, or replace the one of the same alert."""
    fingerprint = acknowledgement.fingerprint
    row = {"fingerprint": fingerprint, "body": encode(acknowledgement)}
    upsert(connection, ACKNOWLEDGEMENTS, [row])
    changed(connection, [_HUSH])
    detail = {
        "fired_at": instant_text(acknowledgement.fired_at),
        "author": acknowledgement.author,
        "comment": acknowledgement.comment,
    }
    kind = TrailKind.ACKNOWLEDGEMENT_SET
    append(connection, [TrailEvent(acknowledgement.at, kind, fingerprint, detail)])


def silences(connection: Connection) -> tuple[Silence, ...]:
    """All that are kept, by id; some may have ended."""
    bodies = connection.execute(select(SILENCES.c.body).order_by(SILENCES.c.id)).scalars()
    return tuple(SILENCE.decode(body) for body in bodies)


def acknowledgements(connection: Connection) -> Mapping[str, Acknowledgement]:
    """By fingerprint; the episodes of some may be over."""
    rows = connection.execute(select(ACKNOWLEDGEMENTS).order_by(ACKNOWLEDGEMENTS.c.fingerprint))
    return {row.fingerprint: ACKNOWLEDGEMENT.decode(row.body) for row in rows}


def prune(connection: Connection, now: datetime) -> None:
    """Remove silences that have ended, and acknowledgements of alerts that are not kept."""
    connection.execute(delete(SILENCES).where(SILENCES.c.ends_at <= now))
    is_orphan = ACKNOWLEDGEMENTS.c.fingerprint.not_in(select(ALERTS.c.fingerprint))
    connection.execute(delete(ACKNOWLEDGEMENTS).where(is_orphan))
