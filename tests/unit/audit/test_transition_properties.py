from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing, Status, TimestampFault
from auditd.audit.events import Event, FindingCleared, FindingFlagged
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.finding import Finding
from auditd.audit.plugin import load_plugins
from auditd.audit.project import Project
from auditd.audit.run import build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import departed, failed, succeeded
from auditd.audit.verification import Verdict, Verification

POLICY = build_policy(load_plugins(checks, "servicestage_auditd.checks"), {}, blind_after=2)
AT = datetime(2026, 6, 1, tzinfo=UTC)

names = st.sampled_from(["a", "b", "c"])
instants = st.sampled_from([AT - timedelta(days=days) for days in (-1, 0, 1, 90, 91, 400)])
timestamps = instants | st.sampled_from(TimestampFault)
authorizations = st.builds(
    Authorization,
    name=names,
    repo_type=st.just("github"),
    repo_host=st.just("https://api.github.com"),
    repo_user=st.sampled_from(["alice", "bob"]),
    token_type=st.just("oauth"),
    tag=st.just(""),
    status=st.sampled_from(Status),
    raw_status=st.just("?"),
    created_at=timestamps,
    updated_at=timestamps,
)
listings = st.lists(authorizations, max_size=6).map(tuple).map(Listing)
verdicts = st.dictionaries(names, st.builds(Verification, st.sampled_from(Verdict), st.just(AT)))
errors = st.sampled_from(FailureReason).map(lambda reason: PollError(reason, "no list came"))
polls = st.lists(errors | st.tuples(listings, verdicts), max_size=8)

Poll: TypeAlias = PollError | tuple[Listing, dict[str, Verification]]


def step(snapshot: ProjectSnapshot, poll: Poll) -> tuple[ProjectSnapshot, tuple[Event, ...]]:
    if isinstance(poll, PollError):
        return failed(snapshot, poll, POLICY, at=AT)
    return succeeded(snapshot, poll[0], POLICY, at=AT, verifications=poll[1])


def after(project: Project, history: list[Poll]) -> ProjectSnapshot:
    snapshot = ProjectSnapshot(project)
    for poll in history:
        snapshot, _ = step(snapshot, poll)
    return snapshot


def of_authorizations(snapshot: ProjectSnapshot) -> list[Finding]:
    return [finding for finding in snapshot.findings if finding.authorization]


@given(polls, listings, verdicts)
def test_the_same_list_again_gives_the_same_snapshot_and_no_event(
    project: Project,
    history: list[Poll],
    listing: Listing,
    verifications: dict[str, Verification],
) -> None:
    poll = (listing, verifications)
    # The first poll may find drift from what was before, and the second sees none.
    settled, _ = step(step(after(project, history), poll)[0], poll)
    assert step(settled, poll) == (settled, ())


@given(polls, listings, verdicts, st.randoms(use_true_random=False))
def test_the_order_of_the_list_is_not_felt(
    project: Project,
    history: list[Poll],
    listing: Listing,
    verifications: dict[str, Verification],
    random: Random,
) -> None:
    shuffled = [*listing.authorizations]
    random.shuffle(shuffled)
    before = after(project, history)
    assert step(before, (listing, verifications)) == step(
        before, (Listing(tuple(shuffled)), verifications)
    )


@given(polls, errors)
def test_a_failed_poll_changes_no_finding_of_an_authorization(
    project: Project, history: list[Poll], error: PollError
) -> None:
    before = after(project, history)
    snapshot, events = step(before, error)
    assert of_authorizations(snapshot) == of_authorizations(before)
    assert snapshot.authorizations == before.authorizations
    assert all(
        isinstance(event, FindingFlagged) and event.finding.check == "blind" for event in events
    )


@given(polls)
def test_what_is_flagged_and_not_cleared_is_what_stands(
    project: Project, history: list[Poll]
) -> None:
    standing: dict[tuple[str, str], str] = {}
    snapshot = ProjectSnapshot(project)
    for poll in history:
        snapshot, events = step(snapshot, poll)
        follow(standing, events)
        assert standing == {finding.key: finding.severity for finding in snapshot.findings}
    follow(standing, departed(snapshot, AT))
    assert standing == {}


def follow(standing: dict[tuple[str, str], str], events: tuple[Event, ...]) -> None:
    for event in events:
        if isinstance(event, FindingFlagged):
            assert standing.get(event.finding.key) != event.finding.severity
            standing[event.finding.key] = event.finding.severity
        elif isinstance(event, FindingCleared):
            del standing[event.finding.key]


@given(polls)
def test_findings_are_sorted_and_one_for_each_key(project: Project, history: list[Poll]) -> None:
    keys = [finding.key for finding in after(project, history).findings]
    assert keys == sorted(set(keys))
