"""The recorded past of a project as the polls that it came from, to be judged by another policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from auditd.audit.authorization import Authorization, Listing
from auditd.audit.blind import BLIND_CHECK
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, succeeded
from auditd.audit.verification import Verdict, Verification

_NOTHING = Listing(())


@dataclass(frozen=True, slots=True)
class RecordedPoll:
    """A poll that changed something, with all that was known of the project by then."""

    at: datetime
    listing: Listing = _NOTHING
    """The last list, the very same one while it did not change. An authorization that was found
    to be listed more than once is there twice."""
    broken: frozenset[str] = frozenset()
    """The names whose stored credential was last found broken."""
    failure: FailureReason | None = None
    """Why this poll failed; None when it succeeded."""
    is_departure: bool = False
    """No poll: the project left the fleet."""


@dataclass(slots=True)
class _Scene:
    """What stands of a project while its record is read."""

    listed: dict[str, Authorization] = field(default_factory=dict)
    twice: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    poll: RecordedPoll | None = None

    def show(self, entries: Sequence[HistoryEntry]) -> RecordedPoll:
        """What a poll made of it; `entries` are all of one instant."""
        former = self.poll or RecordedPoll(entries[0].at)
        has_new_list = False
        for entry in entries:
            has_new_list |= self._note(entry)
        self.poll = RecordedPoll(
            at=entries[0].at,
            listing=self._listing() if has_new_list else former.listing,
            broken=frozenset(self.broken),
            failure=_failure(former.failure, entries),
            is_departure=former.failure is not None and _tells_of_departure(entries),
        )
        return self.poll

    def _note(self, entry: HistoryEntry) -> bool:
        """Whether another list follows from it."""
        match entry.kind:
            case HistoryKind.AUTHORIZATION_ADDED | HistoryKind.AUTHORIZATION_CHANGED if (
                entry.listed
            ):
                self.listed[entry.authorization] = entry.listed
            case HistoryKind.AUTHORIZATION_REMOVED:
                self.listed.pop(entry.authorization, None)
            case HistoryKind.FINDING_FLAGGED | HistoryKind.FINDING_CLEARED if entry.finding:
                return self._note_finding(entry.finding.check, entry)
            case _:
                return False
        return True

    def _note_finding(self, check: str, entry: HistoryEntry) -> bool:
        """What the record tells of a list only by what was found in it."""
        names = {"duplicate": self.twice, "broken": self.broken}.get(check, set())
        if entry.kind is HistoryKind.FINDING_FLAGGED:
            names.add(entry.authorization)
        else:
            names.discard(entry.authorization)
        return check == "duplicate"

    def _listing(self) -> Listing:
        again = (self.listed[name] for name in sorted(self.twice) if name in self.listed)
        return Listing((*self.listed.values(), *again))


def recorded_polls(entries: Iterable[HistoryEntry], begin: datetime) -> Iterator[RecordedPoll]:
    """The polls that changed something of one project, oldest first.

    What had happened before `begin` counts as found at `begin`; if polls failed then, it counts
    as found when the last failure that is known of began.

    Args:
        entries: of the project, in the order in which they were stored.
        begin: from when the record has everything.
    """
    scene = _Scene()
    groups = [(at, list(group)) for at, group in groupby(entries, attrgetter("at"))]
    earlier = [entry for at, group in groups if at < begin for entry in group]
    if earlier:
        yield from _beginning(scene.show(earlier), earlier, begin)
    for at, group in groups:
        if at >= begin:
            yield scene.show(group)


def judged(
    snapshot: ProjectSnapshot, poll: RecordedPoll, policy: Policy, at: datetime
) -> ProjectSnapshot:
    """What a poll at `at` that saw what `poll` saw would have made of `snapshot`."""
    if poll.failure:
        error = PollError(poll.failure, "as recorded")
        return failed(snapshot, error, policy, at=at)[0]
    verdicts = dict.fromkeys(snapshot.verifications, Verdict.WORKS)  # what was taken back
    verdicts.update(dict.fromkeys(poll.broken, Verdict.BROKEN))
    verifications = {name: Verification(verdict, at) for name, verdict in verdicts.items()}
    return succeeded(snapshot, poll.listing, policy, at=at, verifications=verifications)[0]


def _beginning(
    poll: RecordedPoll, entries: Sequence[HistoryEntry], begin: datetime
) -> Iterator[RecordedPoll]:
    kinds = (HistoryKind.POLLS_FAILED, HistoryKind.POLLS_RECOVERED)
    at = max(entry.at for entry in entries if entry.kind in kinds) if poll.failure else begin
    yield RecordedPoll(at, poll.listing, poll.broken)
    if poll.failure:
        yield RecordedPoll(at, poll.listing, poll.broken, poll.failure)


def _failure(former: FailureReason | None, entries: Sequence[HistoryEntry]) -> FailureReason | None:
    """Why the poll failed that these tell of; a list is new only in one that succeeded."""
    for entry in reversed(entries):
        match entry.kind:
            case HistoryKind.POLLS_FAILED:
                return entry.reason
            case HistoryKind.POLLS_RECOVERED | HistoryKind.AUTHORIZATION_ADDED:
                return None
    return None if former and _tells_of_departure(entries) else former


def _tells_of_departure(entries: Sequence[HistoryEntry]) -> bool:
    """Whether something ended that no failed poll can end, while polls went on failing."""
    return not any(entry.kind is HistoryKind.POLLS_RECOVERED for entry in entries) and any(
        entry.kind is HistoryKind.AUTHORIZATION_REMOVED
        or (
            entry.kind is HistoryKind.FINDING_CLEARED
            and entry.finding is not None
            and entry.finding.check == BLIND_CHECK
        )
        for entry in entries
    )
