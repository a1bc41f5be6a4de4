from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from weakref import ref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from auditd.audit import events
from auditd.audit.authorization import Authorization
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.finding import Severity
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import authorization_lines
from auditd.telemetry.column import Column
from auditd.telemetry.exposition import Exposer, render_snapshots
from auditd.telemetry.families import AUTHORIZATION_INFO
from auditd.telemetry.family import Family
from auditd.telemetry.fleet_exposition import FleetExposition
from auditd.telemetry.fragment import Fragment
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks
from tests.unit.telemetry.fleets import NOON, fleets
from tests.unit.telemetry.reading import FORMATS, read, samples
from tests.unit.telemetry.reference import Reference

CHECKS = {"overdue": (Severity.CRITICAL,), "stale": (Severity.WARNING, Severity.CRITICAL)}
_HAPPENED = st.builds(
    lambda project, event: replace(event, project=project),
    st.text(min_size=1, max_size=2),
    st.sampled_from(
        [
            events.PollFinished("", 0.2, 0.0, 1, 0, (), is_news=False),
            events.PollFailed("", FailureReason.DNS, "m", 3.0, 20.0, 1),
            events.PollSkipped("", SkipReason.CLOCK, 7),
        ]
    ),
)


class Fleet:
    """An exposition, and the fleet that it looks at."""

    def __init__(self, max_series: int = 500_000) -> None:
        self.snapshots: list[ProjectSnapshot] = []
        self.checks: Checks = CHECKS
        self.counts = PollCounts()
        self.seen: list[Fragment] = []
        """Kept, so that no other gets the identity of one that is let go."""
        self.exposition = FleetExposition(
            fleet=lambda: self.snapshots,
            checks=lambda: dict(self.checks),
            counts=self.counts,
            max_series=max_series,
            dropped=lambda _: None,
        )
        self.exposer = Exposer(self.exposition, CollectorRegistry())

    def of_authorizations(self) -> list[int]:
        """The identities of what is kept of them, after a refresh."""
        for _ in self.exposition.refresh():
            pass
        kept = self.exposition.sections()
        families = authorization_lines.FAMILIES
        shown = [one for family, strip in kept if family in families for one in strip.fragments]
        self.seen += shown
        return list(map(id, shown))

    def reference(self, happened: Iterable[events.Event] = ()) -> CollectorRegistry:
        max_series = self.exposition.max_series
        return Reference(self.snapshots, self.checks, happened, max_series).registry()


@pytest.fixture
def fleet(project: Project, authorization: Authorization) -> Fleet:
    """Projects of three authorizations each, so many that they cannot be all in one run."""
    fleet = Fleet()
    for number in range(400):
        listed = {f"a{place}": replace(authorization, name=f"a{place}") for place in range(3)}
        fleet.snapshots.append(
            ProjectSnapshot(
                replace(project, name=f"p{number}"),
                attempted_at=NOON,
                succeeded_at=NOON,
                authorizations=listed,
                stale_at={"a0": NOON},
            )
        )
    return fleet


@settings(max_examples=60, deadline=None)
@given(fleets(), st.lists(_HAPPENED, max_size=6), st.integers(0, 60))
def test_the_series_are_those_that_prometheus_client_would_expose(
    snapshots: list[ProjectSnapshot], happened: list[Any], max_series: int
) -> None:
    fleet = Fleet(max_series)
    fleet.snapshots = snapshots
    known = {snapshot.project.name for snapshot in snapshots}
    for event in happened:
        fleet.counts.count(event)
    reference = fleet.reference(event for event in happened if event.project in known)
    for accept, parse in FORMATS:
        theirs = read(Exposer(_Nothing(), reference), accept=accept)
        ours = read(fleet.exposer, accept=accept)
        assert samples(parse(ours)) == samples(parse(theirs))
        assert sorted(ours.splitlines()) == sorted(theirs.splitlines())


class _Nothing(FleetExposition):
    """No fleet at all: beside it stands the registry alone."""

    def __init__(self) -> None:
        pass

    def refresh(self) -> Any:
        return iter(())

    def sections(self) -> Any:
        return iter(())


@given(st.lists(fleets(), min_size=2, max_size=4), st.data())
@settings(max_examples=40, deadline=None)
def test_what_is_kept_never_differs_from_what_would_be_written_anew(
    states: list[list[ProjectSnapshot]], data: st.DataObject
) -> None:
    fleet = Fleet()
    for snapshots in states:
        kept = data.draw(st.lists(st.sampled_from(fleet.snapshots))) if fleet.snapshots else []
        by_name = {one.project.name: one for one in [*kept, *snapshots]}
        fleet.snapshots = list(by_name.values())
        fleet.checks = data.draw(st.sampled_from([CHECKS, {}, {"overdue": (Severity.INFO,)}]))
        fleet.exposition.max_series = data.draw(st.integers(0, 80))
        theirs = generate_latest(fleet.reference()).decode()
        assert samples(parse_text(read(fleet.exposer))) == samples(parse_text(theirs))


