from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from tests.unit.web.pages.examples import HOUR, NOW, alert_of, delivery_of
from tests.unit.web.pages.fakes import Alerts
from tests.unit.web.pages.scene import Browser, text_of


async def test_alerts_are_filtered_and_what_matters_comes_first(
    browser: Browser, alerts: Alerts
) -> None:
    old = replace(alert_of("older"), fired_at=NOW - 2 * HOUR)
    alerts.add(alert_of("gone", state=AlertState.RESOLVED))
    alerts.add(alert_of("coming", state=AlertState.PENDING))
    alerts.add(alert_of("hushed"), "silenced, inhibited")
    alerts.add(old)
    alerts.add(alert_of("mild", severity="warning"))
    alerts.add(alert_of("newer", "search"))
    text = text_of(await browser.get("/alerts"))
    order = ["newer", "older", "mild", "hushed", "coming", "gone"]
    assert sorted(order, key=text.index) == order
    assert "firing silenced inhibited: its project is blind" in text
    for query, wanted in {
        "state=pending": {"coming"},
        "severity=warning": {"mild"},
        "project=search": {"newer"},
        "q=OLD": {"older"},
        "state=firing&q=new": {"newer"},
    }.items():
        text = text_of(await browser.get(f"/alerts?{query}"))
        assert {name for name in order if f" {name} " in text} == wanted


async def test_deliveries_are_read_page_by_page_with_what_was_tried(
    browser: Browser, alerts: Alerts
) -> None:
    for number in range(60):
        alerts.owed[f"d{number:02}"] = delivery_of(f"d{number:02}", alert_of("one"))
    alerts.owed["d59"] = replace(
        alerts.owed["d59"],
        state=DeliveryState.PENDING,
        attempts=4,
        last_error="HTTP 503 <i>",
        next_at=NOW + timedelta(minutes=7),
    )
    page = await browser.get("/deliveries")
    assert page.count("delivery?id=") == 50
    assert "owed ops something new fires 1 4 in 7 min HTTP 503 <i>" in text_of(page)
    assert 'href="deliveries?before=d10"' in page
    assert (await browser.get("/deliveries?before=d10")).count("delivery?id=") == 10
    await browser.get("/deliveries?state=dead&hook=ops")
    assert alerts.asked[-1] == ("deliveries", DeliveryState.DEAD, "ops", 51, None)


async def test_a_delivery_is_shown_with_its_attempts_the_newest_first(
    browser: Browser, alerts: Alerts
) -> None:
    tried = (
        Attempt(NOW - 2 * HOUR, AttemptOutcome.FAILED, "HTTP 503 <i>"),
        Attempt(NOW - HOUR, AttemptOutcome.REPLAYED),
        Attempt(NOW, AttemptOutcome.DELIVERED),
    )
    alerts.owed["d"] = delivery_of("d", alert_of("one"), tried=tried)
    text = text_of(await browser.get("/delivery?id=d"))
    rows = ["(now) delivered —", "(1 h ago) owed again —", "(2 h ago) failed HTTP 503 <i>"]
    places = [text.index(row) for row in ["Attempts, the newest first", *rows]]
    assert places == sorted(places)


async def test_a_delivery_of_which_no_attempt_is_known_has_no_table_of_them(
    browser: Browser, alerts: Alerts
) -> None:
    alerts.owed["d"] = delivery_of("d", alert_of("one"))
    assert "What was tried" not in text_of(await browser.get("/delivery?id=d"))
