"""What became of a project and its authorizations over time: what timelines and replays read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from auditd.audit.authorization import Authorization, changed_fields
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding
from auditd.audit.judgement import changed_names
from auditd.audit.quick import quick
from auditd.audit.snapshot import ProjectSnapshot


class HistoryKind(StrEnum):
    """What can become of them."""

    AUTHORIZATION_ADDED = "authorization.added"
    """Also each one of a project's first list."""
    AUTHORIZATION_CHANGED = "authorization.changed"
    AUTHORIZATION_REMOVED = "authorization.removed"
    FINDING_FLAGGED = "finding.flagged"
    """Also one whose severity is another now."""
    FINDING_CLEARED = "finding.cleared"
    POLLS_FAILED = "polls.failed"
    """The first failed poll after one that succeeded, or one for another reason."""
    POLLS_RECOVERED = "polls.recovered"


@quick
@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One thing that became of one of them."""

    at: datetime
    project: str
    kind: HistoryKind
    authorization: str = ""
    """Empty for what is about the project itself."""
    listed: Authorization | None = None
    """As listed from then on; of one that was removed, as it was listed last."""
    fields: tuple[str, ...] = ()
    """The fields of the authorization that changed, sorted."""
    finding: Finding | None = None
    reason: FailureReason | None = None
    """Why the poll failed."""
    seq: int = 0
    """Grows with each entry that is stored; 0 for one that is not."""


def changes(previous: ProjectSnapshot | None, after: ProjectSnapshot) -> tuple[HistoryEntry, ...]:
    """What became of a project and its authorizations from one snapshot to the next.

    All of it is as of the poll that made `after`. First comes what is said of polls, then the
    authorizations by name, then what was flagged and what was cleared, each by key.

    Args:
        previous: of the same project id; None when nothing was known of it.
        after: nothing became of it if it was never tried.
    """
    before = previous or ProjectSnapshot(after.project)
    if after.attempted_at is None:
        return ()
    blank = HistoryEntry(after.attempted_at, after.project.name, HistoryKind.POLLS_FAILED)
    parts = (
        _polls(before, after, blank),
        _listed(before, after, blank),
        _found(before, after, blank),
    )
    return tuple(entry for part in parts for entry in part)


def ending(entry: HistoryEntry, at: datetime) -> HistoryEntry | None:
    """What ends with the project, if `entry` is the newest of its kind; None for what just stops.

    An authorization is removed, a finding is cleared. That polls failed is not taken back.
    """
    match entry.kind:
        case HistoryKind.AUTHORIZATION_ADDED | HistoryKind.AUTHORIZATION_CHANGED:
            kind = HistoryKind.AUTHORIZATION_REMOVED
        case HistoryKind.FINDING_FLAGGED:
            kind = HistoryKind.FINDING_CLEARED
        case _:
            return None
    return replace(entry, at=at, kind=kind, fields=(), seq=0)


def _polls(
    before: ProjectSnapshot, after: ProjectSnapshot, blank: HistoryEntry
) -> Iterator[HistoryEntry]:
    if after.failure and after.failure is not before.failure:
        yield replace(blank, reason=after.failure)
    elif before.failure and not after.failure:
        yield replace(blank, kind=HistoryKind.POLLS_RECOVERED)


def _listed(
    before: ProjectSnapshot, after: ProjectSnapshot, blank: HistoryEntry
) -> Iterator[HistoryEntry]:
    then, now = before.authorizations or {}, after.authorizations or {}
    for name in sorted(changed_names(then, now)):
        changed: tuple[str, ...] = ()
        if name not in then:
            kind = HistoryKind.AUTHORIZATION_ADDED
        elif name not in now:
            kind = HistoryKind.AUTHORIZATION_REMOVED
        else:
            kind = HistoryKind.AUTHORIZATION_CHANGED
            changed = changed_fields(then[name], now[name])
        listed = now.get(name) or then[name]
        yield HistoryEntry(blank.at, blank.project, kind, name, listed, changed)


def _found(
    before: ProjectSnapshot, after: ProjectSnapshot, blank: HistoryEntry
) -> Iterator[HistoryEntry]:
    if before.findings is after.findings:
        return
    then = {finding.key: finding for finding in before.findings}
    now = {finding.key: finding for finding in after.findings}
    for key, finding in now.items():
        if key not in then or then[key].severity is not finding.severity:
            yield _of(finding, HistoryKind.FINDING_FLAGGED, blank)
    for key, finding in then.items():
        if key not in now:
            yield _of(finding, HistoryKind.FINDING_CLEARED, blank)


def _of(finding: Finding, kind: HistoryKind, blank: HistoryEntry) -> HistoryEntry:
    return HistoryEntry(
        blank.at, blank.project, kind, authorization=finding.authorization, finding=finding
    )
