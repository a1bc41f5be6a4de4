"""Which stored Git credentials to exercise now: each use costs the user's quota at the host."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from auditd.audit.authorization import Authorization
from auditd.audit.snapshot import ProjectSnapshot

_SAFE_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NEVER = datetime.min.replace(tzinfo=UTC)


def names_to_verify(
    snapshot: ProjectSnapshot,
    authorizations: Mapping[str, Authorization],
    now: datetime,
    *,
    every: timedelta,
    at_most: int,
) -> tuple[str, ...]:
    """At most `at_most` of the names in `authorizations`, those that have waited longest first.

    Due is what was never verified, what was renewed since (see `is_renewed`), and what was
    verified `every` ago or longer. `snapshot` is from before this list. A name goes into a
    header as it is, so one that could break out of it is never chosen.
    """
    waiting = {
        name: verified_at
        for name, authorization in authorizations.items()
        if _SAFE_NAME.fullmatch(name)
        and now - (verified_at := _verified_at(snapshot, authorization)) >= every
    }
    return tuple(sorted(waiting, key=lambda name: (waiting[name], name))[:at_most])


def is_renewed(before: Authorization, after: Authorization) -> bool:
    """Whether a verdict on `before` says nothing of `after` any more."""
    return (before.status, before.updated_at) != (after.status, after.updated_at)


def _verified_at(snapshot: ProjectSnapshot, authorization: Authorization) -> datetime:
    """When what is stored now was last verified; the beginning of time when it never was."""
    verification = snapshot.verifications.get(authorization.name)
    before = (snapshot.authorizations or {}).get(authorization.name)
    if verification is None or before is None or is_renewed(before, authorization):
        return _NEVER
    return verification.at
