"""Offices that tell of a fleet and its alerts, changed by tests as they like."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.matcher import Matcher
from auditd.alerting.rules import Rules
from auditd.alerting.silence import Silence
from auditd.audit.checks.overdue import Options, build
from auditd.audit.checks.stale import Options as StaleOptions
from auditd.audit.checks.stale import Stale
from auditd.audit.history import HistoryEntry
from auditd.audit.policy import Check
from auditd.audit.snapshot import ProjectSnapshot
from auditd.web.fleet_office import Standing
from auditd.web.office import HookStanding
from tests.unit.web.pages.examples import DAY, HOUR, NOW, RULES


@dataclass
class Fleet:
    """A FleetOffice."""

    known: dict[str, ProjectSnapshot] = field(default_factory=dict)
    entries: list[HistoryEntry] = field(default_factory=list)
    polls: dict[str, datetime] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    config_error: str = ""
    fault: Exception | None = None
    """What reading the history raises."""

    def add(self, *snapshots: ProjectSnapshot) -> None:
        self.known.update({snapshot.project.name: snapshot for snapshot in snapshots})

    def standing(self) -> Standing:
        return Standing(
            version="1.2.3",
            started_at=NOW - 3 * DAY,
            missing=self.missing,
            config_file="/etc/auditd.yaml",
            config_loaded_at=NOW - 3 * DAY,
            config_error=self.config_error,
        )

    def snapshots(self) -> Collection[ProjectSnapshot]:
        return self.known.values()

    def snapshot(self, project: str) -> ProjectSnapshot:
        if project not in self.known:
            msg = "there is no project of this name"
            raise LookupError(msg)
        return self.known[project]

    def next_polls(self) -> Mapping[str, datetime]:
        return self.polls

    def checks(self) -> Sequence[Check]:
        return (build(Options()), Stale(StaleOptions()))

    def rules(self) -> Rules:
        return RULES

    async def history(
        self,
        project: str,
        *,
        authorization: str | None = None,
        since: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> Sequence[HistoryEntry]:
        if self.fault:
            raise self.fault
        fitting = [
            entry
            for entry in self.entries
            if entry.project == project
            and authorization in {None, entry.authorization}
            and (before is None or entry.seq < before)
        ]
        return sorted(fitting, key=lambda entry: -entry.seq)[:limit]

    async def poll_now(self, project: str) -> ProjectSnapshot:
        return self.snapshot(project)


@dataclass
class Alerts:
    """An AlertOffice that does what it is asked, and notes it."""

    told: dict[str, tuple[Alert, str]] = field(default_factory=dict)
    standing: dict[str, HookStanding] = field(default_factory=dict)
    kept: dict[str, Silence] = field(default_factory=dict)
    owed: dict[str, Delivery] = field(default_factory=dict)
    asked: list[tuple[object, ...]] = field(default_factory=list)
    fault: Exception | None = None
    """What every change from now on raises."""

    def add(self, alert: Alert, suppression: str = "") -> str:
        self.told[alert.fingerprint] = (alert, suppression)
        return alert.fingerprint

    def alerts(self) -> tuple[tuple[Alert, str], ...]:
        return tuple(self.told.values())

    def known(self, project: str | None = None) -> Collection[Alert]:
        return [
            alert for alert, _ in self.told.values() if project in {None, alert.labels["project"]}
        ]

    def suppression(self, alert: Alert) -> str:
        return self.told[alert.fingerprint][1]

    async def hooks(self) -> Sequence[HookStanding]:
        return list(self.standing.values())

    async def enable_hook(self, name: str) -> None:
        self._note("enable_hook", name)
        self.standing[name] = replace(self.standing[name], switched_off="")

    def silences(self) -> tuple[Silence, ...]:
        return tuple(self.kept.values())

    async def create_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> Silence:
        self._note("create_silence", matchers, starts_at, ends_at, author, comment)
        made = Silence(f"s{len(self.kept) + 1}", matchers, starts_at, ends_at, author, comment)
        self.kept[made.id] = made
        return made

    async def expire_silence(self, silence_id: str, author: str) -> None:
        self._note("expire_silence", silence_id, author)
        if silence_id not in self.kept:
            msg = "there is no such silence that has not ended"
            raise LookupError(msg)
        ended = replace(self.kept[silence_id], starts_at=NOW - HOUR, ends_at=NOW)
        self.kept[silence_id] = ended

    async def acknowledge(self, fingerprint: str, author: str, comment: str) -> None:
        self._note("acknowledge", fingerprint, author, comment)
        self.told[fingerprint] = (self.told[fingerprint][0], "acknowledged")

    async def deliveries(
        self, state: DeliveryState | None, hook: str | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        self._note("deliveries", state, hook, limit, before)
        newest_first = [one for id_, one in sorted(self.owed.items(), reverse=True)]
        return [
            one
            for one in newest_first
            if state in {None, one.state}
            and hook in {None, one.hook}
            and (before is None or one.id < before)
        ][:limit]

    async def delivery(self, delivery_id: str) -> Delivery:
        if delivery_id not in self.owed:
            msg = "there is no such delivery"
            raise LookupError(msg)
        return self.owed[delivery_id]

    async def replay(self, delivery_id: str) -> Delivery:
        self._note("replay", delivery_id)
        self.owed[delivery_id] = replace(self.owed[delivery_id], state=DeliveryState.PENDING)
        return self.owed[delivery_id]

    def _note(self, *call: object) -> None:
        self.asked.append(call)
        if self.fault:
            raise self.fault
