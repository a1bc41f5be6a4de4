from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from auditd.audit import events
from auditd.audit.credential import CredentialStatus
from auditd.audit.failure import FailureReason, SkipReason
from auditd.audit.project import Project
from auditd.audit.snapshot import ProjectSnapshot
from tests.unit.telemetry.reading import OPENMETRICS, read


def test_counters_start_at_zero_and_count_what_happens(daemon: Any, project: Project) -> None:
    daemon.fleet = [ProjectSnapshot(project)]
    failures = daemon.values("auditd_poll_failures_total", "project", "reason")
    assert failures == {("payments", reason.value): 0 for reason in FailureReason}
    assert daemon.values("auditd_polls_total", "project") == {("payments",): 0}

    daemon.metrics(events.PollFinished("payments", 0.2, 0.0, 1, 0, (), is_news=False))
    daemon.metrics(events.PollFailed("payments", FailureReason.DNS, "m", 3.0, 20.0, 1))
    daemon.metrics(events.PollSkipped("payments", SkipReason.CLOCK, 7))
    scrape = daemon.scrape()
    assert scrape["auditd_polls_total['payments']"] == 2
    assert scrape["auditd_poll_failures_total['dns', 'payments']"] == 1
    assert scrape["auditd_poll_failures_total['auth', 'payments']"] == 0
    assert scrape["auditd_polls_skipped_total['clock', 'payments']"] == 7
    assert scrape["auditd_poll_duration_seconds_count[]"] == 2
    assert scrape["auditd_poll_duration_seconds_bucket['0.25']"] == 1
    assert scrape["auditd_poll_schedule_lag_seconds_sum[]"] == 20.0


def test_nothing_of_a_removed_project_is_left(daemon: Any, snapshot: ProjectSnapshot) -> None:
    daemon.fleet = [snapshot]
    daemon.metrics(events.PollFinished("payments", 0.2, 0.0, 1, 0, (), is_news=False))
    assert any("payments" in series for series in daemon.scrape())
    daemon.fleet = []
    daemon.metrics(events.PollFinished("payments", 0.2, 0.0, 1, 0, (), is_news=False))
    assert not any("payments" in series for series in daemon.scrape())
    daemon.fleet = [snapshot]
    assert daemon.values("auditd_polls_total", "project") == {("payments",): 0}


def test_to_show_one_project_alone_forgets_nothing_of_the_others(
    daemon: Any, snapshot: ProjectSnapshot
) -> None:
    other = replace(snapshot, project=replace(snapshot.project, name="orders"))
    daemon.fleet = [snapshot, other]
    for project in ("payments", "orders"):
        daemon.metrics(events.PollFinished(project, 0.2, 0.0, 1, 0, (), is_news=False))
    assert 'auditd_polls_total{project="payments"} 1' in daemon.metrics.render_project(snapshot)
    polls = daemon.values("auditd_polls_total", "project")
    assert polls == {("payments",): 1, ("orders",): 1}


def test_a_source_counts_its_failures_from_its_first_project_on(daemon: Any) -> None:
    daemon.metrics(events.DiscoveryAdded("iam/prod", "p", "0123", "cn-north-4"))
    daemon.metrics(events.DiscoveryFailed("file/0", "m"))
    assert daemon.values("auditd_discovery_failures_total", "source") == {
        ("iam/prod",): 0,
        ("file/0",): 1,
    }


def test_after_a_reload_another_cap_counts_and_sources_that_are_gone_end(
    make_daemon: Any, snapshot: ProjectSnapshot
) -> None:
    daemon = make_daemon(max_series=9)
    daemon.fleet = [snapshot]
    for source in ("iam/prod", "file/0"):
        daemon.metrics(events.DiscoveryFailed(source, "m"))
    assert daemon.values("auditd_series_dropped") == {(): 5}
    daemon.metrics.adopt(max_series=100, sources=["iam/prod"])
    assert daemon.values("auditd_series_dropped") == {(): 0}
    assert daemon.values("auditd_discovery_failures_total", "source") == {("iam/prod",): 1}


