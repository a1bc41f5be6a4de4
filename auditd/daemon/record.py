"""What a state tells of a part of the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from auditd.alerting.alert import Alert, AlertState
from auditd.alerting.episode import Episode, Identity, Turn, episodes
from auditd.alerting.replay import LATENESS
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.report.replay import Unseen
from auditd.store.reader import Reader
from auditd.store.state import StoredState
from auditd.store.trail import TrailEntry, TrailKind

_ALL = 2**31


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of the past is asked for; both ends are aware and UTC."""

    since: datetime
    until: datetime
    only: frozenset[str] = frozenset()
    """Names of projects; none for all."""


class Record:
    """What a reader tells of the projects of a window, from `begin` on."""

    def __init__(self, reader: Reader, begin: datetime, window: Window) -> None:
        self._window = window
        self._state = reader.state()
        self._entries: dict[str, list[HistoryEntry]] = defaultdict(list)
        for entry in reader.history(begin):
            if entry.at <= window.until and self._is_wanted(entry.project):
                self._entries[entry.project].append(entry)
        self.episodes = self._episodes(reader)
        if missing := window.only - self._entries.keys() - self._state.snapshots.keys():
            msg = f"--project: nothing is on record of a project {min(missing)!r}"
            raise ValueError(msg)

    @property
    def names(self) -> Sequence[str]:
        """All projects of which something is on record, sorted."""
        return sorted(self._entries)

    @property
    def polled_until(self) -> datetime | None:
        """The last poll of any of them."""
        times = (self._last_poll(name) for name in self._state.snapshots if self._is_wanted(name))
        return max((at for at in times if at), default=None)

    def entries(self, project: str) -> Sequence[HistoryEntry]:
        """All of a project, in the order in which they were stored."""
        return self._entries[project]

    def project_id(self, project: str) -> str:
        """Its id; empty for a project that left."""
        stored = self._state.snapshots.get(project)
        return stored.project_id if stored else ""

    def end_of(self, project: str) -> datetime:
        """Until when it was watched, as far as the window reaches."""
        last = self._last_poll(project) or self._entries[project][-1].at
        return min(self._window.until, last + LATENESS)

    def unseen(self) -> Iterator[Unseen]:
        """When polls failed within the window."""
        for name in self.names:
            for unseen in _failures(name, self._entries[name]):
                if unseen.until is None or unseen.until >= self._window.since:
                    yield unseen

    def begun_late(self) -> Mapping[str, datetime]:
        """The projects whose record begins within the window, with when."""
        begun = {name: self._entries[name][0].at for name in self.names}
        return {name: at for name, at in begun.items() if at > self._window.since}

    def _episodes(self, reader: Reader) -> Sequence[Episode]:
        """What did fire."""
        trail = [
            entry
            for kind in (TrailKind.ALERT_FIRED, TrailKind.ALERT_RESOLVED)
            for entry in reader.trail(since=self._window.since, kind=kind, limit=_ALL)
            if self._is_wanted(entry.detail.get("project", ""))
        ]
        trail.sort(key=lambda entry: entry.seq)
        turns = [*_standing(self._state, self._window.since), *map(_told, trail)]
        wanted = (turn for turn in turns if self._is_wanted(turn.identity.project))
        return episodes(wanted, self._window.until)

    def _is_wanted(self, project: str) -> bool:
        return not self._window.only or project in self._window.only

    def _last_poll(self, project: str) -> datetime | None:
        stored = self._state.snapshots.get(project)
        return stored.times.attempted_at if stored else None


def identity_of(labels: Mapping[str, str]) -> Identity:
    """Which alert has these labels."""
    return Identity(*(labels.get(name, "") for name in Identity._fields))


def _told(entry: TrailEntry) -> Turn:
    is_firing = entry.kind == TrailKind.ALERT_FIRED
    return Turn(entry.at, identity_of(entry.detail), is_firing, entry.detail.get("end_reason", ""))


def _standing(state: StoredState, since: datetime) -> Iterator[Turn]:
    """The firings before the window of what fires to this day."""
    alerts: Iterable[Alert] = chain.from_iterable(state.alerts.values())
    for alert in alerts:
        if alert.state is AlertState.FIRING and alert.fired_at and alert.fired_at < since:
            yield Turn(alert.fired_at, identity_of(alert.labels), is_firing=True)


def _failures(project: str, entries: Iterable[HistoryEntry]) -> Iterator[Unseen]:
    began, reason = None, ""
    for entry in entries:
        match entry.kind:
            case HistoryKind.POLLS_FAILED:
                began, reason = began or entry.at, str(entry.reason)
            case HistoryKind.POLLS_RECOVERED if began:
                yield Unseen(project, began, entry.at, reason)
                began = None
    if began:
        yield Unseen(project, began, None, reason)
