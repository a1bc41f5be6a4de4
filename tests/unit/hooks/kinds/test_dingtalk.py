from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.dingtalk import DingTalkHook, DingTalkOptions
from auditd.hooks.port import Hook, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service
from tests.unit.hooks.kinds.samples import AT, HOSTILE, Text, firing, message, resolved


def hook(
    service: Service,
    surroundings: Surroundings,
    *,
    url: str | None = None,
    language: Language = Language.EN,
    secret: str | None = None,
) -> Hook:
    options = DingTalkOptions(
        url=Text(url or service.url), language=language, secret=Text(secret) if secret else None
    )
    return DingTalkHook("ops", options, surroundings)


async def test_a_message_is_markdown(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    await hook(service, surroundings).send(message(firing(), resolved(), truncated=1))
    assert service.received[0].json == {
        "msgtype": "markdown",
        "markdown": {
            "title": "[FIRING:2] GitAuthorizationOverdue in payments",
            "text": (
                "### [FIRING:2] GitAuthorizationOverdue in payments\n\n"
                "[CRITICAL] github authorization gh-main is overdue  \n"
                "Project: payments, authorization: gh-main  \n"
                "Since 2026-06-01T09:00:00Z, for 3h  \n"
                "[Console](https://console.example/ss?agencyId=1&region=cn-north-4)  \n"
                "[Runbook](https://docs.example/alerts#GitAuthorizationOverdue)\n"
                "\n---\n\n"
                "[RESOLVED] github authorization gh-side is overdue  \n"
                "Project: payments, authorization: gh-side  \n"
                "Stood since 2026-06-01T09:00:00Z, for 3h; why it ended: cleared  \n"
                "[Runbook](https://docs.example/alerts#GitAuthorizationOverdue)\n"
                "\n---\n\n"
                "and 1 more, [see all](https://auditd.example)"
            ),
        },
    }


async def test_it_speaks_chinese(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    await hook(service, surroundings, language=Language.ZH).send(message())
    markdown = service.received[0].json["markdown"]
    assert markdown["title"] == "[告警:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese
    assert "[控制台](https://console.example/" in markdown["text"]


@pytest.mark.parametrize("query", ["?access_token=t0ken-t0ken", ""])
async def test_the_signature_is_what_dingtalk_computes(
    service: Service, surroundings: Surroundings, query: str
) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    url = f"{service.origin}/robot/send{query}"
    # With this key the signature has a plus and a slash, which a query must not have as they are.
    await hook(service, surroundings, url=url, secret="SEC-1").send(message())
    (received,) = service.received
    timestamp = str(int(AT.timestamp() * 1000))
    digest = hmac.new(b"SEC-1", f"{timestamp}\nSEC-1".encode(), hashlib.sha256).digest()
    assert received.query["timestamp"] == timestamp
    assert received.query["sign"] == base64.b64encode(digest).decode()
    assert received.query.get("access_token") == ("t0ken-t0ken" if query else None)


async def test_foreign_text_is_inert(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    alert = firing(HOSTILE, runbook_url="https://docs.example/a(b)c")
    await hook(service, surroundings).send(message(alert))
    text = service.received[0].json["markdown"]["text"]
    assert "＜b＞＊x＊＜/b＞" in text  # noqa: RUF001 # the point
    assert "［a］(http://evil.example)" in text  # noqa: RUF001 # the point
    assert "[Runbook](https://docs.example/a%28b%29c)" in text
    assert text.count("](") == 2  # console and runbook
    assert not set("<>`*") & set(text)


async def test_a_text_is_cut_to_20000_bytes_by_whole_alerts(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    alerts = [firing(f"gh-{number}", description="说" * 490) for number in range(50)]
    await hook(service, surroundings).send(message(*alerts))
    text = service.received[0].json["markdown"]["text"]
    assert 15_000 < len(text.encode()) <= 20_000
    shown = text.count("[CRITICAL]")
    assert text.endswith(f"and {50 - shown} more, [see all](https://auditd.example)")


@pytest.mark.parametrize("code", [130101, 410100])
async def test_after_too_many_messages_it_rests_for_ten_minutes(
    service: Service, surroundings: Surroundings, code: int
) -> None:
    service.answer_json(errcode=code, errmsg="send too fast, exceed 20 times per minute")
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.THROTTLED
    assert caught.value.retry_after_seconds == 600
    assert "send too fast" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "said", "advice"),
    [
        (310000, "sign not match", "signature key"),
        (310000, "keywords not in content", "key word"),
        (300001, "token is not exist", "copy its url"),
        (400102, "robot stopped", "start it"),
        (40035, "missing parameter", "check the robot's settings"),
    ],
)
async def test_a_failure_inside_an_answer_is_refused_and_says_what_to_do(
    service: Service, surroundings: Surroundings, code: int, said: str, advice: str
) -> None:
    service.answer_json(errcode=code, errmsg=said)
    with pytest.raises(RefusedError) as caught:
        await hook(service, surroundings).send(message())
    assert f"errcode {code}: {said}; " in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "text", ['{"errcode": -1, "errmsg": "busy"}', "<html>", '{"status": 1111, "punish": "deny"}']
)
async def test_trouble_and_strangers_are_tried_again(
    service: Service, surroundings: Surroundings, text: str
) -> None:
    service.answer(200, text)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER


def test_it_sends_no_more_than_the_service_takes(
    service: Service, surroundings: Surroundings
) -> None:
    assert hook(service, surroundings).messages_per_minute == 20
