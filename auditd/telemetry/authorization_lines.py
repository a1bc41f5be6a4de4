"""Writes down the series of authorizations, of which a fleet has many, as bytes from the start."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import compress
from operator import add
from typing import TypeAlias

from auditd.audit.authorization import Authorization, Status, Timestamp
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.telemetry import families
from auditd.telemetry.column import project_label
from auditd.telemetry.label import escaped
from auditd.telemetry.number import instant_texts

Item: TypeAlias = tuple[bytes, Authorization, datetime | None, Verification | None]
"""One authorization: its identifying labels, itself, when it is stale, what its test gave."""

Lines: TypeAlias = tuple[bytes, int]
"""A text in UTF-8, and how many lines it has."""

FAMILIES = (
    families.AUTHORIZATION_INFO,
    families.AUTHORIZATION_STATUS,
    families.AUTHORIZATION_CREATED,
    families.AUTHORIZATION_UPDATED,
    families.AUTHORIZATION_STALE,
    families.AUTHORIZATION_VERIFIED,
)
"""In the order of what `texts` gives."""

_INFO, _STATUS, _CREATED, _UPDATED, _STALE, _VERIFIED = (
    family.sample_name.encode() + b"{" for family in FAMILIES
)
_REPO_TYPES = frozenset({"devcloud", "gitee", "github", "gitlab", "bitbucket"})
_VERDICTS = {Verdict.WORKS: b"1.0", Verdict.BROKEN: b"0.0"}
_STATUSES = {
    current: b"".join(
        b'%b%%b,status="%b"} %b\n'
        % (_STATUS, status.value.encode(), b"1.0" if status is current else b"0.0")
        for status in Status
    ).split(b"%b")
    for current in Status
}
"""Four lines each, cut where the identifying labels go."""


def items(snapshot: ProjectSnapshot) -> Iterator[Item]:
    """The authorizations of a project; none when it was never listed."""
    project, stale_at = project_label(snapshot), dict(snapshot.stale_at.items())
    for name, authorization in (snapshot.authorizations or {}).items():
        labels = f'authorization="{escaped(authorization.name)}",{project}'.encode()
        yield labels, authorization, stale_at.get(name), snapshot.verifications.get(name)


def texts(some: Sequence[Item]) -> tuple[Lines, ...]:
    """The five to nine series of each of them: lines for each of `FAMILIES`."""
    labels = [one[0] for one in some]
    listed = [one[1] for one in some]
    heads = [each + b"} " for each in labels]
    statuses = [_STATUSES[one.status] for one in listed]
    verdicts = [_VERDICTS.get(one[3].verdict, b"") if one[3] else b"" for one in some]
    return (
        _lines(_INFO, labels, [*map(_description, listed)]),
        (b"".join(map(bytes.join, labels, statuses)), len(some) * len(Status)),
        _instants(_CREATED, heads, [one.created_at for one in listed]),
        _instants(_UPDATED, heads, [one.updated_at for one in listed]),
        _instants(_STALE, heads, [one[2] for one in some]),
        _lines(_VERIFIED, [*compress(heads, verdicts)], [*filter(None, verdicts)]),
    )


def _instants(begin: bytes, heads: Sequence[bytes], instants: Sequence[Timestamp | None]) -> Lines:
    """One line for each instant that is known."""
    known = [at for at in instants if isinstance(at, datetime)]
    if len(known) < len(instants):
        heads = [*compress(heads, [isinstance(at, datetime) for at in instants])]
    return _lines(begin, heads, instant_texts(known))


def _lines(begin: bytes, heads: Sequence[bytes], ends: Sequence[bytes]) -> Lines:
    """Of both parts of each, which are put together in C."""
    if not ends:
        return b"", 0
    return begin + (b"\n" + begin).join(map(add, heads, ends)) + b"\n", len(ends)


def _description(authorization: Authorization) -> bytes:
    return _description_of(
        authorization.repo_host,
        authorization.repo_type,
        authorization.tag,
        authorization.token_type,
    )


@lru_cache(maxsize=1024)  # many authorizations share theirs
def _description_of(repo_host: str, repo_type: str, tag: str, token_type: str) -> bytes:
    known_type = repo_type if repo_type in _REPO_TYPES else "other"
    labels = (
        f'repo_host="{escaped(repo_host)}",repo_type="{known_type}",'
        f'tag="{escaped(tag)}",token_type="{escaped(token_type)}"'
    )
    return f",{labels}}} 1.0".encode()
