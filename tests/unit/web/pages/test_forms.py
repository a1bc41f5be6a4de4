from __future__ import annotations

import re

import pytest

from auditd.alerting.alert import AlertState
from auditd.alerting.delivery import DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Silence
from auditd.web.office import HookStanding, UnavailableError
from tests.unit.web.pages.examples import DAY, HOUR, NOW, alert_of, delivery_of
from tests.unit.web.pages.fakes import Alerts
from tests.unit.web.pages.scene import Browser, Scene, text_of

PAYMENTS = (Matcher("project", Operator.EQUAL, "payments"),)


def changes(alerts: Alerts) -> list[tuple[object, ...]]:
    return [call for call in alerts.asked if call[0] != "deliveries"]


async def test_an_alert_is_acknowledged_and_the_browser_sent_back(
    browser: Browser, alerts: Alerts
) -> None:
    id_ = alerts.add(alert_of("one"))
    path = f"/alert?id={id_}"
    token = await browser.token(path, "acknowledgement")
    fields = {"token": token, "author": "Ann", "comment": "a\r\nb"}
    assert (await browser.post(path, fields))[:2] == (303, f"alert?id={id_}")
    assert changes(alerts) == [("acknowledge", id_, "Ann", "a\nb")]
    assert "firing acknowledged" in text_of(await browser.get(path))


async def test_a_silence_is_made_for_the_time_that_was_chosen(
    browser: Browser, alerts: Alerts
) -> None:
    token = await browser.token("/silences", "silencing")
    fields = {
        "token": token,
        "matchers": 'project="payments"\r\n\r\nseverity!=critical\r\n',
        "span": "3d",
        "author": "Ann",
        "comment": "",
    }
    assert (await browser.post("/silences", fields))[:2] == (303, "silences#silence-s1")
    matchers = (*PAYMENTS, Matcher("severity", Operator.NOT_EQUAL, "critical"))
    assert changes(alerts) == [("create_silence", matchers, NOW, NOW + 3 * DAY, "Ann", "")]


async def test_the_form_on_an_alert_silences_that_alert(browser: Browser, alerts: Alerts) -> None:
    id_ = alerts.add(alert_of('quo"te', team="pay"))
    page = await browser.get(f"/alert?id={id_}")
    wanted = 'alertname="GitAuthorizationOverdue"\nproject="payments"\nauthorization="quo\\"te"'
    assert wanted.replace('"', "&#34;") in page


async def test_a_silence_is_ended(browser: Browser, alerts: Alerts) -> None:
    alerts.kept["s1"] = Silence("s1", PAYMENTS, NOW - HOUR, NOW + HOUR, "Ann", "move")
    alerts.kept["s2"] = Silence("s2", PAYMENTS, NOW - HOUR, NOW, "Ann", "over")
    alerts.kept["s3"] = Silence("s3", PAYMENTS, NOW + HOUR, NOW + 2 * HOUR, "Ann", "later")
    page = await browser.get("/silences")
    assert page.index("silence-s1") < page.index("silence-s3") < page.index("silence-s2")
    assert page.count("<details") == 2
    fields = {"token": await browser.token("/silences", "end-s1"), "id": "s1", "author": "Bob"}
    assert (await browser.post("/silences", fields))[:2] == (303, "silences#silence-s1")
    assert changes(alerts) == [("expire_silence", "s1", "Bob")]


async def test_a_dead_delivery_is_replayed_and_no_other(browser: Browser, alerts: Alerts) -> None:
    alerts.owed["d1"] = delivery_of("d1", alert_of("one"), state=DeliveryState.DEAD)
    alerts.owed["d2"] = delivery_of("d2", alert_of("one"))
    assert 'id="replay"' not in await browser.get("/delivery?id=d2")
    fields = {"token": await browser.token("/delivery?id=d1", "replay")}
    assert (await browser.post("/delivery?id=d1", fields))[:2] == (303, "delivery?id=d1")
    assert changes(alerts) == [("replay", "d1")]
    assert "owed" in text_of(await browser.get("/delivery?id=d1"))


async def test_a_hook_that_was_switched_off_is_switched_on(
    browser: Browser, alerts: Alerts
) -> None:
    alerts.standing["chat"] = HookStanding("chat", "dingtalk", "HTTP 410", 3, 7)
    page = await browser.get("/deliveries")
    assert "chat dingtalk 3 7 switched off HTTP 410" in text_of(page)
    (token,) = re.findall(r'name="token" value="(\w+)"', page)
    fields = {"token": token, "name": "chat"}
    assert (await browser.post("/deliveries", fields))[:2] == (303, "deliveries")
    assert changes(alerts) == [("enable_hook", "chat")]
    assert "chat dingtalk 3 7 on" in text_of(await browser.get("/deliveries"))


