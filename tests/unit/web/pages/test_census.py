from __future__ import annotations

import asyncio
from dataclasses import replace

from auditd.audit.authorization import Status
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Severity
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.pages.census import Census
from auditd.web.pages.condition import Condition
from auditd.web.pages.selection import PAGE_SIZE, AuthorizationSearch
from tests.unit.web.pages.examples import DAY, NOW, finding_of, listed_as, project_of, seen
from tests.unit.web.pages.fakes import Fleet


async def test_the_worst_projects_come_first_then_by_name() -> None:
    fleet = Fleet()
    fleet.add(
        seen(project_of("z-fine")),
        seen(project_of("a-fine")),
        seen(project_of("mild"), findings=(finding_of("x", severity=Severity.WARNING),)),
        seen(project_of("severe"), findings=(finding_of("x"),)),
        replace(seen(project_of("failing")), failure=FailureReason.DNS),
        ProjectSnapshot(project_of("unseen")),
        seen(project_of("blind"), findings=(finding_of("", check="blind"),)),
    )
    glance = await Census(fleet).take()
    names = [found.name for found in glance.digests]
    assert names == ["blind", "failing", "severe", "mild", "unseen", "a-fine", "z-fine"]
    assert glance.conditions[Condition.FLAGGED] == 2
    assert glance.listed_since is None, "one was never listed"


async def test_only_what_changed_is_counted_again() -> None:
    fleet = Fleet()
    fleet.add(seen(project_of("a"), listed_as("one")), seen(project_of("b"), listed_as("two")))
    census = Census(fleet)
    first = await census.take()
    assert await census.take() is first
    fleet.add(seen(project_of("b"), listed_as("two", status=Status.OVERDUE)))
    second = await census.take()
    assert second.statuses == {Status.NORMAL: 1, Status.OVERDUE: 1}
    assert {id(found) for found in first.digests} & {id(found) for found in second.digests}
    del fleet.known["a"]
    assert (await census.take()).statuses == {Status.OVERDUE: 1}


async def test_the_oldest_are_found_wherever_they_lie() -> None:
    fleet = Fleet()
    ages = {"a": (400, 300, 1), "b": (350, 2), "c": tuple(range(100, 115))}
    for name, days in ages.items():
        listed = (listed_as(f"{name}{day}", updated_at=NOW - day * DAY) for day in days)
        fleet.add(seen(project_of(name), *listed))
    oldest = [listed.name for _, listed in (await Census(fleet).take()).oldest]
    assert oldest == ["a400", "b350", "a300", *(f"c{day}" for day in range(114, 107, -1))]


async def test_callers_at_one_time_share_a_count_that_begins_after_they_came() -> None:
    fleet = Fleet()
    fleet.add(
        *(seen(project_of(str(number)), *map(listed_as, "ab" * 50)) for number in range(3000))
    )
    census = Census(fleet)
    running = asyncio.create_task(census.take())
    await asyncio.sleep(0)
    fleet.add(seen(project_of("0"), listed_as("new", status=Status.OVERDUE)))
    glances = await asyncio.gather(*(census.take() for _ in range(5)))
    assert Status.OVERDUE not in (await running).statuses
    assert all(glance is glances[0] for glance in glances)
    assert glances[0].statuses[Status.OVERDUE] == 1


async def turns_during(work: asyncio.Task[object]) -> int:
    """How often others ran until the work was done."""
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    await work
    return turns


async def test_counting_and_searching_a_large_fleet_let_others_run() -> None:
    listed = {f"name-{number}": listed_as(f"name-{number}") for number in range(100)}
    fleet = Fleet()
    fleet.add(*(replace(seen(project_of(f"p{n}")), authorizations=listed) for n in range(2000)))
    census, search = Census(fleet), AuthorizationSearch()
    assert await turns_during(asyncio.create_task(census.take())) > 90, "each 2,000 authorizations"
    digests = (await census.take()).digests
    searching = asyncio.create_task(search.find(digests, "nowhere", None, 1))
    assert await turns_during(searching) > 90


async def test_pages_of_a_search_lie_seamlessly_side_by_side() -> None:
    fleet = Fleet()
    for number in range(7):
        stands = Status.OVERDUE if number % 2 else Status.NORMAL
        names = (f"{number}-{index:02}" for index in range(23))
        fleet.add(
            seen(project_of(str(number)), *(listed_as(name, status=stands) for name in names))
        )
    digests = (await Census(fleet).take()).digests
    search = AuthorizationSearch()
    wanted: list[tuple[str, Status | None]] = [
        ("", None), ("", Status.OVERDUE), ("-1", None), ("-0", Status.NORMAL)
    ]  # fmt: skip
    for text, status in wanted:
        rows, number, has_more = [], 1, True
        while has_more:
            sheet = await search.find(digests, text, status, number)
            assert len(sheet.rows) == PAGE_SIZE or not sheet.has_more
            rows += [row.authorization.name for row in sheet.rows]
            number, has_more = number + 1, sheet.has_more
        expected = [
            listed.name
            for found in digests
            for listed in (found.snapshot.authorizations or {}).values()
            if text in listed.name and (status is None or listed.status is status)
        ]
        assert rows == expected
        beyond = await search.find(digests, text, status, 2**53)
        assert (beyond.rows, beyond.has_more) == ([], False)
