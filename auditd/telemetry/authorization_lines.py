"""Writes down the series of authorizations, of which a fleet has many, as bytes from the start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
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
_VERDICTS = {Verdict.WORKS: b"} 1.0\n", Verdict.BROKEN: b"} 0.0\n"}
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
    project = project_label(snapshot)
    for name, authorization in (snapshot.authorizations or {}).items():
        labels = f'authorization="{escaped(authorization.name)}",{project}'.encode()
        yield labels, authorization, snapshot.stale_at.get(name), snapshot.verifications.get(name)


def texts(some: Sequence[Item]) -> tuple[bytes, ...]:
    """The five to nine series of each of them, in UTF-8: a text for each of `FAMILIES`."""
    return (
        _lines(_INFO, [(labels, _description(one)) for labels, one, _, _ in some]),
        b"".join([labels.join(_STATUSES[one.status]) for labels, one, _, _ in some]),
        _instants(_CREATED, [(labels, one.created_at) for labels, one, _, _ in some]),
        _instants(_UPDATED, [(labels, one.updated_at) for labels, one, _, _ in some]),
        _instants(_STALE, [(labels, stale_at) for labels, _, stale_at, _ in some]),
        _lines(
            _VERIFIED,
            [
                (labels, _VERDICTS[verification.verdict])
                for labels, _, _, verification in some
                if verification and verification.verdict in _VERDICTS
            ],
        ),
    )


def _instants(begin: bytes, some: Iterable[tuple[bytes, Timestamp | None]]) -> bytes:
    """One line for each instant that is known."""
    known = [(labels, at) for labels, at in some if isinstance(at, datetime)]
    written = instant_texts([at for _, at in known])
    return b"".join(
        [
            part
            for (labels, _), at in zip(known, written, strict=True)
            for part in (begin, labels, b"} ", at, b"\n")
        ]
    )


def _lines(begin: bytes, some: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Of the labels and the end of each. To join them takes half as long as to format them."""
    return b"".join([part for labels, end in some for part in (begin, labels, end)])


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
    return f",{labels}}} 1.0\n".encode()
