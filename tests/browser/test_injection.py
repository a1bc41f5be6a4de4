"""What others write is shown and never run, in every field and on every page."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from aiohttp import web
from playwright.async_api import Browser

from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Silence
from auditd.audit.failure import FailureReason
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.web.address import Address
from auditd.web.listener import listen
from auditd.web.office import HookStanding
from tests.browser.payloads import PAYLOADS
from tests.browser.visit import Visits
from tests.unit.web.pages.examples import (
    HOUR,
    NOW,
    alert_of,
    delivery_of,
    finding_of,
    listed_as,
    project_of,
    seen,
)
from tests.unit.web.pages.fakes import Alerts, Fleet
from tests.unit.web.pages.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


def spoil(fleet: Fleet, alerts: Alerts) -> None:
    """Each payload in each field."""
    for number, text in enumerate(PAYLOADS):
        listed = listed_as(
            text, repo_type=text, repo_host=text, repo_user=text, token_type=text, tag=text,
            raw_status=text,
        )  # fmt: skip
        finding = finding_of(text, check=text, alertname=text, summary=text)
        project = project_of(
            text, project_id=text, region=text, credential=text, endpoint=text,
            labels=((text, text),),
        )  # fmt: skip
        blind = finding_of("", check="blind", alertname=text, summary=text)
        fleet.add(
            replace(
                seen(project, listed, findings=(blind, finding)),
                failure=FailureReason.SERVER,
                failure_message=text,
            )
        )
        fleet.polls[text] = NOW
        fleet.entries += [
            HistoryEntry(NOW, text, HistoryKind.AUTHORIZATION_CHANGED, text, listed=listed,
                         fields=("repo_host", "repo_user", "tag"), seq=2 * number),
            HistoryEntry(NOW, text, HistoryKind.FINDING_FLAGGED, text, finding=finding,
                         seq=2 * number + 1),
        ]  # fmt: skip
        told = ("summary", "description", "exception", "console_url", "runbook_url")
        alert = replace(
            alert_of(text, text, alertname=text, team=text),
            annotations=dict.fromkeys(told, text),
        )
        alerts.add(alert)
        matchers = (Matcher("project", Operator.EQUAL, text),)
        alerts.kept[f"s{number}"] = Silence(
            f"s{number}", matchers, NOW - HOUR, NOW + HOUR, text, text
        )
        alerts.standing[text] = HookStanding(text, text, text, 1, 1)
        alerts.owed[f"d{number:03}"] = delivery_of(
            f"d{number:03}", alert, state=DeliveryState.DEAD, hook=text, group_key=text,
            last_error=text, tried=(Attempt(NOW, AttemptOutcome.FAILED, text),),
        )  # fmt: skip
    fleet.missing = PAYLOADS
    fleet.config_error = " ".join(PAYLOADS)


def paths_of(scene: Scene) -> list[str]:
    """All lists with all their pages, and of every other payload one page of its own."""
    sheets = range(1, 1 + -(-len(PAYLOADS) // 50))
    lists = [
        f"{page}?page={number}"
        for page in ("/", "/authorizations", "/alerts", "/silences")
        for number in sheets
    ]
    befores = [f"/deliveries?before=d{number}" for number in (150, 100, "050")]
    singles = []
    ids = list(scene.alerts.told)
    for number, text in list(enumerate(PAYLOADS))[::2]:
        singles.append(
            (
                f"/project?{urlencode({'name': text})}",
                f"/authorization?{urlencode({'project': text, 'name': text})}",
                f"/alert?id={ids[number]}",
                f"/delivery?id=d{number:03}",
                f"/?{urlencode({'q': text})}",
                f"/alerts?{urlencode({'q': text, 'project': text})}",
                f"/deliveries?{urlencode({'hook': text})}",
            )[number // 2 % 7]
        )
    return [*lists, "/deliveries", *befores, *singles]


async def test_no_payload_runs_and_nothing_is_even_tried(visits: Visits, scene: Scene) -> None:
    spoil(scene.fleet, scene.alerts)
    assert len(set(PAYLOADS)) == 200
    page = await visits.open("/")
    await page.get_by_role("button", name="Pause updates").click()
    for path in paths_of(scene):
        response = await page.goto(f"{visits.url}{path}", wait_until="load")
        assert response
        assert response.status == 200, path
        assert await page.evaluate("self.pwned") is None, path
        assert (
            await page.locator("main img, main iframe, main script, main svg[onload]").count() == 0
        )
    assert visits.complaints == []


async def test_what_was_typed_comes_back_as_text(visits: Visits) -> None:
    visits.expected = ["status of 400"]
    page = await visits.open("/silences")
    for text in PAYLOADS[::20]:
        await page.get_by_label("Matchers").fill(text)
        await page.get_by_label("Comment").fill(text)
        await page.get_by_label("Your name").fill(text)
        await page.get_by_role("button", name="Silence").click()
        await page.get_by_role("alert").wait_for()
        assert await page.evaluate("self.pwned") is None
        assert await page.get_by_label("Comment").input_value() == text


async def test_the_payloads_are_live_ammunition(chromium: Browser) -> None:
    """On a page that neither escapes nor forbids, many run: else the tests above prove nothing."""

    async def careless(request: web.Request) -> web.Response:
        text = PAYLOADS[int(request.query["number"])]
        html = f"<!DOCTYPE html><title>x</title><p>{text}</p><textarea></textarea>"
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", careless)])
    ran = 0
    async with listen(app, [Address("127.0.0.1", 0)]) as (bound,):
        page = await chromium.new_page()
        for number in range(0, len(PAYLOADS), 8):
            await page.goto(f"http://{bound}/?number={number}", wait_until="load")
            ran += bool(await page.evaluate("self.pwned"))
        await page.close()
    assert ran > 12