def test_a_poll_without_news_writes_nothing_of_authorizations_anew(fleet: Fleet) -> None:
    before = fleet.of_authorizations()
    later = NOON + timedelta(minutes=5)
    fleet.snapshots = [
        replace(one, attempted_at=later, succeeded_at=later) for one in fleet.snapshots
    ]
    assert fleet.of_authorizations() == before
    assert f"{later.timestamp() / 1e9}e+09" in read(fleet.exposer)


def test_an_equal_list_writes_nothing_anew_either(fleet: Fleet) -> None:
    before = fleet.of_authorizations()
    fleet.snapshots = [
        replace(one, authorizations={n: replace(a) for n, a in (one.authorizations or {}).items()})
        for one in fleet.snapshots
    ]
    assert fleet.of_authorizations() == before


class Listed(dict[str, Authorization]):
    """One that tells when nobody holds it any more."""


def test_of_equal_lists_the_older_is_let_go(fleet: Fleet, authorization: Authorization) -> None:
    older = Listed({"a": authorization})
    is_held = ref(older)
    fleet.snapshots[50] = replace(fleet.snapshots[50], authorizations=older)
    fleet.of_authorizations()
    fleet.snapshots[50] = replace(fleet.snapshots[50], authorizations=Listed(older))
    del older
    assert is_held()
    fleet.of_authorizations()
    assert not is_held()


def test_other_labels_checks_and_findings_write_no_authorizations_anew(fleet: Fleet) -> None:
    before = fleet.of_authorizations()
    fleet.checks = {}
    fleet.snapshots = [
        replace(one, project=replace(one.project, labels=()), failure=FailureReason.DNS)
        for one in fleet.snapshots
    ]
    assert fleet.of_authorizations() == before


def test_news_of_one_project_write_few_others_anew(
    fleet: Fleet, authorization: Authorization
) -> None:
    before = fleet.of_authorizations()
    changed = fleet.snapshots[40]
    fleet.snapshots[40] = replace(changed, authorizations={"new": authorization})
    after = fleet.of_authorizations()
    assert 0 < len(set(after) - set(before)) < len(before)


def test_a_refresh_that_was_given_up_is_made_good_by_the_next(
    fleet: Fleet, authorization: Authorization
) -> None:
    read(fleet.exposer)
    fleet.snapshots = [
        replace(one, authorizations={"new": replace(authorization, name="new")})
        for one in fleet.snapshots[1:]
    ]
    steps = fleet.exposition.refresh()
    next(steps)
    next(steps)
    del steps
    theirs = generate_latest(fleet.reference()).decode()
    assert samples(parse_text(read(fleet.exposer))) == samples(parse_text(theirs))


def test_work_that_was_given_up_is_not_done_again(fleet: Fleet) -> None:
    written = list[str]()

    def write(label: str, _fact: object) -> str:
        written.append(label)
        return f"written{{{label}}} 1\n"

    column = Column(Family("written", "gauge", ""), lambda run: ([1] * len(run),), write)
    fleet.exposition.add([column])
    done = len(list(fleet.exposition.refresh()))
    again = Fleet()
    again.snapshots = fleet.snapshots
    again.exposition.add([column])
    written.clear()
    steps = again.exposition.refresh()
    for _ in range(done - 1):
        next(steps)
    del steps
    assert len(list(again.exposition.refresh())) < done
    assert len(written) == len(set(written)) == len(fleet.snapshots)


def test_a_refresh_of_what_is_as_it_was_makes_nothing_that_stays(fleet: Fleet) -> None:
    for _ in fleet.exposition.refresh():
        pass
    gc.collect()
    gc.disable()
    try:
        for _ in fleet.exposition.refresh():
            pass
        made = gc.get_count()[0]
    finally:
        gc.enable()
    assert made < len(fleet.snapshots)


def test_a_long_list_is_written_in_steps(fleet: Fleet, authorization: Authorization) -> None:
    listed = {f"a{place}": replace(authorization, name=f"a{place}") for place in range(1000)}
    fleet.snapshots = fleet.snapshots[:1]
    read(fleet.exposer)
    fleet.snapshots = [replace(fleet.snapshots[0], authorizations=listed)]
    assert len(list(fleet.exposition.refresh())) > 1000 / 100


def test_the_cap_can_change_from_scrape_to_scrape(fleet: Fleet) -> None:
    of_all = len(fleet.snapshots) * (7 * 3 + 1)
    for max_series in (of_all, 100, 0, of_all - 1, of_all):
        fleet.exposition.max_series = max_series
        found = samples(parse_text(read(fleet.exposer)))
        shown = [key for key in found if key[0].startswith("servicestage_git_authorization_")]
        assert len(shown) <= max_series
        assert len(shown) + found["auditd_series_dropped", ()] == of_all


def test_a_report_is_what_the_daemon_would_expose_of_the_fleet(fleet: Fleet) -> None:
    report = render_snapshots(fleet.snapshots, CHECKS, PollCounts(), max_series=500_000)
    assert report == read(fleet.exposer)
    assert AUTHORIZATION_INFO.sample_name in report
