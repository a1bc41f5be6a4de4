"""The answer to ListAuthorizations, turned into this program's own terms.

Strict about the shape, because a list that is misread as empty would end every alert; lenient
about each field, because one odd value must not hide the other authorizations.

Source: ServiceStage API reference, "Querying Git Repository Authorizations"
(support.huaweicloud.com/api-servicestage/servicestage_06_0092.html).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from auditd.audit.authorization import Authorization, Listing, Status, Timestamp, TimestampFault
from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.foreign_text import cleaned, public_url
from auditd.servicestage.json_body import decode

TEXT_LIMIT = 200
"""Characters of a listed text that are kept."""

_WHAT = "the list of authorizations"
_FIELD_LIMIT_BYTES = 64 * 1024
"""A longer field is as good as none: decoding it could take four times its size."""
_STATUSES = {0: Status.NORMAL, 1: Status.OVERDUE, 2: Status.UNAUTHENTICATED}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_PLAUSIBLE_MILLISECONDS = 10**11
"""3 March 1973. As seconds it is the year 5138: what is smaller was sent in seconds."""

_SCALARS: msgspec.json.Decoder[int | str | None] = msgspec.json.Decoder(int | str | None)
_DIGITS = re.compile(r"[0-9]{1,20}")
_ABSENT = msgspec.Raw(b"null")


class _Entry(msgspec.Struct):
    """One authorization as it is sent; each field is decoded on its own."""

    name: msgspec.Raw
    repo_type: msgspec.Raw = _ABSENT
    repo_host: msgspec.Raw = _ABSENT
    repo_user: msgspec.Raw = _ABSENT
    token_type: msgspec.Raw = _ABSENT
    tag: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT
    create_time: msgspec.Raw = _ABSENT
    update_time: msgspec.Raw = _ABSENT


class _Body(msgspec.Struct):
    authorizations: list[_Entry] | None
    count: msgspec.Raw = _ABSENT


def parse_listing(body: bytes) -> Listing:
    """The authorizations in `body`, in the order in which they were sent.

    `count` may be missing; one that differs from the number of entries is the warning
    `count_mismatch`. `null` is the empty list only beside `count: 0`.

    Raises:
        PollError: MALFORMED when there is no list, or an entry is no object or has no name;
            TOO_LARGE when there are too many objects.
    """
    answer = decode(body, _Body, what=_WHAT)
    count = _integer(answer.count)
    if answer.authorizations is None and count != 0:
        msg = "the answer has no list of authorizations: it is null, and the count is not 0"
        raise PollError(FailureReason.MALFORMED, msg)
    authorizations = tuple(_authorization(entry) for entry in answer.authorizations or ())
    is_mismatch = not _is_null(answer.count) and count != len(authorizations)
    return Listing(authorizations, ("count_mismatch",) if is_mismatch else ())


def _authorization(entry: _Entry) -> Authorization:
    name = _cut(_text(entry.name))
    if not name.strip():
        msg = f"an entry of {_WHAT} has no name, so that the list cannot be trusted"
        raise PollError(FailureReason.MALFORMED, msg)
    return Authorization(
        name=name,
        repo_type=_cut(_text(entry.repo_type).lower()),
        repo_host=_cut(public_url(_text(entry.repo_host))),
        repo_user=_cut(_text(entry.repo_user)),
        token_type=_cut(_text(entry.token_type).lower()),
        tag=_cut(_text(entry.tag)),
        status=_status(entry.status),
        raw_status=_raw_status(entry.status),
        created_at=_timestamp(entry.create_time),
        updated_at=_timestamp(entry.update_time),
    )


def _status(raw: msgspec.Raw) -> Status:
    value = _integer(raw)
    return Status.UNKNOWN if value is None else _STATUSES.get(value, Status.UNKNOWN)


def _raw_status(raw: msgspec.Raw) -> str:
    """A string without its quotes, anything else as it was written; null is the empty string."""
    if _is_null(raw):
        return ""
    written = memoryview(raw)[:TEXT_LIMIT].tobytes().decode(errors="replace")
    return _cut(_text(raw) or written)


def _timestamp(raw: msgspec.Raw) -> Timestamp:
    if _is_null(raw):
        return TimestampFault.MISSING
    milliseconds = _integer(raw)
    if milliseconds is None or milliseconds < 0:
        return TimestampFault.UNREADABLE
    if milliseconds == 0:
        return TimestampFault.ZERO
    if milliseconds < _FIRST_PLAUSIBLE_MILLISECONDS:
        return TimestampFault.IN_SECONDS
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return TimestampFault.UNREADABLE


def _is_null(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:5]) == b"null"


def _integer(raw: msgspec.Raw) -> int | None:
    """The value of an integer or of a string of digits. `true` and `1.0` are neither."""
    value = _scalar(raw)
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
