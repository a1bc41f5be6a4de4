from __future__ import annotations

import asyncio

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.pagerduty import PagerDutyHook, PagerDutyOptions
from auditd.hooks.port import (
    Hook,
    HttpAnswer,
    HttpRequest,
    RefusedError,
    RetryLaterError,
    Surroundings,
)
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service, ignore, run_nothing, sign
from tests.unit.hooks.kinds.samples import AT, HOSTILE, Text, firing, message, resolved

KEY = "0123456789abcdef0123456789abcdef"


def hook(service: Service, surroundings: Surroundings, *, language: Language = Language.EN) -> Hook:
    url = f"{service.origin}/v2/enqueue"
    options = PagerDutyOptions(routing_key=Text(KEY), url=url, language=language)
    return PagerDutyHook("pager", options, surroundings)


def accept(service: Service) -> None:
    service.answer_json(202, status="success", message="Event processed", dedup_key="x")


async def test_a_firing_alert_triggers(service: Service, surroundings: Surroundings) -> None:
    accept(service)
    alert = firing()
    await hook(service, surroundings).send(message(alert))
    (received,) = service.received
    assert received.path == "/v2/enqueue"
    assert received.json == {
        "routing_key": KEY,
        "event_action": "trigger",
        "dedup_key": alert.fingerprint,
        "client": "servicestage-auditd",
        "client_url": "https://auditd.example",
        "links": [
            {
                "href": "https://console.example/ss?agencyId=1&region=cn-north-4",
                "text": "Console",
            },
            {
                "href": "https://docs.example/alerts#GitAuthorizationOverdue",
                "text": "Runbook",
            },
        ],
        "payload": {
            "summary": "github authorization gh-main is overdue",
            "source": "payments",
            "severity": "critical",
            "timestamp": "2026-06-01T09:00:00+00:00",
            "component": "gh-main",
            "group": "payments",
            "class": "GitAuthorizationOverdue",
            "custom_details": {
                "labels": dict(alert.labels),
                "annotations": dict(alert.annotations),
            },
        },
    }


async def test_a_resolved_alert_resolves_the_same_incident(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    pager = hook(service, surroundings)
    await pager.send(message(firing("gh-main")))
    await pager.send(message(resolved("gh-main"), id_="msg_2"))
    opened, closed = (received.json for received in service.received)
    assert closed == {
        "routing_key": KEY,
        "event_action": "resolve",
        "dedup_key": opened["dedup_key"],
    }


async def test_links_have_chinese_names_when_asked(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    await hook(service, surroundings, language=Language.ZH).send(message())
    texts = [link["text"] for link in service.received[0].json["links"]]
    assert texts == ["控制台", "处理手册"]


async def test_a_summary_has_at_most_1024_characters(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    await hook(service, surroundings).send(message(firing(HOSTILE, summary="说" * 2000)))
    assert service.received[0].json["payload"]["summary"] == "说" * 1024


async def test_every_alert_is_an_event_and_none_is_cut_off(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    pager = hook(service, surroundings)
    await pager.send(message(*(firing(f"gh-{number}") for number in range(30))))
    assert pager.limit is None
    assert len({received.json["dedup_key"] for received in service.received}) == 30
    names = [received.json["payload"]["component"] for received in service.received]
    assert names == [f"gh-{number}" for number in range(30)]


async def test_a_retry_sends_only_what_has_not_arrived(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    accept(service)
    service.answer(429, "throttled", Retry_After="60")
    accept(service)
    pager = hook(service, surroundings)
    told = message(*(firing(name) for name in "abcd"))
    with pytest.raises(RetryLaterError) as caught:
        await pager.send(told)
    assert caught.value.reason is SendFailure.THROTTLED
    assert caught.value.retry_after_seconds == 60
    await pager.send(told)
    names = [received.json["payload"]["component"] for received in service.received]
    assert names == ["a", "b", "c", "c", "d"]


async def test_one_refused_alert_keeps_no_other_from_being_told_of(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(400, status="invalid event", errors=[f"bad routing_key {KEY}"])
    accept(service)
    pager = hook(service, surroundings)
    told = message(*(firing(name) for name in "abc"))
    with pytest.raises(RefusedError) as caught:
        await pager.send(told)
    assert "invalid event" in str(caught.value)
    assert KEY not in str(caught.value)
    names = [received.json["payload"]["component"] for received in service.received]
    assert names == ["a", "b", "c"]
    await pager.send(told)
    assert len(service.received) == 4


@pytest.mark.parametrize(("status", "text"), [(500, "oops"), (200, "<html>Log in</html>")])
async def test_trouble_and_strangers_are_tried_again(
    service: Service, surroundings: Surroundings, status: int, text: str
) -> None:
    service.answer(status, text)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER


@pytest.mark.looptime
async def test_a_large_group_is_not_sent_for_longer_than_a_minute() -> None:
    sent = []

    class SlowHttp:
        async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
            await asyncio.sleep(7)
            sent.append(request)
            return HttpAnswer(202, {}, b"")

    surroundings = Surroundings(
        http=SlowHttp(), now=lambda: AT, run_process=run_nothing, sign=sign, emit=ignore
    )
    pager = PagerDutyHook("pager", PagerDutyOptions(routing_key=Text(KEY)), surroundings)
    told = message(*(firing(name) for name in "abcdefghijkl"))
    with pytest.raises(RetryLaterError, match="8 of 12 events arrived in time"):
        await pager.send(told)
    await pager.send(told)
    assert len(sent) == 12


@pytest.mark.parametrize(
    "url", ["events.pagerduty.com", "ftp://x.example/", "https://", "https://user@x/", "http://[/"]
)
def test_options_refuse_what_is_no_web_address(url: str) -> None:
    with pytest.raises(ValueError, match="url must be an address"):
        PagerDutyOptions(routing_key=Text(KEY), url=url)
