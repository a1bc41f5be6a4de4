from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from auditd.audit.authorization import Authorization, Listing
from auditd.audit.blind import blind_finding
from auditd.audit.checks import broken, duplicate
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.project import Project
from auditd.audit.replay import RecordedPoll, judged, recorded_polls
from auditd.audit.run import Policy
from auditd.audit.snapshot import ProjectSnapshot

Authorize = Callable[..., Authorization]
HOUR = timedelta(hours=1)
FAILED: dict[str, Any] = {"kind": HistoryKind.POLLS_FAILED, "reason": FailureReason.DNS}


@pytest.fixture
def entry(now: datetime) -> Callable[..., HistoryEntry]:
    """An entry so many hours from now."""

    def make(
        hours: float, kind: HistoryKind, listed: Authorization | None = None, **given: Any
    ) -> HistoryEntry:
        name = listed.name if listed else ""
        made = HistoryEntry(now + hours * HOUR, "payments", kind, name, listed)
        return replace(made, **given)

    return make


Entry = Callable[..., HistoryEntry]


def found(check: str, name: str = "gh-main") -> Finding:
    return Finding(check, "GitAuthorization", Severity.WARNING, name, "s")


def test_entries_of_one_instant_are_one_poll(
    entry: Entry, authorize: Authorize, now: datetime
) -> None:
    one, other = authorize(), authorize(name="other")
    changed = authorize(tag="x")
    entries = [
        entry(0, HistoryKind.AUTHORIZATION_ADDED, one),
        entry(0, HistoryKind.AUTHORIZATION_ADDED, other),
        entry(1, HistoryKind.AUTHORIZATION_CHANGED, changed),
        entry(1, HistoryKind.AUTHORIZATION_REMOVED, other),
    ]
    assert [*recorded_polls(entries, now)] == [
        RecordedPoll(now, Listing((one, other))),
        RecordedPoll(now + HOUR, Listing((changed,))),
    ]


def test_a_list_is_the_same_one_until_another_comes(
    entry: Entry, authorize: Authorize, now: datetime
) -> None:
    entries = [
        entry(0, HistoryKind.AUTHORIZATION_ADDED, authorize()),
        entry(1, **FAILED),
        entry(2, HistoryKind.POLLS_RECOVERED),
    ]
    first, failing, recovered = recorded_polls(entries, now)
    assert failing.failure is FailureReason.DNS
    assert recovered.failure is None
    assert first.listing is failing.listing is recovered.listing


def test_what_stood_before_the_beginning_is_found_at_the_beginning(
    entry: Entry, authorize: Authorize, now: datetime
) -> None:
    entries = [entry(-9, HistoryKind.AUTHORIZATION_ADDED, authorize())]
    assert [*recorded_polls(entries, now)] == [RecordedPoll(now, Listing((authorize(),)))]


def test_what_was_seen_before_polls_failed_is_found_before_the_failure(
    entry: Entry, authorize: Authorize, now: datetime
) -> None:
    entries = [
        entry(-9, HistoryKind.AUTHORIZATION_ADDED, authorize()),
        entry(-5, **FAILED),
        entry(1, HistoryKind.POLLS_RECOVERED),
    ]
    listing, failed_at = Listing((authorize(),)), now - 5 * HOUR
    assert [*recorded_polls(entries, now)] == [
        RecordedPoll(failed_at, listing),
        RecordedPoll(failed_at, listing, failure=FailureReason.DNS),
        RecordedPoll(now + HOUR, listing),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"kind": HistoryKind.AUTHORIZATION_REMOVED, "authorization": "gh-main"},
        {
            "kind": HistoryKind.FINDING_CLEARED,
            "finding": blind_finding("payments", FailureReason.DNS, None),
        },
    ],
)
def test_what_no_failed_poll_can_end_tells_that_the_project_left(
    entry: Entry, authorize: Authorize, given: dict[str, Any], now: datetime
) -> None:
    entries = [
        entry(0, HistoryKind.AUTHORIZATION_ADDED, authorize()),
        entry(1, **FAILED),
        entry(2, **given),
    ]
    *_, last = recorded_polls(entries, now)
    assert last.is_departure
    assert last.failure is None


def test_a_finding_of_blindness_is_a_failed_poll(
    entry: Entry, authorize: Authorize, now: datetime
) -> None:
    blind = blind_finding("payments", FailureReason.DNS, None)
    flagged = entry(2, HistoryKind.FINDING_FLAGGED, finding=blind)
    first = entry(0, HistoryKind.AUTHORIZATION_ADDED, authorize())
    *_, last = recorded_polls([first, entry(1, **FAILED), flagged], now)
    assert (last.at, last.failure) == (now + 2 * HOUR, FailureReason.DNS)


@pytest.mark.parametrize("check", ["duplicate", "broken"])
def test_what_only_findings_tell_is_found_again_until_it_was_cleared(
    entry: Entry, authorize: Authorize, check: str, now: datetime, project: Project
) -> None:
    policy = Policy((duplicate.build(duplicate.Options()), broken.build(broken.Options())), 3)
    about: dict[str, Any] = {"finding": found(check), "authorization": "gh-main"}
    entries = [
        entry(0, HistoryKind.AUTHORIZATION_ADDED, authorize()),
        entry(0, HistoryKind.FINDING_FLAGGED, **about),
        entry(1, HistoryKind.AUTHORIZATION_CHANGED, authorize(tag="x")),
        entry(2, HistoryKind.FINDING_CLEARED, **about),
    ]
    snapshot, seen = ProjectSnapshot(replace(project, verify=False)), []
    for poll in recorded_polls(entries, now):
        snapshot = judged(snapshot, poll, policy, poll.at)
        seen.append([finding.check for finding in snapshot.findings])
    assert seen == [[check], [check], []]


def test_a_verdict_that_was_taken_back_is_not_kept(
    entry: Entry, authorize: Authorize, now: datetime, project: Project
) -> None:
    """Also where the daemon verifies: of what it found then only findings are on record."""
    policy = Policy((broken.build(broken.Options()),), 3)
    listing = Listing((authorize(),))
    snapshot = ProjectSnapshot(project)
    for names in (frozenset({"gh-main"}), frozenset[str]()):
        snapshot = judged(snapshot, RecordedPoll(now, listing, names), policy, now)
    assert snapshot.findings == ()
