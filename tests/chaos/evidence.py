"""What was stored and what was taken, and whether the two agree."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.hooks.payload import native
from auditd.hooks.port import Message
from auditd.store.reader import open_reader
from auditd.store.trail import TrailEntry, TrailKind
from auditd.store.verification import TrailVerdict
from tests.chaos.chronicle import Account, digest_of

_ALL = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known of a run after its end, the oldest first."""

    trail: tuple[TrailEntry, ...]
    verdict: TrailVerdict
    integrity: str
    deliveries: tuple[Delivery, ...]
    alerts: Mapping[str, Alert]
    """By fingerprint."""
    account: Account

    @property
    def transitions(self) -> list[TrailEntry]:
        """Those of alerts."""
        kinds = {TrailKind.ALERT_FIRED, TrailKind.ALERT_RESOLVED}
        return [entry for entry in self.trail if entry.kind in kinds]


def gather(path: Path, account: Account) -> Evidence:
    """The evidence of the database at `path`, which nobody has open."""
    with open_reader(f"sqlite:///{path}") as reader:
        state = reader.state()
        trail, deliveries = reader.trail(limit=_ALL), reader.deliveries(limit=_ALL)
        verdict = reader.verify()
    with closing(sqlite3.connect(path)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
    return Evidence(
        trail=trail[::-1],
        verdict=verdict,
        integrity=integrity,
        deliveries=deliveries[::-1],
        alerts={alert.fingerprint: alert for its in state.alerts.values() for alert in its},
        account=account,
    )


def storage_faults(evidence: Evidence) -> Iterator[str]:
    """What is wrong with what is stored."""
    if evidence.integrity != "ok":
        yield f"the database is damaged: {evidence.integrity}"
    if not evidence.verdict.ok:
        yield f"the trail is not whole: {evidence.verdict.reason}"
    for before, after in pairwise(evidence.transitions):
        if after.at < before.at:
            yield f"entry {after.seq} of the trail is older than the one before"
    last: dict[str, str] = {}
    for entry in evidence.transitions:
        if last.get(entry.subject, TrailKind.ALERT_RESOLVED) == entry.kind:
            yield f"entry {entry.seq} of the trail says {entry.kind} twice of {entry.subject}"
        last[entry.subject] = entry.kind
    for fingerprint, kind in last.items():
        alert = evidence.alerts.get(fingerprint)
        is_firing = alert is not None and alert.state is AlertState.FIRING
        if is_firing is not (kind == TrailKind.ALERT_FIRED):
            yield f"alert {fingerprint} is not what the trail says last, {kind}"


def outbox_faults(evidence: Evidence) -> Iterator[str]:
    """Where outbox, trail and receivers do not agree on what arrived."""
    account = evidence.account
    for delivery in evidence.deliveries:
        if delivery.state is not DeliveryState.DELIVERED:
            yield f"{delivery.id} is still {delivery.state}"
    stored = {delivery.id: delivery for delivery in evidence.deliveries}
    entered = [it.subject for it in evidence.trail if it.kind == TrailKind.DELIVERY_DELIVERED]
    if Counter(entered) != Counter(list(stored)):
        yield "the trail does not enter each delivery once as delivered"
    if missing := stored.keys() - account.times.keys():
        yield f"said to be delivered and never taken: {sorted(missing)}"
    for hook, delivery_id, digest in account.accepted:
        known = stored.get(delivery_id)
        if known is None or known.hook != hook:
            yield f"{hook} took {delivery_id}, which is not owed to it"
        elif digest != digest_of(native(Message(delivery_id, known.notification, 1, ""))):
            yield f"{delivery_id} was not taken as it is in the outbox"
    for delivery_id, times in account.times.items():
        if times > 1 + account.in_flight[delivery_id]:
            yield f"{delivery_id} was taken {times} times without a reason"


def order_faults(evidence: Evidence) -> Iterator[str]:
    """Groups whose messages were not taken in the order in which they came to be owed."""
    first = {id_: place for place, (_, id_, _) in reversed([*enumerate(evidence.account.accepted)])}
    by_group = sorted(
        ((it.group_key, first[it.id]) for it in evidence.deliveries if it.id in first),
        key=itemgetter(0),
    )
    for group_key, places in groupby(by_group, key=itemgetter(0)):
        if any(after < before for (_, before), (_, after) in pairwise(places)):
            yield f"the messages of {group_key} were not taken in order"
