"""The names of all log events. They are public: people match on them."""

from __future__ import annotations

DAEMON_STARTED = "daemon.started"
DAEMON_READY = "daemon.ready"
DAEMON_STOPPING = "daemon.stopping"
DAEMON_STOPPED = "daemon.stopped"

CONFIG_LOADED = "config.loaded"
CONFIG_RELOADED = "config.reloaded"
CONFIG_REJECTED = "config.rejected"

POLL_FINISHED = "poll.finished"
POLL_FAILED = "poll.failed"
POLL_SKIPPED = "poll.skipped"

FINDING_FLAGGED = "finding.flagged"
FINDING_CLEARED = "finding.cleared"

AUTHORIZATION_ADDED = "authorization.added"
AUTHORIZATION_REMOVED = "authorization.removed"
AUTHORIZATION_CHANGED = "authorization.changed"

CREDENTIAL_REFRESHED = "credential.refreshed"
CREDENTIAL_REJECTED = "credential.rejected"
CREDENTIAL_THROTTLED = "credential.throttled"

DISCOVERY_ADDED = "discovery.added"
DISCOVERY_REMOVED = "discovery.removed"
DISCOVERY_FAILED = "discovery.failed"

SERIES_DROPPED = "series.dropped"
"""The cap on authorization series was reached; the metrics are incomplete."""
LIBRARY_LOGGED = "library.logged"
"""What a library said through the standard library's logging; `logger` and `message` tell."""

ALERT_FIRED = "alert.fired"
ALERT_RESOLVED = "alert.resolved"
ALERT_SUPPRESSED = "alert.suppressed"

DELIVERY_SENT = "delivery.sent"
DELIVERY_RETRIED = "delivery.retried"
DELIVERY_DEAD = "delivery.dead"
DELIVERY_REFUSED = "delivery.refused"
"""A receiver that is told the state refused one alert of it."""

HEARTBEAT_SENT = "heartbeat.sent"
"""It began to arrive, or does so again."""
HEARTBEAT_WITHHELD = "heartbeat.withheld"
"""There is trouble, so it is not sent any more; `troubles` tells."""
HEARTBEAT_REFUSED = "heartbeat.refused"
"""It was sent and did not arrive."""

STATE_OPENED = "state.opened"
"""How the stored state was found when the daemon started."""