async def test_each_change_touches_those_who_watch(
    browser: Browser, scene: Scene, alerts: Alerts
) -> None:
    id_ = alerts.add(alert_of("one"))
    before = scene.feed.version(["alerts"])
    token = await browser.token(f"/alert?id={id_}", "acknowledgement")
    await browser.post(f"/alert?id={id_}", {"token": token, "author": "Ann"})
    assert scene.feed.version(["alerts"]) != before


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"matchers": ""}, "a silence needs a matcher"),
        ({"matchers": "project"}, "matchers[0]: expected one matcher"),
        ({"matchers": "a=~(b+)+"}, "matchers[0]: this regular expression may take for ever"),
        ({"matchers": "\n".join(["a=b"] * 17)}, "matchers: write at most 16"),
        ({"matchers": "a=" + "b" * 1024}, "each of at most 1024 characters"),
        ({"author": " "}, "author: must not be empty"),
        ({"author": "A\u202enn"}, "author: has characters that cannot be printed"),
        ({"comment": "\x00"}, "comment: has characters that cannot be printed"),
        ({"span": "9y"}, "span: must be one of"),
    ],
)
async def test_an_error_is_shown_in_place_with_what_was_typed(
    browser: Browser, alerts: Alerts, changed: dict[str, str], told: str
) -> None:
    fields = {
        "token": await browser.token("/silences", "silencing"),
        "matchers": "project=typed",
        "span": "7d",
        "author": "Ann <typed>",
        "comment": "typed </textarea>",
    }
    status, _, page = await browser.post("/silences", {**fields, **changed})
    assert (status, alerts.kept) == (400, {})
    assert told in text_of(page)
    assert 'aria-describedby="silence-example error"' in page
    for name in {"matchers", "author", "comment"} - changed.keys():
        assert fields[name].replace("<", "&lt;").replace(">", "&gt;") in page
    if "span" not in changed:
        assert '<option value="7d" selected>' in page
    assert '<body data-events="">' in page, "what was typed must not be fetched away"


async def test_the_same_page_shows_what_the_office_refuses(
    browser: Browser, alerts: Alerts
) -> None:
    id_ = alerts.add(alert_of("one"))
    token = await browser.token(f"/alert?id={id_}", "acknowledgement")
    fields = {"token": token, "author": "Ann", "comment": "on it"}
    for fault, status in [(UnavailableError("no disk"), 503), (ValueError("not firing"), 400)]:
        alerts.fault = fault
        got, _, page = await browser.post(f"/alert?id={id_}", fields)
        assert got == status
        assert f"Not done: {fault}" in text_of(page)
        assert "on it" in page


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_our_token_does_nothing(
    browser: Browser, alerts: Alerts, token: str
) -> None:
    id_ = alerts.add(alert_of("one"))
    alerts.owed["d1"] = delivery_of("d1", alert_of("one"), state=DeliveryState.DEAD)
    alerts.kept["s1"] = Silence("s1", PAYMENTS, NOW - HOUR, NOW + HOUR, "Ann", "move")
    fields = {"token": token, "author": "Ann", "comment": "kept text"}
    silence = {**fields, "matchers": "project=a", "span": "1h"}
    for path, sent in [
        (f"/alert?id={id_}", fields),
        ("/silences", silence),
        ("/silences", {**fields, "id": "s1"}),
        ("/delivery?id=d1", fields),
        ("/deliveries", {**fields, "name": "chat"}),
    ]:
        status, _, page = await browser.post(path, sent)
        assert status == 403
        assert "This form was made before the daemon started anew" in text_of(page)
    assert changes(alerts) == []


async def test_a_token_is_good_for_one_kind_of_form(browser: Browser, alerts: Alerts) -> None:
    id_ = alerts.add(alert_of("one"))
    token = await browser.token("/silences", "silencing")
    status, _, _ = await browser.post(f"/alert?id={id_}", {"token": token, "author": "Ann"})
    assert (status, changes(alerts)) == (403, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Host": "rebound.example"},
    ],
)
async def test_a_form_from_elsewhere_is_refused_even_with_a_token(
    browser: Browser, alerts: Alerts, headers: dict[str, str]
) -> None:
    id_ = alerts.add(alert_of("one"))
    token = await browser.token(f"/alert?id={id_}", "acknowledgement")
    fields = {"token": token, "author": "Ann", "comment": "kept text"}
    status, _, page = await browser.post(f"/alert?id={id_}", fields, **headers)
    assert (status, changes(alerts)) == (403, [])
    assert "kept text" in page


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"--x--", "multipart/form-data; boundary=x", 415),
        (b"\xff=\xfe", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=b"] * 33), "application/x-www-form-urlencoded", 400),
        (b"a=" + b"b" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_is_refused_on_a_page(
    browser: Browser, alerts: Alerts, body: bytes, content_type: str, status: int
) -> None:
    headers = {"Content-Type": content_type}
    for path in ("/silences", "/alert?id=x", "/delivery?id=x"):
        async with browser.session.post(path, data=body, headers=headers) as response:
            assert response.status == status
            assert "This cannot be shown" in await response.text()
    assert changes(alerts) == []


async def test_there_is_nothing_to_acknowledge_about_what_does_not_fire(
    browser: Browser, alerts: Alerts
) -> None:
    for state in (AlertState.PENDING, AlertState.RESOLVED):
        id_ = alerts.add(alert_of("one", state=state))
        page = await browser.get(f"/alert?id={id_}")
        assert "acknowledgement" not in page
    assert "Resolved 2026-06-01 12:00:00 UTC (now) : the finding is gone" in text_of(page)
