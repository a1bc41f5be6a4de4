"""Which projects and authorizations a page shows, of the many that there may be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

from auditd.audit.authorization import Authorization, Status
from auditd.web.pages.census import Digest
from auditd.web.pages.condition import Condition

PAGE_SIZE = 50
_SLICE = 2000
"""Authorizations that are looked at before others have their turn; about a millisecond."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Sheet(Generic[_T]):
    """One page of many."""

    rows: Sequence[_T]
    number: int
    """From 1."""
    has_more: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """An authorization and the project that lists it."""

    digest: Digest
    authorization: Authorization


def sheet_of(rows: Sequence[_T], number: int) -> Sheet[_T]:
    """The `number`th page of what is known as a whole."""
    first = (number - 1) * PAGE_SIZE
    return Sheet(rows[first : first + PAGE_SIZE], number, len(rows) > first + PAGE_SIZE)


def select_projects(
    digests: Sequence[Digest], text: str, condition: Condition | None
) -> Sequence[Digest]:
    """Those that stand so and have the text in a name, id, region or label."""
    if not text and condition is None:
        return digests
    wanted = text.casefold()
    return [
        found
        for found in digests
        if (condition is None or found.condition is condition)
        and (not wanted or wanted in _described(found))
    ]


def _described(found: Digest) -> str:
    project = found.snapshot.project
    labels = (part for pair in project.labels for part in pair)
    return "\n".join((project.name, project.project_id, project.region, *labels)).casefold()


class AuthorizationSearch:
    """Looks through all authorizations. One search at a time, so that many cost no more."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def find(
        self, digests: Sequence[Digest], text: str, status: Status | None, number: int
    ) -> Sheet[Listed]:
        """The `number`th page of those with that status and the text in a name, host or user.

        In the order of the projects, then by name.
        """
        async with self._lock:
            return await self._find(digests, text.casefold(), status, number)

    async def _find(
        self, digests: Sequence[Digest], wanted: str, status: Status | None, number: int
    ) -> Sheet[Listed]:
        skipped, looked_at = (number - 1) * PAGE_SIZE, 0
        rows: list[Listed] = []
        for found in digests:
            possible = found.authorizations if status is None else found.statuses.get(status, 0)
            if not wanted and possible <= skipped:
                skipped -= possible
                continue
            if possible:
                looked_at += found.authorizations
                matching = _matching(found, wanted, status)
                skipped -= sum(1 for _ in islice(matching, skipped))
                rows.extend(islice(matching, PAGE_SIZE + 1 - len(rows)))
            if len(rows) > PAGE_SIZE:
                break
            if looked_at >= _SLICE:
                looked_at = 0
                await asyncio.sleep(0)
        return Sheet(rows[:PAGE_SIZE], number, len(rows) > PAGE_SIZE)


def _matching(found: Digest, wanted: str, status: Status | None) -> Iterator[Listed]:
    for listed in (found.snapshot.authorizations or {}).values():
        if status is not None and listed.status is not status:
            continue
        text = f"{listed.name}\n{listed.repo_host}\n{listed.repo_user}"
        if not wanted or wanted in text.casefold():
            yield Listed(found, listed)
