"""What is owed to hooks, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from auditd.alerting.delivery import AttemptOutcome, Delivery, DeliveryState, tried_also
from auditd.alerting.superseded import SupersededError
from auditd.store.codec import NOTIFICATION, TRIED, encode
from auditd.store.errors import StoreConflictError
from auditd.store.revisions import ChangeKind, changed, owner_of
from auditd.store.schema import DELIVERIES, REPLICAS, SWITCHED_OFF
from auditd.store.trail import TrailEvent, TrailKind, append
from auditd.store.upsert import upsert

_OWE = insert(DELIVERIES)
_FIND = select(DELIVERIES).where(DELIVERIES.c.id == bindparam("of_id"))
_OWNER = select(DELIVERIES.c.owner).where(DELIVERIES.c.id == bindparam("of_id"))
_ADVANCE = update(DELIVERIES).where(
    DELIVERIES.c.id == bindparam("of_id"), DELIVERIES.c.state == bindparam("former")
)
_ADVANCE_OURS = _ADVANCE.where(DELIVERIES.c.owner == bindparam("ours"))
_SETTLED = {
    DeliveryState.DELIVERED: TrailKind.DELIVERY_DELIVERED,
    DeliveryState.DEAD: TrailKind.DELIVERY_DEAD,
}


def owe(connection: Connection, delivery: Delivery) -> None:
    """Insert a pending delivery. Its group has no other that is pending."""
    fixed = {
        "id": delivery.id,
        "hook": delivery.hook,
        "group_key": delivery.group_key,
        "notification": encode(delivery.notification),
    }
    connection.execute(_OWE, {**fixed, **_progress(delivery), "owner": owner_of(connection)})
    changed(connection, [(ChangeKind.DELIVERY, delivery.id)])


def forgo(connection: Connection, delivery_id: str) -> None:
    """Remove a pending delivery of which nobody was told."""
    is_it = DELIVERIES.c.id == delivery_id
    connection.execute(delete(DELIVERIES).where(is_it, _is(DeliveryState.PENDING)))


def settle(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """Note what became of an attempt at a pending delivery. Doing it twice changes nothing.

    Raises:
        StoreConflictError: there is no such pending delivery.
        SupersededError: another replica has taken it over, and settled it maybe.
    """
    ours = {"of_id": delivery.id, "former": str(DeliveryState.PENDING)}
    values = {**ours, "ours": owner_of(connection), **_progress(delivery)}
    if delivery.state is not DeliveryState.PENDING:
        changed(connection, [(ChangeKind.DELIVERY, delivery.id)])
    if connection.execute(_ADVANCE_OURS, values).rowcount != 1:
        owner = connection.execute(_OWNER, {"of_id": delivery.id}).scalar()
        if owner not in {None, owner_of(connection)}:
            raise SupersededError
        stored = find(connection, delivery.id)
        if stored is None or stored.state is not delivery.state:
            msg = f"delivery {delivery.id} is not pending; its outcome was not noted"
            raise StoreConflictError(msg)
    elif kind := _SETTLED.get(delivery.state):
        append(connection, [_event(delivery, kind, delivery.settled_at or now)])


def replay(connection: Connection, delivery_id: str, now: datetime) -> Delivery:
    """Owe a dead delivery again as of now, with the same id.

    Raises:
        StoreConflictError: it is not dead, or its group has another pending one.
    """
    row = connection.execute(_FIND.with_for_update(), {"of_id": delivery_id}).one_or_none()
    dead = _delivery(row) if row else None
    if dead is None or dead.state is not DeliveryState.DEAD:
        state = dead.state if dead else "not there"
        msg = f"delivery {delivery_id} is {state}; only dead ones can be replayed"
        raise StoreConflictError(msg)
    is_of_group = DELIVERIES.c.group_key == dead.group_key
    query = select(DELIVERIES.c.id).where(is_of_group, _is(DeliveryState.PENDING))
    if other := connection.execute(query).scalar():
        msg = f"delivery {other} of the same group is pending; replay {delivery_id} after it"
        raise StoreConflictError(msg)
    pending = replace(
        dead,
        state=DeliveryState.PENDING,
        attempts=0,
        created_at=now,
        next_at=now,
        settled_at=None,
        last_error="",
        tried=tried_also(dead, AttemptOutcome.REPLAYED, at=now),
    )
    values = {"of_id": pending.id, "former": str(DeliveryState.DEAD), **_progress(pending)}
    connection.execute(_ADVANCE, {**values, "owner": owner_of(connection)})
    changed(connection, [(ChangeKind.DELIVERY, delivery_id)])
    append(connection, [_event(dead, TrailKind.DELIVERY_REPLAYED, now)])
    return pending


def find(connection: Connection, delivery_id: str) -> Delivery | None:
    """The delivery with this id."""
    row = connection.execute(_FIND, {"of_id": delivery_id}).one_or_none()
    return _delivery(row) if row else None


def found(
    connection: Connection, delivery_ids: Iterable[str], but_owed_by: str
) -> tuple[Delivery, ...]:
    """Those of these that there are, but for what that replica has still to deliver."""
    is_its = _is(DeliveryState.PENDING) & (DELIVERIES.c.owner == but_owed_by)
    is_asked_for = DELIVERIES.c.id.in_(delivery_ids)
    query = select(DELIVERIES).where(is_asked_for, ~is_its).order_by(DELIVERIES.c.seq)
    return tuple(_delivery(row) for row in connection.execute(query))


def take_over(connection: Connection, hooks: Collection[str]) -> tuple[Delivery, ...]:
    """What is owed to these hooks by nobody who lives is ours from now on, in its order."""
    is_orphan = DELIVERIES.c.owner.not_in(select(REPLICAS.c.id))
    query = select(DELIVERIES).where(
        _is(DeliveryState.PENDING), is_orphan, DELIVERIES.c.hook.in_(hooks)
    )
    orphans = [_delivery(row) for row in connection.execute(query.order_by(DELIVERIES.c.seq))]
    if orphans:
        ids = [delivery.id for delivery in orphans]
        taken = update(DELIVERIES).where(DELIVERIES.c.id.in_(ids))
        connection.execute(taken.values(owner=owner_of(connection)))
        changed(connection, ((ChangeKind.DELIVERY, each) for each in ids))  # it may only have slept
    return tuple(orphans)


def pending(connection: Connection) -> tuple[Delivery, ...]:
    """All that is owed, in the order in which it came to be."""
    query = select(DELIVERIES).where(_is(DeliveryState.PENDING)).order_by(DELIVERIES.c.seq)
    return tuple(_delivery(row) for row in connection.execute(query))


def newest(
    connection: Connection,
    *,
    state: DeliveryState | None,
    hook: str | None,
    before: str | None,
    limit: int,
) -> tuple[Delivery, ...]:
    """At most `limit` deliveries, the newest first, all older than the one with the id `before`."""
    query = select(DELIVERIES).order_by(DELIVERIES.c.seq.desc()).limit(limit)
    if state:
        query = query.where(_is(state))
    if hook is not None:
        query = query.where(DELIVERIES.c.hook == hook)
    if before is not None:
        seq = select(DELIVERIES.c.seq).where(DELIVERIES.c.id == before).scalar_subquery()
        query = query.where(DELIVERIES.c.seq < seq)
    return tuple(_delivery(row) for row in connection.execute(query))


def prune(connection: Connection, before: datetime) -> None:
    """Remove what was settled before that instant."""
    is_settled = ~_is(DeliveryState.PENDING)
    connection.execute(delete(DELIVERIES).where(is_settled, DELIVERIES.c.settled_at < before))


def switch_off(connection: Connection, hook: str, reason: str, now: datetime) -> None:
    """Note why a hook gets nothing until a person switches it on. Idempotent."""
    query = select(SWITCHED_OFF.c.reason).where(SWITCHED_OFF.c.hook == hook)
    if connection.execute(query).scalar() == reason:
        return
    upsert(connection, SWITCHED_OFF, [{"hook": hook, "reason": reason}])
    changed(connection, [(ChangeKind.HOOK, hook)])
    append(connection, [TrailEvent(now, TrailKind.HOOK_SWITCHED_OFF, hook, {"reason": reason})])


def switch_on(connection: Connection, hook: str, now: datetime) -> None:
    """Let a hook get things again. Does nothing for one that is on."""
    if connection.execute(delete(SWITCHED_OFF).where(SWITCHED_OFF.c.hook == hook)).rowcount:
        changed(connection, [(ChangeKind.HOOK, hook)])
        append(connection, [TrailEvent(now, TrailKind.HOOK_SWITCHED_ON, hook)])


def switched_off(connection: Connection) -> Mapping[str, str]:
    """The reasons, by hook."""
    return {row.hook: row.reason for row in connection.execute(select(SWITCHED_OFF))}


def probe(connection: Connection) -> None:
    """Write something and take it back, to find out whether that is possible."""
    upsert(connection, SWITCHED_OFF, [{"hook": "", "reason": ""}])
    connection.execute(delete(SWITCHED_OFF).where(SWITCHED_OFF.c.hook == ""))


def _is(state: DeliveryState) -> Any:
    return DELIVERIES.c.state == str(state)


def _event(delivery: Delivery, kind: TrailKind, at: datetime) -> TrailEvent:
    detail = {
        "hook": delivery.hook,
        "group_key": delivery.group_key,
        "attempts": str(delivery.attempts),
        "last_error": delivery.last_error,
    }
    return TrailEvent(at, kind, delivery.id, detail)


def _progress(delivery: Delivery) -> Mapping[str, Any]:
    return {
        "state": str(delivery.state),
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "next_at": delivery.next_at,
        "settled_at": delivery.settled_at,
        "last_error": delivery.last_error,
        "tried": encode(delivery.tried),
    }


def _delivery(row: Row[Any]) -> Delivery:
    notification = NOTIFICATION.decode(row.notification)
    return Delivery(
        id=row.id,
        hook=row.hook,
        group_key=notification.group_key,
        notification=notification,
        created_at=row.created_at,
        next_at=row.next_at,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        last_error=row.last_error,
        settled_at=row.settled_at,
        tried=TRIED.decode(row.tried),
    )
