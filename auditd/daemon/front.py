"""What this daemon shows and takes over HTTP."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from auditd import __version__
from auditd.daemon.fleet_office import FleetDesk
from auditd.daemon.office import Office
from auditd.daemon.options import ServiceOptions
from auditd.daemon.parts import Parts
from auditd.daemon.readiness import readiness_of
from auditd.daemon.reloader import Reloader
from auditd.daemon.voices import Voices
from auditd.daemon.watch import utc_now
from auditd.telemetry.standing_metrics import StandingMetrics
from auditd.web.api import make_api
from auditd.web.app import make_app
from auditd.web.fleet_office import Standing
from auditd.web.guard import Guard
from auditd.web.health import Readiness
from auditd.web.lifecycle import make_lifecycle
from auditd.web.pages.routes import make_pages
from auditd.web.pages.site import Site
from auditd.web.probe import make_probe


class Front:
    """The pages, on parts that outlive reloads.

    Args:
        started_at: when this process began.
        parts: what keeps, tells, sees and polls.
        reloader: knows which configuration is in use.
        voices: what is scraped, and what open pages are told.
    """

    def __init__(
        self,
        *,
        started_at: datetime,
        parts: Parts,
        reloader: Reloader,
        voices: Voices,
    ) -> None:
        self._started_at = started_at
        self._parts = parts
        self._reloader = reloader
        self._voices = voices
        voices.metrics.register(
            StandingMetrics(
                is_ready=lambda: not self.readiness().missing,
                is_writable=lambda: parts.store.is_writable,
                engine=parts.engine.stats,
                replicas=lambda: parts.watch.shares,
            )
        )

    def application(self, options: ServiceOptions, site: Site) -> web.Application:
        """Everything under one roof."""
        parts = self._parts
        fleet = FleetDesk(
            parts.watch.fleet,
            parts.scheduler,
            parts.store,
            standing=self._standing,
            checks=lambda: parts.watch.policy.checks,
            rules=lambda: parts.alarms.rules,
        )
        feed = self._voices.feed
        alerts = Office(parts.alarms, parts.store, on_change=feed.touch)
        guard = Guard(options.listen_addresses, options.external_url)
        reload = self._reloader.reload if options.enable_lifecycle else None
        return make_app(
            expose=self._voices.metrics.expose,
            readiness=self.readiness,
            external_url=options.external_url,
            routes=[
                *make_api(alerts, fleet, guard, now=utc_now),
                *make_probe(fleet, self._voices.metrics.render_project),
                *make_lifecycle(reload, guard),
                *make_pages(
                    fleet, alerts, guard, feed, site=site, form_key=parts.form_key, now=utc_now
                ),
            ],
        )

    def readiness(self) -> Readiness:
        """What is still missing before silence means health."""
        parts, freshness = self._parts, self._voices.freshness
        return readiness_of(parts.scheduler, parts.watch.fleet, parts.store, freshness)

    def _standing(self) -> Standing:
        return Standing(
            version=__version__,
            started_at=self._started_at,
            missing=self.readiness().missing,
            config_file=str(self._reloader.file),
            config_loaded_at=self._reloader.loaded_at,
            config_error=self._reloader.error,
        )
