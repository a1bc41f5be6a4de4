"""Who is asked about projects: what the API and the pages need of the daemon."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auditd.alerting.rules import Rules
from auditd.audit.history import HistoryEntry
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot


@dataclass(frozen=True, slots=True)
class Standing:
    """How the daemon itself is."""

    version: str
    started_at: datetime
    missing: tuple[str, ...]
    """What it waits for before its silence means health, in plain sentences; none means ready."""
    config_file: str
    config_loaded_at: datetime
    config_error: str
    """Why the last reload was refused; empty when it was not."""


class FleetOffice(Protocol):
    """Knows the projects. The messages of errors are shown to whoever asked."""

    def standing(self) -> Standing:
        """As of now."""

    def snapshots(self) -> Collection[ProjectSnapshot]:
        """What is known of each project, in no order that can be relied on."""

    def snapshot(self, project: str) -> ProjectSnapshot:
        """What is known of one project.

        Raises:
            LookupError: there is no project of this name.
        """

    def next_polls(self) -> Mapping[str, datetime]:
        """Project name -> when it is due."""

    def checks(self) -> Sequence[Check]:
        """Those that are enabled."""

    def rules(self) -> Rules:
        """The terms of alerts, with the exceptions."""

    async def history(
        self,
        project: str,
        *,
        authorization: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[HistoryEntry]:
        """At most `limit` entries, the newest first, older than the one with the seq `before`.

        Args:
            project: a name, also of a project that is gone.
            authorization: a name; None for all, those about the project itself included.
            since: entries of that instant are included.
            before: the seq of the last entry of the page before.
            limit: at least 1.

        Raises:
            UnavailableError: it cannot be read.
        """

    async def poll_now(self, project: str) -> ProjectSnapshot:
        """Poll a project at once, whatever its slots are, and give what is known then.

        A poll that is under way already is awaited instead. A caller who is cancelled stops
        waiting; the poll goes on.

        Raises:
            LookupError: there is no project of this name.
            UnavailableError: nothing is polled now, or too much is asked for at once.
        """
