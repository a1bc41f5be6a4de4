from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from auditd.audit import checks
from auditd.audit.authorization import Authorization, Listing, Status, TimestampFault
from auditd.audit.checks.policy import Options, UserPolicy
from auditd.audit.expression import parse_expression
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import load_plugins
from auditd.audit.project import Project
from auditd.audit.run import Policy, build_policy
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.transition import failed, rejudged, succeeded
from auditd.audit.verification import Verdict, Verification

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TIMEOUT = PollError(FailureReason.TIMEOUT, "no list came")


def policy(max_age: str) -> Policy:
    mine = UserPolicy(name="old", expression=parse_expression(f'update_age > "{max_age}"'))
    plugins = load_plugins(checks, "servicestage_auditd.checks")
    return build_policy(plugins, {"policy": Options(policies=(mine,))}, blind_after=2)


POLICIES = (policy("30d"), policy("60d"))

names = st.sampled_from(["a", "b", "c"])
timestamps = st.sampled_from(
    [AT + age * DAY for age in (-90, -89, -60, -30, -29, 0, 1)] + [*TimestampFault]
)
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
listings = st.lists(authorizations, max_size=4).map(tuple).map(Listing)
verdicts = st.dictionaries(names, st.builds(Verification, st.sampled_from(Verdict), st.just(AT)))
steps = st.sampled_from(
    [timedelta(0), timedelta(microseconds=1), DAY / 2, DAY, 30 * DAY, -DAY, -DAY / 4]
)
Poll: TypeAlias = tuple[str, Listing, dict[str, Verification], timedelta, Policy]
polls = st.lists(
    st.tuples(
        st.sampled_from(["same", "same", "same", "other", "failed", "rejudged"]),
        listings,
        st.just(dict[str, Verification]()) | verdicts,
        steps,
        st.sampled_from(POLICIES),
    ),
    max_size=10,
)


def forgetful(snapshot: ProjectSnapshot) -> ProjectSnapshot:
    """Whose next list is judged as if nothing were known of how the last one was."""
    return replace(snapshot, judgement=None)


@given(polls)
def test_what_is_passed_over_would_have_changed_nothing(
    project: Project, history: Sequence[Poll]
) -> None:
    known, at, last, current = ProjectSnapshot(project), AT, Listing(()), POLICIES[0]
    for kind, listing, verifications, step, another in history:
        at += step
        if kind == "failed":
            known, _ = failed(known, TIMEOUT, current, at=at)
            continue
        if kind == "rejudged":
            current = another
            known, _ = rejudged(known, current, at=at)
            continue
        last = last if kind == "same" else listing
        in_full = succeeded(forgetful(known), last, current, at=at, verifications=verifications)
        known, events = succeeded(known, last, current, at=at, verifications=verifications)
        assert (known, events) == in_full


class Counting:
    """A check that says nothing, and counts what it is shown."""

    name = alertname = description = "counting"
    inputs = ()

    def __init__(self, turns: Sequence[datetime] = ()) -> None:
        self.shown: list[list[str]] = []
        self._turns = turns

    def inspect(self, observation: object) -> tuple[()]:
        self.shown.append([*observation.authorizations])  # type: ignore[attr-defined]  # of a check
        return ()

    def fires_at(self, *_: object) -> None:
        return None

    def turns(self, *_: object) -> Sequence[datetime]:
        return self._turns


def see(
    snapshot: ProjectSnapshot, listing: Listing, check: Counting, at: datetime
) -> ProjectSnapshot:
    policy = POLICIES_OF.setdefault(id(check), Policy((check,), 3))  # type: ignore[arg-type]  # as a check
    return succeeded(snapshot, listing, policy, at=at, verifications={})[0]


POLICIES_OF: dict[int, Policy] = {}


def test_a_list_that_goes_on_is_not_judged_again(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    check, listing = Counting(), Listing((authorize(), authorize(name="b")))
    first = see(ProjectSnapshot(project), listing, check, AT)
    second = see(first, listing, check, AT + DAY)
    third = see(second, listing, check, AT + 2 * DAY)
    assert check.shown == [["gh-main", "b"][::-1]] * 2
    assert third.authorizations is first.authorizations
    assert third.findings is first.findings
    assert third.stale_at is first.stale_at
    assert third.attempted_at == AT + 2 * DAY


def test_of_another_list_only_what_changed_is_judged(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    check, before = Counting(), (authorize(), authorize(name="b"))
    snapshot = see(ProjectSnapshot(project), Listing(before), check, AT)
    snapshot = see(snapshot, Listing(before), check, AT)
    changed = (before[0], replace(before[1], repo_user="mallory"))
    check.shown.clear()
    see(snapshot, Listing(changed), check, AT)
    assert check.shown == [["b"]]


def test_all_is_judged_anew_when_time_may_change_it(
    project: Project, authorize: Callable[..., Authorization]
) -> None:
    check, listing = Counting([AT + DAY]), Listing((authorize(),))
    snapshot = see(ProjectSnapshot(project), listing, check, AT)
    for at in (AT, AT + DAY / 2):
        snapshot = see(snapshot, listing, check, at)
    check.shown.clear()
    snapshot = see(snapshot, listing, check, AT + DAY)
    assert check.shown == [["gh-main"]]
    see(snapshot, listing, check, AT + DAY + timedelta(microseconds=1))
    assert len(check.shown) == 2
