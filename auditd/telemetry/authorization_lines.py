"""Writes down the series of authorizations. A fleet has many, so each line is one format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias

from auditd.audit.authorization import Authorization, Status, known_time
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict, Verification
from auditd.telemetry import families
from auditd.telemetry.column import project_label
from auditd.telemetry.label import escaped
from auditd.telemetry.number import instant_text

Item: TypeAlias = tuple[str, Authorization, datetime | None, Verification | None]
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

_INFO = families.AUTHORIZATION_INFO.sample_name
_CREATED = families.AUTHORIZATION_CREATED.sample_name
_UPDATED = families.AUTHORIZATION_UPDATED.sample_name
_STALE = families.AUTHORIZATION_STALE.sample_name
_VERIFIED = families.AUTHORIZATION_VERIFIED.sample_name
_REPO_TYPES = frozenset({"devcloud", "gitee", "github", "gitlab", "bitbucket"})
_VERDICTS = {Verdict.WORKS: "1.0", Verdict.BROKEN: "0.0"}
_STATUSES = {
    current: "".join(
        f'{families.AUTHORIZATION_STATUS.sample_name}{{%s,status="{status.value}"}} '
        f"{'1.0' if status is current else '0.0'}\n"
        for status in Status
    )
    for current in Status
}
"""Four lines each, for the identifying labels in each of them."""


def items(snapshot: ProjectSnapshot) -> Iterator[Item]:
    """The authorizations of a project; none when it was never listed."""
    project = project_label(snapshot)
    for name, authorization in (snapshot.authorizations or {}).items():
        labels = f'authorization="{escaped(authorization.name)}",{project}'
        yield labels, authorization, snapshot.stale_at.get(name), snapshot.verifications.get(name)


def texts(some: Sequence[Item]) -> tuple[str, ...]:
    """The five to nine series of each of them: a text for each of `FAMILIES`."""
    return (
        "".join([f"{_INFO}{{{labels},{_description(one)}}} 1.0\n" for labels, one, _, _ in some]),
        "".join([_STATUSES[one.status] % ((labels,) * 4) for labels, one, _, _ in some]),
        _instants(_CREATED, [(labels, known_time(one.created_at)) for labels, one, _, _ in some]),
        _instants(_UPDATED, [(labels, known_time(one.updated_at)) for labels, one, _, _ in some]),
        _instants(_STALE, [(labels, stale_at) for labels, _, stale_at, _ in some]),
        "".join(
            f"{_VERIFIED}{{{labels}}} {_VERDICTS[verification.verdict]}\n"
            for labels, _, _, verification in some
            if verification and verification.verdict in _VERDICTS
        ),
    )


def _instants(sample_name: str, some: Sequence[tuple[str, datetime | None]]) -> str:
    return "".join([f"{sample_name}{{{labels}}} {instant_text(at)}\n" for labels, at in some if at])


def _description(authorization: Authorization) -> str:
    return _description_of(
        authorization.repo_host,
        authorization.repo_type,
        authorization.tag,
        authorization.token_type,
    )


@lru_cache(maxsize=1024)  # many authorizations share theirs
def _description_of(repo_host: str, repo_type: str, tag: str, token_type: str) -> str:
    known_type = repo_type if repo_type in _REPO_TYPES else "other"
    return (
        f'repo_host="{escaped(repo_host)}",repo_type="{known_type}",'
        f'tag="{escaped(tag)}",token_type="{escaped(token_type)}"'
    )
