from __future__ import annotations

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.wecom import WeComHook, WeComOptions
from auditd.hooks.port import Hook, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service
from tests.unit.hooks.kinds.samples import HOSTILE, Text, firing, message


def hook(service: Service, surroundings: Surroundings, *, language: Language = Language.EN) -> Hook:
    options = WeComOptions(url=Text(service.url), language=language)
    return WeComHook("ops", options, surroundings)


async def test_a_message_is_markdown_without_escapes_of_json(
    service: Service, surroundings: Surroundings
) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    await hook(service, surroundings, language=Language.ZH).send(message(firing(), truncated=3))
    (received,) = service.received
    assert received.json == {
        "msgtype": "markdown",
        "markdown": {
            "content": (
                "### [告警:4] Git 授权已过期，项目 payments\n\n"  # noqa: RUF001 # Chinese
                "[严重] Git 授权已过期\n"
                "摘要：github authorization gh-main is overdue\n"  # noqa: RUF001 # Chinese
                "项目：payments，授权：gh-main\n"  # noqa: RUF001 # Chinese
                "始于 2026-06-01T09:00:00Z，已持续 3h\n"  # noqa: RUF001 # Chinese
                "[控制台](https://console.example/ss?agencyId=1&region=cn-north-4)\n"
                "[处理手册](https://docs.example/alerts#GitAuthorizationOverdue)\n"
                "\n"
                "另有 3 条，[查看全部](https://auditd.example)"  # noqa: RUF001 # Chinese
            )
        },
    }
    assert b"\\u" not in received.body


async def test_it_speaks_english(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    await hook(service, surroundings).send(message())
    content = service.received[0].json["markdown"]["content"]
    assert content.startswith("### [FIRING:1] GitAuthorizationOverdue in payments\n\n[CRITICAL] ")


async def test_foreign_text_mentions_nobody(service: Service, surroundings: Surroundings) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    await hook(service, surroundings).send(message(firing(HOSTILE)))
    content = service.received[0].json["markdown"]["content"]
    assert "＜@all＞" in content  # noqa: RUF001 # the point
    assert not set("<>`*") & set(content)


@pytest.mark.parametrize("count", [1, 3, 20])
async def test_a_text_is_cut_to_4096_bytes_by_whole_alerts(
    service: Service, surroundings: Surroundings, count: int
) -> None:
    service.answer_json(errcode=0, errmsg="ok")
    alerts = [firing(f"gh-{number}", description="说" * 400) for number in range(count)]
    await hook(service, surroundings).send(message(*alerts, truncated=9))
    content = service.received[0].json["markdown"]["content"]
    assert len(content.encode()) <= 4096
    shown = content.count("[CRITICAL]")
    assert shown == content.count("说" * 400) == min(count, 2)
    assert content.endswith(f"and {count + 9 - shown} more, [see all](https://auditd.example)")


@pytest.mark.parametrize("code", [45009, 45033])
async def test_too_many_messages_wait(
    service: Service, surroundings: Surroundings, code: int
) -> None:
    service.answer_json(errcode=code, errmsg="api freq out of limit")
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.THROTTLED
    assert caught.value.retry_after_seconds == 60


@pytest.mark.parametrize(
    ("code", "advice"), [(93000, "copy its url"), (93004, "start it"), (40008, "check the robot")]
)
async def test_a_failure_inside_an_answer_is_refused_and_says_what_to_do(
    service: Service, surroundings: Surroundings, code: int, advice: str
) -> None:
    service.answer_json(errcode=code, errmsg="invalid webhook url")
    with pytest.raises(RefusedError) as caught:
        await hook(service, surroundings).send(message())
    assert advice in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "text"), [(200, '{"errcode": -1}'), (200, "<html>"), (502, "bad gateway")]
)
async def test_trouble_and_strangers_are_tried_again(
    service: Service, surroundings: Surroundings, status: int, text: str
) -> None:
    service.answer(status, text)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER
