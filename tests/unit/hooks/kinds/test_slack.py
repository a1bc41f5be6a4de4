from __future__ import annotations

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.slack import SlackHook, SlackOptions
from auditd.hooks.port import Hook, RefusedError, RetryLaterError, Surroundings, SwitchedOffError
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service
from tests.unit.hooks.kinds.samples import HOSTILE, Text, Unreadable, firing, message, resolved


def hook(
    service: Service,
    surroundings: Surroundings,
    *,
    language: Language = Language.EN,
    title: str | None = None,
) -> Hook:
    options = SlackOptions(url=Text(service.url), language=language, title=title)
    return SlackHook("ops", options, surroundings)


async def test_a_message_has_a_header_and_a_section_for_each_alert(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer(text="ok")
    await hook(service, surroundings).send(message(firing(), resolved(), truncated=7))
    (received,) = service.received
    assert received.path == "/hook/a-secret-token?key=another-secret"
    assert received.json == {
        "text": "[FIRING:8] GitAuthorizationOverdue in payments",
        "blocks": [
            {
                "type": "header",
                "text": {
                    "type": "plain_text",
                    "text": "[FIRING:8] GitAuthorizationOverdue in payments",
                },
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "verbatim": True,
                    "text": (
                        "[CRITICAL] github authorization gh-main is overdue\n"
                        "Project: payments, authorization: gh-main\n"
                        "Since 2026-06-01T09:00:00Z, for 3h\n"
                        "<https://console.example/ss?agencyId=1&amp;region=cn-north-4|Console>\n"
                        "<https://docs.example/alerts#GitAuthorizationOverdue|Runbook>"
                    ),
                },
            },
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "verbatim": True,
                    "text": (
                        "[RESOLVED] github authorization gh-side is overdue\n"
                        "Project: payments, authorization: gh-side\n"
                        "Stood since 2026-06-01T09:00:00Z, for 3h; why it ended: cleared\n"
                        "<https://docs.example/alerts#GitAuthorizationOverdue|Runbook>"
                    ),
                },
            },
            {
                "type": "context",
                "elements": [
                    {
                        "type": "mrkdwn",
                        "verbatim": True,
                        "text": "and 7 more, <https://auditd.example|see all>",
                    }
                ],
            },
        ],
    }


async def test_it_speaks_chinese(service: Service, surroundings: Surroundings) -> None:
    service.answer(text="ok")
    await hook(service, surroundings, language=Language.ZH).send(message(firing()))
    assert service.received[0].json["text"] == "[告警:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese


async def test_foreign_text_mentions_nobody_and_makes_no_link(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer(text="ok")
    await hook(service, surroundings).send(message(firing(HOSTILE, console_url=HOSTILE)))
    text = service.received[0].json["blocks"][1]["text"]["text"]
    assert "&lt;!channel&gt; &amp; &lt;@all&gt;" in text
    assert "<!" not in text
    assert "<@" not in text
    assert text.count("<") == 1  # the runbook's link


async def test_limits_hold_whatever_is_told(service: Service, surroundings: Surroundings) -> None:
    service.answer(text="ok")
    alerts = [firing("&" * 3000 + str(number), description="<" * 3000) for number in range(20)]
    await hook(service, surroundings, title="t" * 400).send(message(*alerts, truncated=1))
    blocks = service.received[0].json["blocks"]
    assert len(service.received[0].body) <= 40_000
    assert len(blocks) == 2 + 15
    assert blocks[-1]["elements"][0]["text"].startswith("and 6 more, ")
    assert len(blocks[0]["text"]["text"]) == 150
    for block in blocks[1:-1]:
        assert block["text"]["text"].startswith("[CRITICAL]")
        assert len(block["text"]["text"]) <= 3000
        assert block["text"]["text"].count("&") == block["text"]["text"].count(";")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "invalid_payload"),
        (403, "action_prohibited"),
        (404, "no_service"),
        (302, ""),
    ],
)
async def test_what_slack_refuses_is_refused(
    service: Service, surroundings: Surroundings, status: int, said: str
) -> None:
    service.answer(status, said)
    with pytest.raises(RefusedError) as caught:
        await hook(service, surroundings).send(message())
    assert said in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_an_archived_channel_switches_the_hook_off(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer(410, "channel_is_archived")
    with pytest.raises(SwitchedOffError):
        await hook(service, surroundings).send(message())


async def test_too_many_messages_wait_for_as_long_as_slack_asks(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer(429, "rate_limited", Retry_After="30")
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.THROTTLED
    assert caught.value.retry_after_seconds == 30


@pytest.mark.parametrize(("status", "said"), [(500, "rollup_error"), (200, "<html>Log in</html>")])
async def test_trouble_and_strangers_are_tried_again(
    service: Service, surroundings: Surroundings, status: int, said: str
) -> None:
    service.answer(status, said)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER


def test_options_refuse_what_is_no_web_address_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="url must be an address") as caught:
        SlackOptions(url=Text("ftp://secret.example"))
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="url cannot be read"):
        SlackOptions(url=Unreadable())
    with pytest.raises(ValueError, match="messages_per_minute must be at least 1"):
        SlackOptions(url=Text("https://hooks.slack.example/x"), messages_per_minute=0)


def test_a_bad_template_is_refused_when_the_hook_is_built(
    service: Service, surroundings: Surroundings
) -> None:
    with pytest.raises(ValueError, match="title is not a valid Jinja2 template"):
        hook(service, surroundings, title="{{")
