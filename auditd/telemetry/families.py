"""The metric families that this program writes down itself: their names and what they mean.

Source: Prometheus, "Writing exporters" and "Metric and label naming": base units, timestamps
and not ages, `_total` on counters only.
"""

from __future__ import annotations

from auditd.telemetry.family import Family

_AS_LISTED = "As of the last poll that succeeded."

AUTHORIZATION_INFO = Family(
    "servicestage_git_authorization",
    "info",
    f"A Git repository authorization that ServiceStage stores, always 1. {_AS_LISTED}",
)
AUTHORIZATION_STATUS = Family(
    "servicestage_git_authorization_status",
    "gauge",
    f"1 for the status that ServiceStage gives the authorization, 0 for the others. {_AS_LISTED}",
)
AUTHORIZATION_CREATED = Family(
    "servicestage_git_authorization_created_timestamp_seconds",
    "gauge",
    f"When the authorization was created; absent when that is not known. {_AS_LISTED}",
)
AUTHORIZATION_UPDATED = Family(
    "servicestage_git_authorization_updated_timestamp_seconds",
    "gauge",
    f"When the authorization was last updated; absent when that is not known. {_AS_LISTED}",
)
AUTHORIZATION_STALE = Family(
    "servicestage_git_authorization_stale_timestamp_seconds",
    "gauge",
    f"When the check stale fires, or fired, if nothing is updated before. {_AS_LISTED}",
)
AUTHORIZATION_VERIFIED = Family(
    "servicestage_git_authorization_verified",
    "gauge",
    "1 when the stored credential worked when it was last tried, 0 when it was refused; absent "
    "without such a verdict.",
)
AUTHORIZATIONS = Family(
    "servicestage_git_authorizations",
    "gauge",
    f"How many authorizations of a project have a status; absent until it was listed. {_AS_LISTED}",
)
PROJECT_INFO = Family(
    "auditd_project",
    "info",
    "A project that is polled, with its configured labels as label_NAME, always 1.",
)
PROJECT_UP = Family(
    "auditd_project_up",
    "gauge",
    "Whether the last poll of the project succeeded; absent until one was tried.",
)
PROJECT_LAST_SUCCESS = Family(
    "auditd_project_last_success_timestamp_seconds",
    "gauge",
    "When the project was last listed; absent until it was.",
)
PROJECT_LAST_ATTEMPT = Family(
    "auditd_project_last_attempt_timestamp_seconds",
    "gauge",
    "When the project was last polled, with or without success; absent until it was.",
)
PROJECT_POLL_INTERVAL = Family(
    "auditd_project_poll_interval_seconds", "gauge", "How often the project is to be polled."
)
POLLS = Family("auditd_polls", "counter", "Polls of the project that ended, failed ones included.")
POLL_FAILURES = Family(
    "auditd_poll_failures", "counter", "Polls of the project that brought no list, by reason."
)
POLLS_SKIPPED = Family(
    "auditd_polls_skipped", "counter", "Slots of the project that passed without a poll, by reason."
)
FINDINGS = Family(
    "auditd_findings",
    "gauge",
    "How many findings a check has in the project; 0 for each enabled check once the project was "
    f"listed. {_AS_LISTED}",
)
CONFIG_SUCCESSFUL = Family(
    "auditd_config_last_reload_successful",
    "gauge",
    "Whether the last attempt to load the configuration succeeded.",
)
CONFIG_SUCCESS_TIMESTAMP = Family(
    "auditd_config_last_reload_success_timestamp_seconds",
    "gauge",
    "When the configuration that is in use was loaded.",
)
CREDENTIAL_EXPIRY = Family(
    "auditd_credential_expiry_timestamp_seconds",
    "gauge",
    "When what the credential holds now expires first; absent when it does not, or is not known.",
)
CLOCK_SKEW = Family(
    "auditd_clock_skew_seconds",
    "gauge",
    "The remote clock minus ours, from the last answer to the credential; absent before one.",
)
LOOP_LAG = Family(
    "auditd_event_loop_lag_seconds",
    "gauge",
    "How late the event loop was when that was last measured.",
)
LINES_DROPPED = Family(
    "auditd_log_lines_dropped",
    "counter",
    "Log lines that were not written, because nobody read them fast enough or the disk was full.",
)
DISCOVERY_FAILURES = Family(
    "auditd_discovery_failures",
    "counter",
    "Times that a discovery source could not be read; absent until it gave or failed to give.",
)
HEARTBEAT_SUCCESS = Family(
    "auditd_heartbeat_last_success_timestamp_seconds",
    "gauge",
    "When the heartbeat last arrived; absent until it did, and without a configured one.",
)
READY = Family(
    "auditd_ready",
    "gauge",
    "Whether the silence of this daemon means health: 1 exactly when /-/ready answers 200.",
)
STATE_WRITABLE = Family(
    "auditd_state_writable",
    "gauge",
    "Whether the state could be written last; while it cannot, nobody is told of alerts.",
)
ENGINE_JOBS_RUNNING = Family(
    "auditd_engine_jobs_running", "gauge", "Jobs, which are polls, under way in this process."
)
ENGINE_RESTARTS = Family(
    "auditd_engine_restarts",
    "counter",
    "Times that the engine began anew, because the database that has its jobs went away.",
)
ENGINE_JOBS_REAPED = Family(
    "auditd_engine_jobs_reaped",
    "counter",
    "Jobs of replicas that died which this one took away; their projects wait for the next slot.",
)
REPLICAS = Family(
    "auditd_replicas",
    "gauge",
    "Daemons that live on the same state and share the rate limits, as counted last; 1 when alone.",
)
BUILD_INFO = Family("auditd_build", "info", "The version that runs, always 1.")
SERIES_DROPPED = Family(
    "auditd_series_dropped",
    "gauge",
    "Series of authorizations that this scrape leaves out, because there are more than the cap.",
)

ALERTS = Family(
    "auditd_alerts",
    "gauge",
    "How many alerts of a project are pending or firing, as of the last poll.",
)
OUTBOX_DELIVERIES = Family(
    "auditd_outbox_deliveries",
    "gauge",
    "How many deliveries of a hook are pending, and how many are dead and can be replayed.",
)
OUTBOX_OLDEST = Family(
    "auditd_outbox_oldest_pending_timestamp_seconds",
    "gauge",
    "Since when the oldest pending delivery of a hook is owed; absent without one.",
)
NOTIFICATIONS = Family(
    "auditd_notifications",
    "counter",
    "How many attempts were made to bring a hook what it is owed.",
)
NOTIFICATIONS_FAILED = Family(
    "auditd_notifications_failed",
    "counter",
    "How many of these attempts failed, by reason.",
)

ALERT_FAMILIES = (OUTBOX_DELIVERIES, OUTBOX_OLDEST, NOTIFICATIONS, NOTIFICATIONS_FAILED)
"""In the order in which they are exposed."""

DAEMON_FAMILIES = (
    CONFIG_SUCCESSFUL,
    CONFIG_SUCCESS_TIMESTAMP,
    CREDENTIAL_EXPIRY,
    CLOCK_SKEW,
    LOOP_LAG,
    LINES_DROPPED,
    DISCOVERY_FAILURES,
    HEARTBEAT_SUCCESS,
    BUILD_INFO,
)
"""Likewise."""

STANDING_FAMILIES = (
    READY,
    STATE_WRITABLE,
    ENGINE_JOBS_RUNNING,
    ENGINE_RESTARTS,
    ENGINE_JOBS_REAPED,
    REPLICAS,
)
"""Likewise."""
