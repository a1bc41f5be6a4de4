"""The series of a fleet as prometheus_client would have them: what ours are judged by.

Written on purpose in another way than the code: label by label, and all of it at each scrape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from auditd.audit.authorization import Authorization, Status
from auditd.audit.events import Event, PollFailed, PollFinished, PollSkipped
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.snapshot import ProjectSnapshot
from auditd.audit.verification import Verdict
from auditd.telemetry import families as f
from auditd.telemetry.family import Family
from auditd.telemetry.label import label_value
from auditd.telemetry.series import Checks

Series = tuple[Family, dict[str, str], float]

_ORDER = (
    f.AUTHORIZATION_INFO,
    f.AUTHORIZATION_STATUS,
    f.AUTHORIZATION_CREATED,
    f.AUTHORIZATION_UPDATED,
    f.AUTHORIZATION_STALE,
    f.AUTHORIZATION_VERIFIED,
    f.AUTHORIZATIONS,
    f.PROJECT_INFO,
    f.PROJECT_UP,
    f.PROJECT_LAST_SUCCESS,
    f.PROJECT_LAST_ATTEMPT,
    f.PROJECT_POLL_INTERVAL,
    f.FINDINGS,
    f.POLLS,
    f.POLL_FAILURES,
    f.POLLS_SKIPPED,
    f.SERIES_DROPPED,
)


class Reference(Collector):
    def __init__(
        self,
        fleet: Collection[ProjectSnapshot],
        checks: Checks,
        events: Iterable[Event] = (),
        max_series: int = 500_000,
    ) -> None:
        self._fleet = fleet
        self._checks = checks
        self._events = tuple(events)
        self._max_series = max_series

    def registry(self) -> CollectorRegistry:
        registry = CollectorRegistry()
        registry.register(self)
        return registry

    def collect(self) -> Iterable[Metric]:
        metrics = {family: family.empty() for family in _ORDER}
        for family, labels, value in self._series():
            metrics[family].add_sample(family.sample_name, labels, value)
        return metrics.values()

    def _series(self) -> Iterator[Series]:
        room, dropped = self._max_series, 0
        for snapshot in self._fleet:
            yield from _project_series(snapshot, self._checks)
            yield from self._counters(snapshot.project.name)
            for authorization in (snapshot.authorizations or {}).values():
                series = list(_authorization_series(snapshot, authorization))
                if len(series) <= room:
                    yield from series
                    room -= len(series)
                else:
                    dropped += len(series)
        yield f.SERIES_DROPPED, {}, dropped

    def _counters(self, name: str) -> Iterator[Series]:
        project = {"project": label_value(name)}
        mine: list[Any] = [event for event in self._events if getattr(event, "project", "") == name]
        polls = [event for event in mine if isinstance(event, PollFinished | PollFailed)]
        yield f.POLLS, project, len(polls)
        for reason in FailureReason:
            failed = [one for one in mine if isinstance(one, PollFailed) and one.reason is reason]
            yield f.POLL_FAILURES, {**project, "reason": reason}, len(failed)
        for why in SkipReason:
            skips = (e.slots for e in mine if isinstance(e, PollSkipped) and e.reason is why)
            yield f.POLLS_SKIPPED, {**project, "reason": why}, sum(skips)


def _authorization_series(
    snapshot: ProjectSnapshot, authorization: Authorization
) -> Iterator[Series]:
    identity = {
        "project": label_value(snapshot.project.name),
        "authorization": label_value(authorization.name),
    }
    known = {"devcloud", "gitee", "github", "gitlab", "bitbucket"}
    described = {
        "repo_type": authorization.repo_type if authorization.repo_type in known else "other",
        "repo_host": label_value(authorization.repo_host),
        "token_type": label_value(authorization.token_type),
        "tag": label_value(authorization.tag),
    }
    yield f.AUTHORIZATION_INFO, identity | described, 1
    for status in Status:
        labels = {**identity, "status": status.value}
        yield f.AUTHORIZATION_STATUS, labels, authorization.status is status
    for family, at in (
        (f.AUTHORIZATION_CREATED, authorization.created_at),
        (f.AUTHORIZATION_UPDATED, authorization.updated_at),
        (f.AUTHORIZATION_STALE, snapshot.stale_at.get(authorization.name)),
    ):
        if isinstance(at, datetime):
            yield family, identity, at.timestamp()
    if verification := snapshot.verifications.get(authorization.name):
        if verification.verdict is Verdict.WORKS:
            yield f.AUTHORIZATION_VERIFIED, identity, 1
        if verification.verdict is Verdict.BROKEN:
            yield f.AUTHORIZATION_VERIFIED, identity, 0


def _project_series(snapshot: ProjectSnapshot, checks: Checks) -> Iterator[Series]:
    project = {"project": label_value(snapshot.project.name)}
    configured = {
        "label_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in name): label_value(v)
        for name, v in snapshot.project.labels
    }
    place = {"project_id": snapshot.project.project_id, "huawei_region": snapshot.project.region}
    yield f.PROJECT_INFO, {**configured, **project, **place}, 1
    yield f.PROJECT_POLL_INTERVAL, project, snapshot.project.poll_interval.total_seconds()
    if snapshot.attempted_at:
        yield f.PROJECT_UP, project, snapshot.is_up
        yield f.PROJECT_LAST_ATTEMPT, project, snapshot.attempted_at.timestamp()
    if snapshot.succeeded_at:
        yield f.PROJECT_LAST_SUCCESS, project, snapshot.succeeded_at.timestamp()
    if snapshot.authorizations is not None:
        statuses = [authorization.status for authorization in snapshot.authorizations.values()]
        for status in Status:
            yield f.AUTHORIZATIONS, {**project, "status": status.value}, statuses.count(status)
    found = Counter((finding.check, finding.severity) for finding in snapshot.findings)
    if snapshot.authorizations is not None:
        for check, severities in checks.items():
            for severity in severities:
                found[check, severity] += 0
    for (check, severity), count in found.items():
        yield f.FINDINGS, {**project, "check": check, "severity": severity.value}, count
