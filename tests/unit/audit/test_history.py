from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Finding, Severity
from auditd.audit.history import HistoryEntry, HistoryKind, changes, ending
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot

NOW = datetime.fromisoformat("2026-01-01T12:00:00Z")
LATER = NOW + timedelta(minutes=5)
PROJECT = Project("payments", "0123", "cn-north-4", "prod", timedelta(300), timedelta(30))


def an_authorization(name: str, **values: str) -> Authorization:
    listed = Authorization(
        name=name,
        repo_type="github",
        repo_host="github.com",
        repo_user="octocat",
        token_type="oauth",
        tag="",
        status=Status.NORMAL,
        raw_status="0",
        created_at=NOW,
        updated_at=TimestampFault.ZERO,
    )
    return replace(listed, **values)  # type: ignore[arg-type]  # only texts are changed


def a_finding(check: str, about: str = "a", severity: Severity = Severity.WARNING) -> Finding:
    return Finding(check, f"Alert{check}", severity, about, "a sentence")


def a_snapshot(
    *listed: Authorization, findings: tuple[Finding, ...] = (), at: datetime = LATER
) -> ProjectSnapshot:
    return ProjectSnapshot(
        PROJECT,
        attempted_at=at,
        succeeded_at=at,
        authorizations={each.name: each for each in listed},
        findings=findings,
    )


def in_vain(before: ProjectSnapshot, reason: FailureReason) -> ProjectSnapshot:
    count = before.failures_in_a_row + 1
    return replace(before, attempted_at=LATER, failure=reason, failures_in_a_row=count)


def kinds(entries: tuple[HistoryEntry, ...]) -> list[tuple[str, str]]:
    return [(str(entry.kind), entry.authorization) for entry in entries]


def test_each_of_a_first_list_is_added_and_each_first_finding_flagged() -> None:
    a, b = an_authorization("a"), an_authorization("b")
    finding = a_finding("stale")
    after = a_snapshot(b, a, findings=(finding,))
    for previous in (None, ProjectSnapshot(PROJECT)):
        assert changes(previous, after) == (
            HistoryEntry(LATER, "payments", HistoryKind.AUTHORIZATION_ADDED, "a", listed=a),
            HistoryEntry(LATER, "payments", HistoryKind.AUTHORIZATION_ADDED, "b", listed=b),
            HistoryEntry(LATER, "payments", HistoryKind.FINDING_FLAGGED, "a", finding=finding),
        )


def test_the_same_again_is_nothing() -> None:
    before = a_snapshot(an_authorization("a"), findings=(a_finding("stale"),), at=NOW)
    assert changes(before, replace(before, attempted_at=LATER, succeeded_at=LATER)) == ()


def test_what_changed_is_named_with_what_is_listed_now() -> None:
    after = an_authorization("a", tag="x", repo_user="hubot")
    (entry,) = changes(a_snapshot(an_authorization("a")), a_snapshot(after))
    assert entry.kind is HistoryKind.AUTHORIZATION_CHANGED
    assert entry.listed == after
    assert entry.fields == ("repo_user", "tag")


def test_what_was_removed_is_as_it_was_listed_last() -> None:
    gone, stays = an_authorization("a"), an_authorization("b")
    (entry,) = changes(a_snapshot(gone, stays), a_snapshot(stays))
    assert entry == HistoryEntry(
        LATER, "payments", HistoryKind.AUTHORIZATION_REMOVED, "a", listed=gone
    )


def test_a_finding_is_flagged_once_and_again_with_another_severity() -> None:
    def seen(*findings: Finding) -> ProjectSnapshot:
        return a_snapshot(an_authorization("a"), findings=findings)

    one, other = a_finding("stale"), a_finding("overdue")
    worse = a_finding("stale", severity=Severity.CRITICAL)
    reworded = replace(one, summary="another sentence")
    assert kinds(changes(seen(one), seen(one, other))) == [("finding.flagged", "a")]
    assert changes(seen(one), seen(reworded)) == ()
    (entry,) = changes(seen(one), seen(worse))
    assert (entry.kind, entry.finding) == (HistoryKind.FINDING_FLAGGED, worse)
    (entry,) = changes(seen(one, other), seen(other))
    assert (entry.kind, entry.finding) == (HistoryKind.FINDING_CLEARED, one)


