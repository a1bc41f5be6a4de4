"""Pages of what may be long, made a few milliseconds at a time so that all else goes on."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeAlias, TypeVar

import msgspec

from auditd.web.api_answer import ApiError, ErrorType
from auditd.web.api_query import PageQuery

SLICE_SECONDS = 0.004
"""How long the event loop is held at once."""
_ROWS_A_LOOK = 16
"""Rows between two looks at the clock."""

Key: TypeAlias = tuple[str, ...]
"""What rows are ordered by. Its first part is the project, where rows have one."""

_RowT = TypeVar("_RowT")
_GroupT = TypeVar("_GroupT")
_ViewT = TypeVar("_ViewT")


@dataclass(frozen=True, slots=True)
class Page(Generic[_ViewT]):
    """Some of the entries, and where the next page begins; None when there is none."""

    entries: list[_ViewT]
    next: str | None = None


class Slices:
    """Works through rows for all requests at once, of which one at a time has its slice."""

    def __init__(self, seconds: float = SLICE_SECONDS) -> None:
        self._seconds = seconds
        self._turn = asyncio.Lock()

    async def select(
        self, rows: Iterable[_RowT], view: Callable[[_RowT], _ViewT | None], most: int
    ) -> list[_ViewT]:
        """The first `most` views of rows. A row without a view (None) is passed over."""
        found: list[_ViewT] = []
        left = iter(rows)
        is_done = False
        while not is_done:
            async with self._turn:
                is_done = self._go_on(left, view, most, found)
                await asyncio.sleep(0)  # within its turn, so that no other follows at once
        return found

    async def each(self, read: Callable[[], Iterable[_RowT]], use: Callable[[_RowT], None]) -> None:
        """Hand over every row that `read` gives when its turn comes."""
        await self.select(_copied(read), use, most=1)

    def _go_on(
        self,
        left: Iterator[_RowT],
        view: Callable[[_RowT], _ViewT | None],
        most: int,
        found: list[_ViewT],
    ) -> bool:
        ends_at = monotonic() + self._seconds
        for count, row in enumerate(left, 1):
            if (shown := view(row)) is not None:
                found.append(shown)
                if len(found) >= most:
                    return True
            if not count % _ROWS_A_LOOK and monotonic() > ends_at:
                return False
        return True


async def make_page(
    slices: Slices,
    query: PageQuery,
    rows: Iterable[tuple[Key, _RowT]],
    view: Callable[[_RowT], _ViewT | None],
) -> Page[_ViewT]:
    """The page that is asked for, of rows that come in the order of their keys.

    Rows up to the cursor may be among them. The cursor is the key of the last entry before, so
    that what comes and goes meanwhile neither repeats nor hides anything else.
    """
    after = read_cursor(query.cursor)

    def keyed(row: tuple[Key, _RowT]) -> tuple[Key, _ViewT] | None:
        key, subject = row
        if key <= after or (shown := view(subject)) is None:
            return None
        return key, shown

    found = await slices.select(rows, keyed, query.limit + 1)
    entries = [shown for _, shown in found[: query.limit]]
    is_last = len(found) <= query.limit
    return Page(entries, None if is_last else write_cursor(found[query.limit - 1][0]))


def from_groups(
    read: Callable[[], Mapping[str, _GroupT]],
    query: PageQuery,
    expand: Callable[[_GroupT], Iterable[tuple[Key, _RowT]]],
    names: tuple[str, ...] = (),
) -> Iterator[tuple[Key, _RowT]]:
    """The rows of each group by name, from the group that the cursor is in.

    Args:
        read: gives the groups, by the first part of their rows' keys, when the first row is asked
            for: within a slice, since there may be many.
        query: has the cursor.
        expand: the rows of one group, in the order of their keys.
        names: of the only groups that are wanted; empty for all.
    """
    groups = read()
    ordered = sorted(groups.keys() & set(names) if names else groups)
    after = read_cursor(query.cursor)
    for name in ordered[bisect_left(ordered, after[0]) if after else 0 :]:
        yield from expand(groups[name])


def _copied(read: Callable[[], Iterable[_RowT]]) -> Iterator[_RowT]:
    yield from tuple(read())


def write_cursor(key: Key) -> str:
    """A key as an opaque text."""
    return urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_cursor(text: str) -> Key:
    """The key again; the empty one comes before all others.

    Raises:
        ApiError: nobody got this cursor from here.
    """
    if not text:
        return ()
    try:
        return msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Key)
    except ValueError as error:
        msg = "cursor: must be the `next` of the page before, as it is"
        raise ApiError(ErrorType.BAD_DATA, msg) from error
