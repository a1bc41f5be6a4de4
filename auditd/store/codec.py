"""Things as the JSON that is stored of them.

The shapes are those of the dataclasses, by field name. A field that is added with a default is
read from older rows; any other change of a stored dataclass needs a migration, which the stored
examples among the tests insist on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Attempt
from auditd.alerting.grouping import Group
from auditd.alerting.notification import Notification
from auditd.alerting.silence import Acknowledgement, Silence
from auditd.audit.authorization import Authorization, Status, Timestamp, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verification
from auditd.store.columns import legible

_FAULTS = frozenset(TimestampFault)
ALERT_FIELDS = tuple(field.name for field in fields(Alert) if field.name != "last_seen_at")
"""What is in the body of an alert."""
alert_body = attrgetter(*ALERT_FIELDS)

GROUP = msgspec.json.Decoder(Group)
NOTIFICATION = msgspec.json.Decoder(Notification)
TRIED = msgspec.json.Decoder(tuple[Attempt, ...])
SILENCE = msgspec.json.Decoder(Silence)
ACKNOWLEDGEMENT = msgspec.json.Decoder(Acknowledgement)


class _Authorization(msgspec.Struct, frozen=True):
    """Its timestamps are an instant or a fault, which only the text tells apart."""

    name: str
    repo_type: str
    repo_host: str
    repo_user: str
    token_type: str
    tag: str
    status: Status
    raw_status: str
    created_at: str
    updated_at: str


class Sight(msgspec.Struct, frozen=True):
    """What a snapshot says beside its project, its list and what every poll changes.

    Two are equal when they say the same.
    """

    failure: FailureReason | None
    failure_message: str
    is_listed: bool
    """Whether a list ever came. What is on it stands in the history."""
    findings: tuple[Finding, ...]
    verifications: Mapping[str, Verification]


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a history entry says beside what has a column of its own."""

    listed: Authorization | None = None
    fields: tuple[str, ...] = ()
    finding: Finding | None = None
    reason: FailureReason | None = None


class _Event(msgspec.Struct, frozen=True):
    listed: _Authorization | None = None
    fields: tuple[str, ...] = ()
    finding: Finding | None = None
    reason: FailureReason | None = None


class _Listed(msgspec.Struct, frozen=True):
    listed: _Authorization


_EVENT = msgspec.json.Decoder(_Event)
_LISTED = msgspec.json.Decoder(_Listed)
SIGHT = msgspec.json.Decoder(Sight)


def encode(value: Any) -> str:
    """The JSON of a dataclass, a Struct or a mapping; see `legible` of the columns."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_legible(msgspec.to_builtins(value))).decode()


def sight_of(snapshot: ProjectSnapshot) -> Sight:
    """What of a snapshot is stored as its body."""
    return Sight(
        snapshot.failure,
        snapshot.failure_message,
        snapshot.authorizations is not None,
        snapshot.findings,
        snapshot.verifications,
    )


def decode_event(body: str) -> Event:
    """Raises ValueError for what `encode` did not make."""
    stored = _EVENT.decode(body)
    listed = _authorization(stored.listed) if stored.listed else None
    return Event(listed, stored.fields, stored.finding, stored.reason)


def decode_listed(body: str) -> Authorization:
    """What an entry says is listed. Raises ValueError where it says nothing of that."""
    return _authorization(_LISTED.decode(body).listed)


def encode_alert(alert: Alert) -> str:
    """All but `last_seen_at`."""
    return encode(dict(zip(ALERT_FIELDS, alert_body(alert), strict=True)))


def decode_alert(body: str, last_seen_at: datetime) -> Alert:
    """Raises ValueError for what `encode_alert` did not make."""
    return msgspec.convert({**_mapping(body), "last_seen_at": last_seen_at}, Alert)


def _legible(value: Any) -> Any:
    match value:
        case str():
            return legible(value)
        case list() | tuple():
            return [_legible(each) for each in value]
        case dict():
            return {_legible(key): _legible(each) for key, each in value.items()}
        case _:
            return value


def _mapping(body: str) -> Mapping[str, Any]:
    return msgspec.json.decode(body, type=dict[str, Any])


def _authorization(stored: _Authorization) -> Authorization:
    return Authorization(
        stored.name,
        stored.repo_type,
        stored.repo_host,
        stored.repo_user,
        stored.token_type,
        stored.tag,
        stored.status,
        stored.raw_status,
        _timestamp(stored.created_at),
        _timestamp(stored.updated_at),
    )


def _timestamp(text: str) -> Timestamp:
    return TimestampFault(text) if text in _FAULTS else msgspec.convert(text, datetime)
