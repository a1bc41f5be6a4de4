from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.feishu import FeishuHook, FeishuOptions
from auditd.hooks.port import Hook, HookError, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service
from tests.unit.hooks.kinds.samples import (
    AT,
    HOSTILE,
    Text,
    Unreadable,
    firing,
    message,
    resolved,
)


def hook(
    service: Service,
    surroundings: Surroundings,
    *,
    language: Language = Language.EN,
    secret: Text | Unreadable | None = None,
) -> Hook:
    options = FeishuOptions(url=Text(service.url), language=language, secret=secret)
    return FeishuHook("ops", options, surroundings)


async def test_a_message_is_a_card(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(code=0, msg="success", data={}, StatusCode=0)
    await hook(service, surroundings).send(message(firing(), truncated=2))
    (received,) = service.received
    assert received.headers["Content-Type"] == "application/json; charset=utf-8"
    assert received.json == {
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": True},
            "header": {
                "template": "red",
                "title": {
                    "tag": "plain_text",
                    "content": "[FIRING:3] GitAuthorizationOverdue in payments",
                },
            },
            "elements": [
                {
                    "tag": "div",
                    "text": {
                        "tag": "lark_md",
                        "content": (
                            "[CRITICAL] github authorization gh&#45;main is overdue\n"
                            "Project: payments, authorization: gh&#45;main\n"
                            "Since 2026&#45;06&#45;01T09&#58;00&#58;00Z, for 3h\n"
                            "[Console](https://console.example/ss?agencyId=1&region=cn-north-4)\n"
                            "[Runbook](https://docs.example/alerts#GitAuthorizationOverdue)\n"
                            "\n"
                            "and 2 more, [see all](https://auditd.example)"
                        ),
                    },
                }
            ],
        },
    }


async def test_good_news_is_green_and_chinese_when_asked(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(code=0)
    await hook(service, surroundings, language=Language.ZH).send(message(resolved()))
    card = service.received[0].json["card"]
    assert card["header"]["template"] == "green"
    assert card["header"]["title"]["content"] == "[恢复:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese
    assert "[已恢复] Git 授权已过期" in card["elements"][0]["text"]["content"]


async def test_the_signature_is_what_feishu_computes(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(code=0)
    await hook(service, surroundings, secret=Text("feishu-key")).send(message())
    said = service.received[0].json
    assert said["timestamp"] == str(int(AT.timestamp()))
    key = f"{said['timestamp']}\nfeishu-key".encode()
    expected = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    assert said["sign"] == expected


async def test_foreign_text_is_inert(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(code=0)
    await hook(service, surroundings).send(message(firing(HOSTILE, console_url="javascript:x(1)")))
    text = service.received[0].json["card"]["elements"][0]["text"]["content"]
    assert "<" not in text
    assert "&#60;at id&#61;all&#62;" in text
    assert text.count("](") == 1  # the runbook's link
    assert "Console: javascript&#58;x&#40;1&#41;" in text


async def test_a_request_is_cut_to_20_kb_by_whole_alerts(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(code=0)
    alerts = [firing(f"gh-{number}", description="说" * 490) for number in range(50)]
    await hook(service, surroundings, secret=Text("key")).send(message(*alerts, truncated=5))
    (received,) = service.received
    assert 18_000 < len(received.body) <= 20_000
    text = received.json["card"]["elements"][0]["text"]["content"]
    shown = text.count("[CRITICAL]")
    assert text.endswith(f"and {55 - shown} more, [see all](https://auditd.example)")
    assert text.count("说" * 490) == shown


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("code", [11232, 99991400])
async def test_too_many_messages_wait(
    service: Service, surroundings: Surroundings, code: int, status: int
) -> None:
    service.answer_json(status, code=code, msg="frequency limited")
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.THROTTLED
    assert caught.value.retry_after_seconds == 60


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (200, 19021, "signature key"),
        (200, 19022, "allow list"),
        (200, 19024, "key word"),
        (200, 19001, "copy it from"),
        (200, 424242, "check the robot's settings"),
        (400, 9499, "check the hook's url"),
    ],
)
async def test_a_failure_inside_an_answer_is_refused_and_says_what_to_do(
    service: Service, surroundings: Surroundings, status: int, code: int, advice: str
) -> None:
    service.answer_json(status, code=code, msg=f"no: {service.url}")
    with pytest.raises(RefusedError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.REFUSED
    assert str(code) in str(caught.value)
    assert advice in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<html>Log in</html>"),
        (200, ""),
        (200, "[0]"),
        (200, '{"code": true}'),
        (200, '{"code": "0"}'),
        (200, "[" * 60_000),
        (200, '{"code": 1500, "msg": "internal error"}'),
        (503, ""),
    ],
)
async def test_trouble_and_strangers_are_tried_again(
    service: Service, surroundings: Surroundings, status: int, text: str
) -> None:
    service.answer(status, text)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER


async def test_a_key_that_cannot_be_read_sends_nothing(
    service: Service, surroundings: Surroundings
) -> None:
    with pytest.raises(HookError) as caught:
        await hook(service, surroundings, secret=Unreadable()).send(message())
    assert caught.value.reason is SendFailure.FAILED
    assert service.received == []
