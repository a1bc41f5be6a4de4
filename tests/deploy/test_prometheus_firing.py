"""Each alert, seen firing in a real Prometheus on a page of a real daemon that was made bad."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.deploy.page import Exposer, Page
from tests.deploy.watching import daemon_of, named_twice, project
from tests.prometheus import Server, prometheus_of, scraping

pytestmark = pytest.mark.timeout(90)

RULES = Path(__file__).parent.parent.parent / "deploy" / "prometheus" / "rules"
DAY = 86400.0
NO_PAGE = {"AuditdDown", "AuditdAbsent"}
HOOK = {"name": "ops", "type": "exec", "command": ["/bin/true"]}
FLEET = [
    project(number, {"name": "gh", "updated": "-1d"}, {"name": "lab", "updated": "-2d"})
    for number in range(3)
]

Bad = Callable[[Page, int], None]


def status(number: int, authorization: str, value: str) -> Bad:
    def change(page: Page, _: int) -> None:
        name, labels = "servicestage_git_authorization_status", {"authorization": authorization}
        page.change(name, 0, project=f"p{number}", status="normal", **labels)
        page.change(name, 1, project=f"p{number}", status=value, **labels)

    return change


def value(name: str, value: float, **labels: str) -> Bad:
    """These series have the value."""
    return lambda page, _: page.change(name, value, **labels)


def more(name: str, value: float, **labels: str) -> Bad:
    """A series that a healthy daemon does not show has the value."""
    return lambda page, _: page.add(name, value, **labels)


def counts(name: str, each: float = 1, **labels: str) -> Bad:
    """The counter grows by so much with each scrape."""
    return lambda page, number: page.add(name, each * number, **labels)


def away(seconds: float) -> float:
    """The instant so long from now."""
    return time.time() + seconds


def troubles() -> dict[str, list[Bad]]:
    """Alertname -> what makes all its bands fire. The two that are missing tell of no page."""
    p0, gh = {"project": "p0"}, {"authorization": "gh"}
    stale = "servicestage_git_authorization_stale_timestamp_seconds"
    updated = "servicestage_git_authorization_updated_timestamp_seconds"
    policy = {"check": "policy", **p0}
    return {
        "GitAuthorizationOverdue": [status(0, "gh", "overdue")],
        "GitAuthorizationUnauthenticated": [status(0, "lab", "unauthenticated")],
        "GitAuthorizationStatusUnknown": [status(1, "gh", "unknown")],
        "GitAuthorizationBroken": [
            value("servicestage_git_authorization_verified", 0, project="p1", **gh)
        ],
        "GitAuthorizationStale": [value(stale, away(-100 * DAY), **p0, **gh)],
        "GitAuthorizationStaleSoon": [value(stale, away(DAY), project="p1", **gh)],
        "GitAuthorizationTimestampInvalid": [
            lambda page, _: page.remove(updated, project="p2", **gh)
        ],
        "GitAuthorizationDuplicate": [value("auditd_findings", 1, check="duplicate", **p0)],
        "GitAuthorizationDrift": [value("auditd_findings", 1, check="drift", **p0)],
        "GitAuthorizationPolicyViolation": [
            more("auditd_findings", 1, severity="warning", **policy),
            more("auditd_findings", 1, severity="critical", **policy),
        ],
        "AuditdProjectBlind": [value("auditd_project_up", 0, project="p1")],
        "AuditdFleetBlind": [value("auditd_project_up", 0, project="p2")],
        "AuditdProjectNotPolled": [
            more("auditd_project_info", 1, project="p9", project_id="9", huawei_region="x")
        ],
        "AuditdPollsFailing": [
            counts("auditd_poll_failures_total", reason="timeout", project="p0")
        ],
        "AuditdCredentialRejected": [
            counts("auditd_poll_failures_total", reason="auth", project="p0")
        ],
        "AuditdPollsSkipped": [
            counts("auditd_polls_skipped_total", reason="overlap", project="p0")
        ],
        "AuditdScheduleLag": [counts("auditd_poll_schedule_lag_seconds_bucket", le="+Inf")],
        "AuditdDiscoveryFailing": [counts("auditd_discovery_failures_total", 9, source="iam")],
        "AuditdCredentialExpiring": [
            value("auditd_credential_expiry_timestamp_seconds", away(200))
        ],
        "AuditdClockSkew": [value("auditd_clock_skew_seconds", -400)],
        "AuditdRestarting": [counts("process_start_time_seconds")],
        "AuditdConfigReloadFailed": [value("auditd_config_last_reload_successful", 0)],
        "AuditdEventLoopLag": [value("auditd_event_loop_lag_seconds", 1000)],
        "AuditdSeriesDropped": [value("auditd_series_dropped", 7)],
        "AuditdLogLinesDropped": [counts("auditd_log_lines_dropped_total")],
        "AuditdNotReady": [value("auditd_ready", 0)],
        "AuditdStateNotWritable": [value("auditd_state_writable", 0)],
        "AuditdReplicaMissing": [value("auditd_replicas", 1)],
        "AuditdEngineRestarting": [counts("auditd_engine_restarts_total")],
        "AuditdHeartbeatOld": [
            more("auditd_heartbeat_last_success_timestamp_seconds", away(-3600))
        ],
        "AuditdMemoryHigh": [value("process_resident_memory_bytes", 3 * 2**30)],
        "AuditdFileDescriptorsLow": [
            lambda page, _: page.change("process_open_fds", page.value("process_max_fds"))
        ],
        "AuditdHookFailing": [
            counts("auditd_notifications_total", hook="ops"),
            counts("auditd_notifications_failed_total", hook="ops", reason="server"),
        ],
        "AuditdOutboxOld": [
            more("auditd_outbox_oldest_pending_timestamp_seconds", away(-7 * 3600), hook="ops")
        ],
        "AuditdDeliveriesDead": [value("auditd_outbox_deliveries", 1, state="dead")],
    }


async def test_each_alert_fires_in_its_trouble_and_none_without(
    prometheus: Path, tmp_path: Path
) -> None:
    bands, rules = _hurried(tmp_path)
    assert troubles().keys() | NO_PAGE | {"AuditdPollingStopped"} == {name for name, _ in bands}
    recorded = await _healthy_page(tmp_path)
    assert _spoiled(recorded, 1).text() != recorded.text()
    exposer = Exposer()
    async with (
        exposer.serve() as target,
        prometheus_of(prometheus, tmp_path, scraping(*named_twice(target), rules=rules)) as server,
    ):
        exposer.show = lambda _: recorded
        await _seen(server, {("AuditdPollingStopped", "critical")})
        exposer.show = lambda number: _worked(recorded, number)
        await _seen(server, set())
        exposer.show = lambda number: _spoiled(recorded, number)
        alerts = await _seen(server, {band for band in bands if band[0] in troubles()})
        assert not re.search("<no value>|<error|%!|NaN|{{", "".join(_texts(alerts)))
        _check_told_once(alerts, rules)
        exposer.show = None
        await _seen(server, {band for band in bands if band[0] in NO_PAGE}, besides=True)


async def _healthy_page(directory: Path) -> Page:
    """What a daemon shows of a fleet in which all is well, when everything was looked at."""
    async with (
        daemon_of(directory, FLEET, [HOOK]) as address,
        aiohttp.ClientSession(f"http://{address}") as session,
        asyncio.timeout(30),
    ):
        while True:
            async with session.get("/metrics") as answer:
                text = await answer.text()
            verified = re.findall(r"(?m)^servicestage_git_authorization_verified{.*} 1.0$", text)
            if len(verified) == 6 and "\nauditd_event_loop_lag_seconds " in text:
                return Page.read(text)
            await asyncio.sleep(0.1)


def _worked(recorded: Page, number: int) -> Page:
    """The page some polls later."""
    page = recorded.copy()
    page.change("auditd_replicas", 2)
    page.change("auditd_polls_total", recorded.value("auditd_polls_total", project="p0") + number)
    return page


def _spoiled(recorded: Page, number: int) -> Page:
    page = _worked(recorded, number)
    for changes in troubles().values():
        for change in changes:
            change(page, number)
    return page


async def _seen(
    server: Server, wanted: set[tuple[str, str]], *, besides: bool = False
) -> list[dict[str, Any]]:
    """Wait until these alerts fire, and no others unless they may be there `besides`.

    One that has an instance must fire for both.
    """
    firing: set[tuple[str, str]] = set()
    try:
        async with asyncio.timeout(20):
            while True:
                alerts = [one for one in await server.alerts() if one["state"] == "firing"]
                firing = {(it["labels"]["alertname"], it["labels"]["severity"]) for it in alerts}
                is_seen = firing == wanted or (besides and firing >= wanted)
                if is_seen and all(_of_one(alerts).count(it) == 2 for it in _of_one(alerts)):
                    return alerts
                await asyncio.sleep(0.2)
    except TimeoutError:
        pytest.fail(f"missing: {wanted - firing}; too many: {firing - wanted}")


def _of_one(alerts: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """The labels of those that tell of one replica, but for which."""
    told = [{**alert["labels"]} for alert in alerts]
    return [labels for labels in told if labels.pop("instance", "")]


def _check_told_once(alerts: Iterable[dict[str, Any]], rules: Iterable[Path]) -> None:
    """Of two replicas each tells of itself, and both together of what they share."""
    of_one = _of_one(alerts)
    texts = "".join(file.read_text() for file in rules).split("- alert: ")
    named = {text.split()[0] for text in texts if "$labels.instance" in text}
    assert {labels["alertname"] for labels in of_one} == named - NO_PAGE
    shared = [alert["labels"] for alert in alerts if "instance" not in alert["labels"]]
    assert all(shared.count(labels) == 1 for labels in shared)


def _texts(alerts: Iterable[dict[str, Any]]) -> Iterable[str]:
    return (text for alert in alerts for text in alert["annotations"].values())


def _hurried(directory: Path) -> tuple[set[tuple[str, str]], list[Path]]:
    """Copies of the rules that wait for a second only, and every band of every alert in them."""
    bands, copies = set(), []
    for file in RULES.glob("*.yaml"):
        text = re.sub(r"(?m)^( +(?:keep_firing_)?for:) \S+$", r"\1 1s", file.read_text())
        copies.append(directory / file.name)
        copies[-1].write_text(text)
        rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
        bands |= {(rule["alert"], rule["labels"]["severity"]) for rule in rules if "alert" in rule}
    return bands, copies
