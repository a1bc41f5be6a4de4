from __future__ import annotations

import asyncio
from time import monotonic

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.web.api_answer import ApiError
from auditd.web.api_page import Slices, from_groups, make_page, read_cursor, write_cursor
from auditd.web.api_query import PageQuery

KEYS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), min_size=1)


@given(key=KEYS)
def test_a_cursor_is_the_key_again(key: list[str]) -> None:
    cursor = write_cursor(tuple(key))
    assert cursor.isascii()
    assert read_cursor(cursor) == tuple(key)


@given(text=st.text(min_size=1))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        key = read_cursor(text)
    except ApiError as error:
        key = (str(error),)
    assert all(isinstance(part, str) for part in key)


@given(
    groups=st.dictionaries(st.sampled_from("abcde"), st.sets(st.sampled_from("vwxyz"))),
    limit=st.integers(1, 4),
    wanted=st.sets(st.sampled_from("vwxyz")),
)
def test_pages_give_every_wanted_row_once_and_in_order(
    groups: dict[str, set[str]], limit: int, wanted: set[str]
) -> None:
    named = {name: (name, sorted(rows)) for name, rows in groups.items()}

    async def walk() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        cursor = ""
        while True:
            query = PageQuery(limit=limit, cursor=cursor)
            rows = from_groups(
                lambda: named,
                query,
                lambda group: (((group[0], it), (group[0], it)) for it in group[1]),
            )
            page = await make_page(
                Slices(), query, rows, lambda row: row if row[1] in wanted else None
            )
            seen += page.entries
            assert len(page.entries) <= limit
            if page.next is None:
                return seen
            assert len(page.entries) == limit
            cursor = page.next

    expected = sorted((name, it) for name, rows in groups.items() for it in rows & wanted)
    assert asyncio.run(walk()) == expected


async def test_one_slice_at_a_time_whoever_waits() -> None:
    slices = Slices(seconds=0.002)
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            before = monotonic()
            await asyncio.sleep(0)
            gaps.append(monotonic() - before)

    def work(_: int) -> None:
        ends_at = monotonic() + 0.0001
        while monotonic() < ends_at:
            pass

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(slices.each(lambda: range(400), work) for _ in range(10)))
    watcher.cancel()
    # 400 ms of work for ten at once. Were each to have its slice in one turn, it took 20 ms.
    assert len(gaps) > 100
    assert sorted(gaps)[len(gaps) // 2] < 0.01


async def test_what_fails_in_a_slice_fails_for_its_caller_alone() -> None:
    slices = Slices()

    def fail(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await slices.each(lambda: [1], fail)
    assert await slices.select([1, 2], lambda row: row, most=1) == [1]
