"""The metrics, from the families that the daemon writes down and its histograms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

import structlog
from prometheus_client import Metric
from prometheus_client.registry import Collector

from auditd.alerting.events import SendFailure
from auditd.audit.authorization import Status
from auditd.audit.failure import FailureReason, SkipReason
from auditd.telemetry import families
from auditd.telemetry.alert_metrics import AlertMetrics
from auditd.telemetry.family import Family
from auditd.telemetry.metrics import Metrics
from docs.generator.markdown import code, codes, table

_INTRODUCTION = """# Metrics

What `GET /metrics` serves, as Prometheus text or OpenMetrics. The label values `project`,
`authorization` and `hook` are what the configuration and ServiceStage say, cut at 200 characters.
Times are seconds since the epoch; ages are made of them: `time() - ..._timestamp_seconds`. Beside
these there are the usual `process_*` and `python_*`.

"""
LABELS: Mapping[str, tuple[str, ...]] = {
    "servicestage_git_authorization_info": (
        *("project", "authorization", "repo_type", "repo_host", "token_type", "tag"),
    ),
    "servicestage_git_authorization_status": ("project", "authorization", "status"),
    "servicestage_git_authorization_created_timestamp_seconds": ("project", "authorization"),
    "servicestage_git_authorization_updated_timestamp_seconds": ("project", "authorization"),
    "servicestage_git_authorization_stale_timestamp_seconds": ("project", "authorization"),
    "servicestage_git_authorization_verified": ("project", "authorization"),
    "servicestage_git_authorizations": ("project", "status"),
    "auditd_project_info": ("project", "project_id", "huawei_region", "label_NAME"),
    "auditd_project_up": ("project",),
    "auditd_project_last_success_timestamp_seconds": ("project",),
    "auditd_project_last_attempt_timestamp_seconds": ("project",),
    "auditd_project_poll_interval_seconds": ("project",),
    "auditd_polls_total": ("project",),
    "auditd_poll_failures_total": ("project", "reason"),
    "auditd_polls_skipped_total": ("project", "reason"),
    "auditd_findings": ("project", "check", "severity"),
    "auditd_alerts": ("project", "alertname", "state"),
    "auditd_outbox_deliveries": ("hook", "state"),
    "auditd_outbox_oldest_pending_timestamp_seconds": ("hook",),
    "auditd_notifications_total": ("hook",),
    "auditd_notifications_failed_total": ("hook", "reason"),
    "auditd_notification_latency_seconds": ("hook",),
    "auditd_credential_expiry_timestamp_seconds": ("credential",),
    "auditd_clock_skew_seconds": ("credential",),
    "auditd_discovery_failures_total": ("source",),
    "auditd_build_info": ("version", "python_version"),
}
"""By the name as it is scraped; what is not here has none. A test holds them against a scrape."""

_CLOSED: tuple[tuple[str, type[StrEnum]], ...] = (
    ("`status` of `servicestage_git_…`", Status),
    ("`reason` of `auditd_poll_failures_total`", FailureReason),
    ("`reason` of `auditd_polls_skipped_total`", SkipReason),
    ("`reason` of `auditd_notifications_failed_total`", SendFailure),
)


@dataclass(frozen=True, slots=True)
class Described:
    """One metric. `name` is as it is scraped."""

    name: str
    kind: str
    help_text: str


def all_metrics() -> list[Described]:
    """Every metric that is ours: first those of the fleet, then the daemon's."""
    found = {one.name: one for one in (*_written_down(), *_histograms())}
    return sorted(found.values(), key=lambda one: (one.name.startswith("auditd"), one.name))


def page() -> str:
    """The page."""
    text = _INTRODUCTION + table(
        ("name", "type", "labels", "meaning"),
        (
            (code(one.name), one.kind, codes(LABELS.get(one.name, ())), one.help_text)
            for one in all_metrics()
        ),
    )
    text += "## Closed sets of labels\n\nNo release takes a value away.\n\n"
    return text + table(
        ("label", "values"),
        ((label, codes(word.value for word in words)) for label, words in _CLOSED),
    )


def _written_down() -> Iterator[Described]:
    for family in vars(families).values():
        if isinstance(family, Family):
            yield Described(family.sample_name, family.kind, family.help_text)


def _histograms() -> Iterator[Described]:
    for collector in _collectors():
        for metric in _described(collector):
            if metric.type == "histogram":
                yield Described(metric.name, metric.type, metric.documentation)


def _described(collector: Collector) -> Iterable[Metric]:
    described: Iterable[Metric] = collector.describe()  # type: ignore[attr-defined] # ours have it
    return described


def _collectors() -> tuple[Collector, ...]:
    """Of a daemon that knows nothing yet."""
    metrics = Metrics(
        fleet=tuple,
        checks=dict,
        credentials=tuple,
        dropped_log_lines=lambda: 0,
        version="",
        logger=structlog.get_logger(),
    )
    alerts = AlertMetrics(
        alertnames=tuple, open_of=lambda _: (), hooks=tuple, pending=tuple, dead=dict
    )
    return metrics, alerts
