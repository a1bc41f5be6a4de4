"""What became of a project or an authorization, as much as a page shows at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditd.audit.history import HistoryEntry
from auditd.web.fleet_office import FleetOffice
from auditd.web.office import UnavailableError

ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The newest first."""

    entries: Sequence[HistoryEntry] = ()
    older: int | None = None
    """What the page of older ones is asked for with; None when there are none."""
    fault: str = ""
    """Why it cannot be read now, for people."""


async def read_chronicle(
    fleet: FleetOffice, project: str, authorization: str | None, before: int | None
) -> Chronicle:
    """A page without its history is worth more than none, so nothing is raised."""
    try:
        found = await fleet.history(
            project, authorization=authorization, before=before, limit=ENTRIES + 1
        )
    except UnavailableError as error:
        return Chronicle(fault=str(error))
    shown = found[:ENTRIES]
    return Chronicle(shown, shown[-1].seq if len(found) > ENTRIES else None)
