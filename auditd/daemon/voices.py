"""Log, metrics and open pages of one daemon: what is told of everything that happens."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex
from time import monotonic

from auditd import __version__
from auditd.alerting.events import DeliveryDead
from auditd.audit.events import Event
from auditd.config.settings import Settings
from auditd.daemon.alarms import Alarms
from auditd.daemon.watch import Watch
from auditd.polling.freshness import Freshness
from auditd.telemetry.alert_log import AlertLog, Told
from auditd.telemetry.alert_metrics import AlertMetrics
from auditd.telemetry.event_log import EventLog
from auditd.telemetry.log import Log
from auditd.telemetry.metrics import Metrics
from auditd.web.feed import ALERTS, DELIVERIES, FLEET, Feed


class Voices:
    """Hands each event to all that tell of it, in one place.

    Args:
        log: where it is logged.
        watch: the parts that see; asked for at each scrape, since they are opened later.
        alarms: likewise the parts that tell.
        settings: those that the daemon starts with.
    """

    def __init__(
        self,
        log: Log,
        watch: Callable[[], Watch],
        alarms: Callable[[], Alarms],
        settings: Settings,
    ) -> None:
        self.metrics = Metrics(
            fleet=lambda: watch().fleet.snapshots(),  # noqa: PLW0108 -- there is none yet
            checks=lambda: watch().policy.severities,
            credentials=lambda: watch().cloud.credential_statuses(),  # noqa: PLW0108 -- likewise
            dropped_log_lines=log.dropped_lines,
            version=__version__,
            logger=log.logger,
            max_series=settings.global_.max_series,
        )
        self.freshness = Freshness(monotonic)
        self.feed = Feed(token_hex(8))
        self._alarms = alarms
        self._event_log = EventLog(log.logger, monotonic=monotonic)
        self._alert_log = AlertLog(log.logger, monotonic=monotonic)
        self._alert_metrics = AlertMetrics(
            alertnames=lambda: watch().policy.alertnames,
            open_of=lambda name: alarms().board.open_of(name),  # noqa: PLW0108 -- likewise
            hooks=lambda: alarms().hook_names,
            pending=lambda: alarms().deliverer.pending,
            dead=lambda: alarms().dead,
        )
        self.metrics.register(self._alert_metrics)

    def tell(self, event: Event) -> None:
        """Something happened to a project or a credential."""
        self._event_log(event)
        self.metrics(event)
        self.freshness(event)
        self.feed.follow(event)

    def tell_of_alerts(self, event: Told) -> None:
        """Something happened to an alert or a delivery."""
        self._alert_log(event)
        self._alert_metrics(event)
        self.feed.follow(event)
        if isinstance(event, DeliveryDead):
            self._alarms().dead[event.hook] += 1

    def changed_elsewhere(self) -> None:
        """Another replica has changed what is known; what happened there it tells itself."""
        for topic in (FLEET, ALERTS, DELIVERIES):
            self.feed.touch(topic)

    def loop_lag(self, seconds: float) -> None:
        """The event loop was so late."""
        self.metrics.loop_lag(seconds)
        self.freshness.loop_lag(seconds)