def test_beyond_the_cap_whole_authorizations_are_left_out_with_one_warning(
    make_daemon: Any, logger: Any, snapshot: ProjectSnapshot
) -> None:
    daemon = make_daemon(max_series=9)
    daemon.fleet = [snapshot]
    assert daemon.values("servicestage_git_authorization_info", "authorization") == {
        ("gh-prod",): 1
    }
    assert daemon.values("auditd_series_dropped") == {(): 5}
    assert logger.warnings == [{"series": 5, "max_series": 9}]
    daemon.fleet = []
    assert daemon.values("auditd_series_dropped") == {(): 0}
    daemon.fleet = [snapshot]
    daemon.scrape()
    assert len(logger.warnings) == 2


def test_the_daemon_tells_of_itself(daemon: Any) -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    assert "auditd_config_last_reload_successful[]" not in daemon.scrape()
    daemon.metrics.config_loaded(noon, successful=True)
    daemon.metrics.config_loaded(noon + timedelta(hours=1), successful=False)
    daemon.metrics.loop_lag(0.25)
    daemon.credentials = [CredentialStatus("prod", noon, -1.5), CredentialStatus("new")]
    daemon.dropped_lines = 4
    scrape = daemon.scrape()
    assert scrape["auditd_config_last_reload_successful[]"] == 0
    assert scrape["auditd_config_last_reload_success_timestamp_seconds[]"] == noon.timestamp()
    assert scrape["auditd_event_loop_lag_seconds[]"] == 0.25
    assert scrape["auditd_log_lines_dropped_total[]"] == 4
    assert daemon.values("auditd_build_info", "version") == {("1.2.3",): 1}
    expiries = daemon.values("auditd_credential_expiry_timestamp_seconds", "credential")
    assert expiries == {("prod",): noon.timestamp()}
    assert daemon.values("auditd_clock_skew_seconds", "credential") == {("prod",): -1.5}


def test_two_daemons_in_one_process_do_not_share_metrics(make_daemon: Any) -> None:
    first, second = make_daemon(), make_daemon()
    first.metrics.loop_lag(1.0)
    assert second.values("auditd_event_loop_lag_seconds") == {}


def test_the_process_and_python_are_watched_too(daemon: Any) -> None:
    text = read(daemon.metrics.expose)
    for name in ("process_open_fds", "python_info", "python_gc_collections_total"):
        assert name in text


@pytest.fixture
def busy(daemon: Any, snapshot: ProjectSnapshot, noon: datetime) -> Any:
    """A daemon that has something to say in every family."""
    labelled = replace(snapshot.project, name="other", labels=(("cost-centre", "7"),))
    daemon.fleet = [snapshot, replace(snapshot, project=labelled)]
    daemon.metrics.config_loaded(noon, successful=True)
    daemon.metrics.loop_lag(0.25)
    daemon.credentials = [CredentialStatus("prod", noon, 0.5)]
    daemon.metrics(events.PollFinished("payments", 0.2, 0.0, 1, 0, (), is_news=False))
    daemon.metrics(events.DiscoveryFailed("iam/prod", "m"))
    return daemon


def test_promtool_finds_nothing(busy: Any, promtool: Path) -> None:
    body = read(busy.metrics.expose)
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=body, capture_output=True, check=False, text=True
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_both_formats_hold_the_same_series(busy: Any) -> None:
    text = read(busy.metrics.expose)
    openmetrics = read(busy.metrics.expose, accept=OPENMETRICS)

    def ours(parse: Any, text: str) -> dict[str, float]:
        samples = (sample for family in parse(text) for sample in family.samples)
        return {
            f"{sample.name}{sorted(sample.labels.items())}": sample.value
            for sample in samples
            if not sample.name.startswith(("process_", "python_"))
        }

    assert ours(parse_openmetrics, openmetrics) == ours(parse_text, text)


def test_every_family_has_a_help_and_no_created_series(busy: Any) -> None:
    families = list(parse_text(read(busy.metrics.expose)))
    assert all(family.documentation for family in families)
    assert not [family.name for family in families if family.name.endswith("_created")]


def test_a_heartbeat_is_absent_until_it_arrived(daemon: Any, noon: datetime) -> None:
    assert daemon.values("auditd_heartbeat_last_success_timestamp_seconds") == {}
    daemon.metrics.heartbeat_sent(noon)
    assert daemon.values("auditd_heartbeat_last_success_timestamp_seconds") == {
        (): noon.timestamp()
    }
