"""One entry of the answer to ListAuthorizations, turned into this program's own terms.

Lenient about each field, because one odd value must not hide the other authorizations.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sys import intern

import msgspec

from auditd.audit.authorization import Authorization, Status, Timestamp, TimestampFault
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.foreign_text import cleaned, public_url

TEXT_LIMIT = 200
"""Characters of a listed text that are kept."""

WHAT = "the list of authorizations"
"""What was expected, for messages."""
_FIELD_LIMIT_BYTES = 64 * 1024
"""A longer field is as good as none: decoding it could take four times its size."""
_STATUSES = {0: Status.NORMAL, 1: Status.OVERDUE, 2: Status.UNAUTHENTICATED}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_PLAUSIBLE_MILLISECONDS = 10**11
"""3 March 1973. As seconds it is the year 5138: what is smaller was sent in seconds."""
_FIRST_ODD_MILLISECONDS = 10**13
"""The year 2286."""
_KEPT_CHARACTERS = 500
"""Of longer texts none is kept once: whoever sends many must not fill the memory."""

_SCALARS: msgspec.json.Decoder[int | str | None] = msgspec.json.Decoder(int | str | None)
_DIGITS = re.compile(r"[0-9]{1,20}")
_NO_TIME = -1
ABSENT = msgspec.Raw(b"null")
_COMMON_STATUSES: dict[int | str | None, tuple[Status, str]] = {
    number: (status, str(number)) for number, status in _STATUSES.items()
}


class _Fields(msgspec.Struct, gc=False):
    """One authorization as it is nearly always sent, field by field."""

    name: str | None = None
    repo_type: str | None = None
    repo_host: str | None = None
    repo_user: str | None = None
    token_type: str | None = None
    tag: str | None = None
    status: int | str | None = None
    create_time: int | str | None = None
    update_time: int | str | None = None


class _Entry(msgspec.Struct):
    """One that has a field of another kind: each is decoded on its own."""

    name: msgspec.Raw
    repo_type: msgspec.Raw = ABSENT
    repo_host: msgspec.Raw = ABSENT
    repo_user: msgspec.Raw = ABSENT
    token_type: msgspec.Raw = ABSENT
    tag: msgspec.Raw = ABSENT
    status: msgspec.Raw = ABSENT
    create_time: msgspec.Raw = ABSENT
    update_time: msgspec.Raw = ABSENT


_FIELDS = msgspec.json.Decoder(_Fields)
_ENTRY = msgspec.json.Decoder(_Entry)


def authorization_of(entry: bytes) -> Authorization:
    """What an entry says.

    Raises:
        PollError: MALFORMED when it is no object or has no name.
    """
    fields = _read(entry)
    name, user = fields.name or "", fields.repo_user or ""
    if len(name) + len(user) > TEXT_LIMIT or not (name.isprintable() and user.isprintable()):
        name, user = cleaned(name, TEXT_LIMIT), cleaned(user, TEXT_LIMIT)
    if not name or name.isspace():
        msg = f"an entry of {WHAT} has no name, so that the list cannot be trusted"
        raise PollError(FailureReason.MALFORMED, msg)
    status, raw_status = _COMMON_STATUSES.get(fields.status) or _odd_status(fields.status)
    repo_type, repo_host, token_type, tag = _kinds(
        fields.repo_type or "", fields.repo_host or "", fields.token_type or "", fields.tag or ""
    )
    return Authorization(
        name,
        repo_type,
        repo_host,
        user,
        token_type,
        tag,
        status,
        raw_status,
        _timestamp(fields.create_time),
        _timestamp(fields.update_time),
    )


def _read(entry: bytes) -> _Fields:
    """The fields of an entry.

    What is no scalar is "" as a text, _NO_TIME as a time, and what was written as a status.
    """
    if len(entry) <= _FIELD_LIMIT_BYTES:
        try:
            return _FIELDS.decode(entry)
        except (ValueError, RecursionError):
            pass  # it is looked at closely, field by field
    try:
        raw = _ENTRY.decode(entry)
    except (ValueError, RecursionError):
        msg = f"an entry of {WHAT} is no object that has a name"
        raise PollError(FailureReason.MALFORMED, msg) from None
    return _Fields(
        name=_text(raw.name),
        repo_type=_text(raw.repo_type),
        repo_host=_text(raw.repo_host),
        repo_user=_text(raw.repo_user),
        token_type=_text(raw.token_type),
        tag=_text(raw.tag),
        status=_written(raw.status),
        create_time=_time(raw.create_time),
        update_time=_time(raw.update_time),
    )


def _time(raw: msgspec.Raw) -> int | str | None:
    value = _scalar(raw)
    return _NO_TIME if value is None and not is_null(raw) else value


def _kinds(repo_type: str, repo_host: str, token_type: str, tag: str) -> tuple[str, str, str, str]:
    """Kinds in lower case, the host without what can hold a password.

    There are few different ones: each is kept once.
    """
    if len(repo_type) + len(repo_host) + len(token_type) + len(tag) <= _KEPT_CHARACTERS:
        return _kept_kinds(repo_type, repo_host, token_type, tag)
    return _kept_kinds.__wrapped__(repo_type, repo_host, token_type, tag)


@lru_cache(maxsize=1024)
def _kept_kinds(
    repo_type: str, repo_host: str, token_type: str, tag: str
) -> tuple[str, str, str, str]:
    return (
        intern(_cut(repo_type.lower())),
        intern(_cut(public_url(repo_host))),
        intern(_cut(token_type.lower())),
        intern(_cut(tag)),
    )


def _odd_status(value: int | str | None) -> tuple[Status, str]:
    """A string of digits is as good as a number; null is the empty string, which has quotes."""
    if value is None:
        return Status.UNKNOWN, ""
    number = _number(value)
    known = Status.UNKNOWN if number is None else _STATUSES.get(number, Status.UNKNOWN)
    return known, '""' if value == "" else _cut(str(value))


def _written(raw: msgspec.Raw) -> int | str | None:
    """The value of a string or an integer, anything else as it was written."""
    value = _scalar(raw)
    if value is None and not is_null(raw):
        return memoryview(raw)[:TEXT_LIMIT].tobytes().decode(errors="replace")
    return value


def _timestamp(value: int | str | None) -> Timestamp:
    if type(value) is int and _FIRST_PLAUSIBLE_MILLISECONDS <= value < _FIRST_ODD_MILLISECONDS:
        return _EPOCH + value * _MILLISECOND
    return _odd_timestamp(value)


def _odd_timestamp(value: int | str | None) -> Timestamp:
    if value is None:
        return TimestampFault.MISSING
    milliseconds = _number(value)
    if milliseconds is None or milliseconds < 0:
        return TimestampFault.UNREADABLE
    if milliseconds == 0:
        return TimestampFault.ZERO
    if milliseconds < _FIRST_PLAUSIBLE_MILLISECONDS:
        return TimestampFault.IN_SECONDS
    try:
        return _EPOCH + milliseconds * _MILLISECOND
    except OverflowError:
        return TimestampFault.UNREADABLE


def is_null(raw: msgspec.Raw) -> bool:
    """Whether it is, or would be without a field, the JSON null."""
    return bytes(memoryview(raw)[:5]) == b"null"


def integer(raw: msgspec.Raw) -> int | None:
    """The value of an integer or of a string of digits. `true` and `1.0` are neither."""
    return _number(_scalar(raw))


def _number(value: int | str | None) -> int | None:
    if isinstance(value, str):
        return int(value) if _DIGITS.fullmatch(value) else None
    return value


def _text(raw: msgspec.Raw) -> str:
    """The value of a string, else the empty string."""
    value = _scalar(raw)
    return value if isinstance(value, str) else ""


def _scalar(raw: msgspec.Raw) -> int | str | None:
    """The value of an integer or a string, None for anything else."""
    if memoryview(raw).nbytes > _FIELD_LIMIT_BYTES:
        return None
    try:
        return _SCALARS.decode(raw)
    except ValueError:
        return None


def _cut(text: str) -> str:
    return cleaned(text, TEXT_LIMIT)
