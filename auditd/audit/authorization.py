"""One Git repository authorization as ServiceStage listed it, in this program's own terms."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from itertools import compress
from operator import attrgetter, ne
from typing import NamedTuple, TypeAlias


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


class _Common(NamedTuple):
    """What many authorizations have in common, and what is there once for all of them."""

    repo_type: str
    repo_host: str
    token_type: str
    tag: str
    raw_status: str


class _Packed:
    """How an authorization is kept, of which there are many."""

    __slots__ = ("_common", "_user", "created_at", "name", "status", "updated_at")
    _user: bytes

    repo_type = property(attrgetter("_common.repo_type"))
    repo_host = property(attrgetter("_common.repo_host"))
    token_type = property(attrgetter("_common.token_type"))
    tag = property(attrgetter("_common.tag"))
    raw_status = property(attrgetter("_common.raw_status"))

    @property
    def repo_user(self) -> str:
        return self._user.decode("utf-8", "surrogatepass")


@dataclass(frozen=True, init=False, eq=False)
class Authorization(_Packed):
    """A stored Git credential of one ServiceStage project.

    Every text is cleaned where the answer is parsed: no control characters, at most 200
    characters; `repo_type` and `token_type` in lower case; `repo_host` without user info,
    query or fragment. A field that was absent or null is the empty string.
    """

    __slots__ = ()
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

    def __init__(  # noqa: PLR0917 -- the fields in their order, as of any dataclass
        self,
        name: str,
        repo_type: str,
        repo_host: str,
        repo_user: str,
        token_type: str,
        tag: str,
        status: Status,
        raw_status: str,
        created_at: Timestamp,
        updated_at: Timestamp,
    ) -> None:
        _set_name(self, name)
        _set_status(self, status)
        _set_created(self, created_at)
        _set_updated(self, updated_at)
        _set_common(self, _once(repo_type, repo_host, token_type, tag, raw_status))
        _set_user(self, repo_user.encode("utf-8", "surrogatepass"))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Authorization) and _kept(self) == _kept(other)

    def __hash__(self) -> int:
        return hash(_kept(self))


_KEPT = ("name", "status", "created_at", "updated_at", "_common", "_user")
_kept = attrgetter(*_KEPT)
_set_name, _set_status, _set_created, _set_updated, _set_common, _set_user = (
    _Packed.__dict__[slot].__set__ for slot in _KEPT
)


@lru_cache(maxsize=1024)
def _once(*texts: str) -> _Common:
    """The very same for the same texts."""
    return _Common(*texts)


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete answer to "list the authorizations of this project", in the order listed."""

    authorizations: tuple[Authorization, ...]
    warnings: tuple[str, ...] = ()
    """Oddities that do not make the list unusable, for example `count_mismatch`."""
    imprint: object = field(default=None, compare=False, repr=False)
    """What whoever read it knows it by when it comes again; of no meaning to others."""


_FIELDS = tuple(sorted(each.name for each in fields(Authorization)))
_values = attrgetter(*_FIELDS)


def changed_fields(before: Authorization, after: Authorization) -> tuple[str, ...]:
    """The names of those that differ, sorted."""
    return tuple(compress(_FIELDS, map(ne, _values(before), _values(after))))


def known_time(timestamp: Timestamp) -> datetime | None:
    """The instant, or None when what was listed is not usable."""
    return timestamp if isinstance(timestamp, datetime) else None