def test_polls_fail_once_for_each_reason_and_recover_once() -> None:
    before = a_snapshot(an_authorization("a"), at=NOW)
    first = in_vain(before, FailureReason.TIMEOUT)
    second = in_vain(first, FailureReason.TIMEOUT)
    third = in_vain(second, FailureReason.AUTH)
    assert [entry.reason for entry in changes(before, first)] == [FailureReason.TIMEOUT]
    assert changes(first, second) == ()
    assert [entry.reason for entry in changes(second, third)] == [FailureReason.AUTH]
    (entry,) = changes(third, a_snapshot(an_authorization("a")))
    assert entry == HistoryEntry(LATER, "payments", HistoryKind.POLLS_RECOVERED)


def test_a_first_poll_that_fails_says_nothing_of_lists() -> None:
    entries = changes(None, in_vain(ProjectSnapshot(PROJECT), FailureReason.DNS))
    assert kinds(entries) == [("polls.failed", "")]


def test_polls_come_first_then_the_list_then_the_findings() -> None:
    before = replace(
        a_snapshot(an_authorization("b"), findings=(a_finding("stale", "b"),)),
        failure=FailureReason.DNS,
    )
    after = a_snapshot(an_authorization("a"), findings=(a_finding("overdue"),))
    assert kinds(changes(before, after)) == [
        ("polls.recovered", ""),
        ("authorization.added", "a"),
        ("authorization.removed", "b"),
        ("finding.flagged", "a"),
        ("finding.cleared", "b"),
    ]


def test_of_a_project_that_was_never_tried_there_is_nothing() -> None:
    assert changes(None, ProjectSnapshot(PROJECT)) == ()


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (HistoryKind.AUTHORIZATION_ADDED, HistoryKind.AUTHORIZATION_REMOVED),
        (HistoryKind.AUTHORIZATION_CHANGED, HistoryKind.AUTHORIZATION_REMOVED),
        (HistoryKind.FINDING_FLAGGED, HistoryKind.FINDING_CLEARED),
        (HistoryKind.POLLS_FAILED, None),
        (HistoryKind.AUTHORIZATION_REMOVED, None),
    ],
)
def test_what_stands_ends_with_its_project(kind: HistoryKind, end: HistoryKind | None) -> None:
    listed = an_authorization("a")
    entry = HistoryEntry(NOW, "payments", kind, "a", listed=listed, fields=("tag",), seq=7)
    ended = HistoryEntry(LATER, "payments", end, "a", listed=listed) if end else None
    assert ending(entry, LATER) == ended


LISTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y"]))
FINDINGS = st.dictionaries(st.tuples(st.sampled_from("pq"), st.sampled_from("ab")), st.booleans())


@given(st.lists(st.tuples(LISTS, FINDINGS), min_size=1))
def test_what_is_listed_and_found_can_be_told_from_the_changes_alone(
    polls: list[tuple[Mapping[str, str], Mapping[tuple[str, str], bool]]],
) -> None:
    listed: dict[str, Authorization | None] = {}
    found: dict[tuple[str, str], Finding | None] = {}
    snapshot = None
    for names, keys in polls:
        previous, snapshot = (
            snapshot,
            a_snapshot(
                *(an_authorization(name, tag=tag) for name, tag in names.items()),
                findings=tuple(
                    a_finding(*key, Severity.CRITICAL if is_bad else Severity.INFO)
                    for key, is_bad in sorted(keys.items())
                ),
            ),
        )
        for entry in changes(previous, snapshot):
            if entry.finding:
                is_over = entry.kind is HistoryKind.FINDING_CLEARED
                found[entry.finding.key] = None if is_over else entry.finding
            else:
                is_over = entry.kind is HistoryKind.AUTHORIZATION_REMOVED
                listed[entry.authorization] = None if is_over else entry.listed
        standing = {name: each for name, each in listed.items() if each}
        assert standing == snapshot.authorizations
        assert {key for key, each in found.items() if each} == set(keys)
