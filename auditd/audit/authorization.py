"""One Git repository authorization as ServiceStage listed it, in this program's own terms."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from auditd.audit.quick import quick


class Status(StrEnum):
    """What ServiceStage says of an authorization.

    Source: ListAuthorizations, field `status`: 0 normal, 1 overdue, 2 unauthenticated.
    Anything else is UNKNOWN and is never read as normal.
    """

    NORMAL = "normal"
    OVERDUE = "overdue"
    UNAUTHENTICATED = "unauthenticated"
    UNKNOWN = "unknown"

    @property
    def badness(self) -> int:
        """Order by urgency: of two entries of one name the one with the higher value counts."""
        return _BADNESS[self]


_BADNESS = {Status.NORMAL: 0, Status.UNKNOWN: 1, Status.UNAUTHENTICATED: 2, Status.OVERDUE: 3}


class TimestampFault(StrEnum):
    """Why a time that was listed cannot be used."""

    MISSING = "missing"
    ZERO = "zero"
    IN_SECONDS = "in_seconds"
    UNREADABLE = "unreadable"


Timestamp: TypeAlias = datetime | TimestampFault
"""An aware UTC datetime, exact to the millisecond, or why there is none."""


@quick
@dataclass(frozen=True, slots=True)
class Authorization:
    """A stored Git credential of one ServiceStage project.

    Every text is cleaned where the answer is parsed: no control characters, at most 200
    characters; `repo_type` and `token_type` in lower case; `repo_host` without user info,
    query or fragment. A field that was absent or null is the empty string.
    """

    name: str
    repo_type: str
    repo_host: str
    repo_user: str
    token_type: str
    tag: str
    status: Status
    raw_status: str
    """The status as it was sent, for people who must explain an unknown one."""
    created_at: Timestamp
    updated_at: Timestamp


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete answer to "list the authorizations of this project", in the order listed."""

    authorizations: tuple[Authorization, ...]
    warnings: tuple[str, ...] = ()
    """Oddities that do not make the list unusable, for example `count_mismatch`."""
    imprint: object = field(default=None, compare=False, repr=False)
    """What whoever read it knows it by when it comes again; of no meaning to others."""


_FIELDS = tuple(sorted(each.name for each in fields(Authorization)))


def changed_fields(before: Authorization, after: Authorization) -> tuple[str, ...]:
    """The names of those that differ, sorted."""
    return tuple([name for name in _FIELDS if getattr(before, name) != getattr(after, name)])


def known_time(timestamp: Timestamp) -> datetime | None:
    """The instant, or None when what was listed is not usable."""
    return timestamp if isinstance(timestamp, datetime) else None
