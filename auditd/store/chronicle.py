"""What is asked of the store about the past."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from functools import partial

from auditd.audit.history import HistoryEntry
from auditd.store import history, trail, verification
from auditd.store.access import Access
from auditd.store.trail import TrailEntry, TrailEvent, TrailKind


class Chronicle(Access):
    """The part of the store that is about history and trail; see `Store` for what it raises."""

    async def configuration_loaded(self, file: str, detail: Mapping[str, str]) -> None:
        """Enter into the trail that the daemon goes by another configuration now."""
        event = TrailEvent(self._now(), TrailKind.CONFIG_LOADED, file, detail)
        await self._write(partial(trail.append, events=[event]))

    async def history(
        self,
        project: str,
        *,
        authorization: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[HistoryEntry, ...]:
        """At most `limit` entries, the newest first, older than the one with the seq `before`.

        Args:
            project: a name, also of a project that is gone.
            authorization: a name; None for all, those about the project itself included.
            since: entries of that instant are included.
            before: the seq of the last entry of the page before.
            limit: at least 1.
        """
        chosen = partial(history.newest, project=project, authorization=authorization)
        return await self._read(partial(chosen, since=since, before=before, limit=limit))

    async def trail(
        self,
        *,
        since: datetime | None = None,
        kind: TrailKind | None = None,
        limit: int = 100,
    ) -> tuple[TrailEntry, ...]:
        """At most `limit` entries of the trail, the newest first; those at `since` are included."""
        return await self._read(partial(trail.newest, since=since, kind=kind, limit=limit))

    async def verify(self) -> verification.TrailVerdict:
        """Whether the trail is what was entered. Other transactions can come between."""
        progress: verification.Progress | None = None
        while progress is None or progress.verdict is None:
            progress = await self._read(partial(verification.follow, progress=progress))
        return progress.verdict

    async def export(self) -> AsyncIterator[bytes]:
        """The whole trail, oldest first, as JSON lines; see `auditd.store.trail` for its hashes."""
        seq, lines = 0, [b""]
        while lines:
            seq, lines = await self._read(partial(verification.lines_after, seq=seq))
            for line in lines:
                yield line
