"""The series of the fleet: written down when something changes, kept until it does again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from auditd.audit.snapshot import ProjectSnapshot
from auditd.telemetry import authorization_lines
from auditd.telemetry.authorization_shelf import AuthorizationShelf
from auditd.telemetry.column import Column
from auditd.telemetry.families import SERIES_DROPPED
from auditd.telemetry.family import Family
from auditd.telemetry.fragment import Strip, deflate
from auditd.telemetry.number import number_text
from auditd.telemetry.poll_counts import PollCounts
from auditd.telemetry.series import Checks, project_columns
from auditd.telemetry.shelf import Shelf


class FleetExposition:
    """What was listed, what was found and how often it was tried.

    Nobody tells it of changes. A refresh compares what each series came from with what that is
    now, mostly by identity. So it is right whatever happened since: polls, a reload, a project
    that left. The parts of a snapshot are never changed in place, and that is all it relies on.

    Args:
        fleet: every project as it is known now.
        checks: what can be found now.
        counts: the counters.
        max_series: of authorizations. One that would exceed it is left out as a whole.
        dropped: told how many series were left out, when that begins.
    """

    def __init__(
        self,
        *,
        fleet: Callable[[], Collection[ProjectSnapshot]],
        checks: Callable[[], Checks],
        counts: PollCounts,
        max_series: int,
        dropped: Callable[[int], None],
    ) -> None:
        self.max_series = max_series
        self._fleet = fleet
        self._dropped = dropped
        self._is_dropping = False
        self._authorizations = AuthorizationShelf()
        self._projects = Shelf()
        self._projects.add([*project_columns(checks), *counts.columns()])

    def add(self, columns: Sequence[Column]) -> None:
        """Show these as well, from the next refresh on."""
        self._projects.add(columns)

    def refresh(self) -> Iterator[None]:
        """Bring all up to date with the fleet of this instant, in steps of under a millisecond.

        What was done stays done if the steps are given up. No two may be under way at once.
        """
        snapshots = tuple(self._fleet())
        yield from self._projects.refresh(snapshots)
        yield from self._authorizations.refresh(snapshots, self.max_series)
        dropped = self._authorizations.dropped
        if dropped and not self._is_dropping:
            self._dropped(dropped)
        self._is_dropping = dropped > 0

    def sections(self) -> Iterator[tuple[Family, Strip]]:
        """The families, each with its series, as of the last refresh that was finished."""
        for family in authorization_lines.FAMILIES:
            yield family, self._authorizations.strip(family)
        for family in self._projects.families:
            yield family, self._projects.strip(family)
        dropped = f"{SERIES_DROPPED.sample_name} {number_text(self._authorizations.dropped)}\n"
        yield SERIES_DROPPED, Strip(deflate(dropped))
