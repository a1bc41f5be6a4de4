from __future__ import annotations

import asyncio

import pytest

from auditd.audit.events import DiscoveryAdded, DiscoveryFailed, DiscoveryRemoved, Event
from auditd.audit.failure import FailureReason, PollError
from auditd.polling.discovery import Discovery
from auditd.polling.roster import Roster, RosterChange
from tests.unit.polling.fakes import FakeProjects, make_project

pytestmark = pytest.mark.looptime


def discovery(
    events: list[Event], *sources: FakeProjects
) -> tuple[Discovery, list[RosterChange], Roster]:
    changes: list[RosterChange] = []
    roster = Roster([], [source.name for source in sources])
    return (
        Discovery(
            roster=roster,
            sources=sources,
            on_change=changes.append,
            on_read=lambda: None,
            emit=events.append,
        ),
        changes,
        roster,
    )


async def test_a_project_that_appears_and_goes_is_told_within_one_refresh(
    events: list[Event],
) -> None:
    source = FakeProjects("iam/prod", [make_project("a")])
    under_test, changes, _ = discovery(events, source)
    task = asyncio.create_task(under_test.run())
    await asyncio.sleep(1)
    assert events == [DiscoveryAdded("iam/prod", "a", "id-a", "cn-north-4")]
    source.answer = [make_project("b")]
    await asyncio.sleep(10)
    assert events[1:] == [
        DiscoveryRemoved("iam/prod", "a"),
        DiscoveryAdded("iam/prod", "b", "id-b", "cn-north-4"),
    ]
    assert len(changes) == 2
    task.cancel()


@pytest.mark.parametrize(
    "error", [PollError(FailureReason.TIMEOUT, "no answer"), ValueError("bad file"), OSError("bug")]
)
async def test_a_source_that_fails_keeps_what_it_gave_before(
    events: list[Event], error: Exception
) -> None:
    source = FakeProjects("file/0", [make_project("a")])
    under_test, changes, roster = discovery(events, source)
    await under_test.refresh(source)
    source.answer = error
    await under_test.refresh(source)
    assert isinstance(events[-1], DiscoveryFailed)
    assert len(changes) == 1
    assert [project.name for project in roster.projects] == ["a"]


async def test_a_source_counts_as_read_once_it_answered_or_failed(events: list[Event]) -> None:
    good = FakeProjects("file/0", [])
    bad = FakeProjects("file/1", ValueError("bad file"))
    under_test, changes, _ = discovery(events, good, bad)
    assert under_test.unread == {"file/0", "file/1"}
    await under_test.refresh(good)
    await under_test.refresh(bad)
    assert under_test.unread == frozenset()
    assert changes == []


async def test_one_source_that_hangs_does_not_stop_another(events: list[Event]) -> None:
    class Hanging(FakeProjects):
        async def projects(self) -> list[object]:  # type: ignore[override]  # never returns
            await asyncio.Event().wait()
            return []

    under_test, changes, _ = discovery(
        events, Hanging("iam/a", []), FakeProjects("iam/b", [make_project("b")])
    )
    task = asyncio.create_task(under_test.run())
    await asyncio.sleep(1)
    assert len(changes) == 1
    task.cancel()
