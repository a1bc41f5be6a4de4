"""Where the pages are.

All lie side by side, so that their relative links work behind any prefix; and names stand in
queries, because a path cannot hold every name (`..`, `a/b`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from auditd.web.feed import Feed
from auditd.web.fleet_office import FleetOffice
from auditd.web.guard import Guard
from auditd.web.office import AlertOffice
from auditd.web.pages.alert_pages import AlertPages
from auditd.web.pages.asset import Shelf
from auditd.web.pages.delivery_pages import DeliveryPages
from auditd.web.pages.fleet_pages import FleetPages
from auditd.web.pages.form import Forms
from auditd.web.pages.press import Press
from auditd.web.pages.silence_pages import SilencePages
from auditd.web.pages.site import Site


def make_pages(
    fleet: FleetOffice,
    alerts: AlertOffice,
    guard: Guard,
    feed: Feed,
    *,
    site: Site,
    form_key: bytes,
    now: Callable[[], datetime],
) -> Sequence[web.RouteDef]:
    """The routes of the pages, without the prefix of the external URL.

    Args:
        fleet: knows the projects.
        alerts: knows the alerts, and writes down what people say of them.
        guard: decides who may change something.
        feed: tells open pages that something changed.
        site: what pages are made of; see `load_site`.
        form_key: at least 32 random bytes; those who show the same pages have the same.
        now: the wall clock, aware and UTC.
    """
    press, forms = Press(site, fleet, feed, now), Forms(guard, form_key)
    fleets = FleetPages(press, fleet, alerts, now)
    given = (press, alerts, forms, feed, now)
    alarms, silences, deliveries = AlertPages(*given), SilencePages(*given), DeliveryPages(*given)
    pages = {
        "/": fleets.fleet,
        "/authorizations": fleets.authorizations,
        "/project": fleets.project,
        "/authorization": fleets.authorization,
        "/alerts": alarms.alerts,
        "/alert": alarms.alert,
        "/silences": silences.silences,
        "/deliveries": deliveries.deliveries,
        "/delivery": deliveries.delivery,
    }
    changes = {
        "/alert": alarms.acknowledge,
        "/silences": silences.change,
        "/deliveries": deliveries.enable,
        "/delivery": deliveries.replay,
    }
    return [
        *(web.get(path, press.telling(page)) for path, page in pages.items()),
        *(web.post(path, press.telling(change)) for path, change in changes.items()),
        web.get("/events", feed.stream),
        web.get("/static/{name}", Shelf(site.assets).serve),
    ]
