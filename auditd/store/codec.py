"""Things as the JSON that is stored of them.

The shapes are those of the dataclasses, by field name. A field that is added with a default is
read from older rows; any other change of a stored dataclass needs a migration, which the stored
examples among the tests insist on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
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
    """What a snapshot says beside its project and what every poll changes.

    Two are equal when they say the same.
    """

    failure: FailureReason | None
    failure_message: str
    authorizations: Mapping[str, Authorization] | None
    findings: tuple[Finding, ...]
    stale_at: Mapping[str, datetime]
    verifications: Mapping[str, Verification]


class _Sight(msgspec.Struct, frozen=True):
    failure: FailureReason | None
    failure_message: str
    authorizations: dict[str, _Authorization] | None
    findings: tuple[Finding, ...]
    stale_at: dict[str, datetime]
    verifications: dict[str, Verification]


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


_EVENT = msgspec.json.Decoder(_Event)
_SIGHT = msgspec.json.Decoder(_Sight)


def encode(value: Any) -> str:
    """The JSON of a dataclass, a Struct or a mapping; see `legible` of the columns."""
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_legible(msgspec.to_builtins(value))).decode()


def sight_of(snapshot: ProjectSnapshot) -> Sight:
    """What of a snapshot is stored as its body."""
    return Sight(**{name: getattr(snapshot, name) for name in Sight.__struct_fields__})


def encode_sight(sight: Sight) -> str:
    """What of it is worked out when asked for is asked for."""
    values = {name: getattr(sight, name) for name in Sight.__struct_fields__}
    return encode({**values, "stale_at": dict(sight.stale_at.items())})


def decode_sight(body: str) -> Sight:
    """Raises ValueError for what `encode` did not make."""
    stored = _SIGHT.decode(body)
    values = {name: getattr(stored, name) for name in Sight.__struct_fields__}
    if stored.authorizations is not None:
        values["authorizations"] = {
            name: _authorization(authorization)
            for name, authorization in stored.authorizations.items()
        }
    return Sight(**values)


def decode_event(body: str) -> Event:
    """Raises ValueError for what `encode` did not make."""
    stored = _EVENT.decode(body)
    listed = _authorization(stored.listed) if stored.listed else None
    return Event(listed, stored.fields, stored.finding, stored.reason)


def encode_alert(alert: Alert) -> str:
    """All but `last_seen_at`."""
    return encode({name: getattr(alert, name) for name in ALERT_FIELDS})


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
        **{
            **msgspec.structs.asdict(stored),
            "created_at": _timestamp(stored.created_at),
            "updated_at": _timestamp(stored.updated_at),
        }
    )


def _timestamp(text: str) -> Timestamp:
    return TimestampFault(text) if text in _FAULTS else msgspec.convert(text, datetime)
