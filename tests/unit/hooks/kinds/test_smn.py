from __future__ import annotations

from dataclasses import replace

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.smn import SmnHook, SmnOptions
from auditd.hooks.port import (
    Hook,
    HttpAnswer,
    HttpRequest,
    RefusedError,
    RetryLaterError,
    Surroundings,
)
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import Service
from tests.unit.hooks.kinds.samples import HOSTILE, firing, message, resolved

PROJECT_ID = "0123456789abcdef0123456789abcdef"
TOPIC = f"urn:smn:cn-north-4:{PROJECT_ID}:alerts"


def hook(
    service: Service,
    surroundings: Surroundings,
    *,
    language: Language = Language.EN,
    title: str | None = None,
) -> Hook:
    options = SmnOptions(
        topic_urn=TOPIC,
        credential="prod",
        endpoint=f"{service.origin}/",
        language=language,
        title=title,
    )
    return SmnHook("sms", options, surroundings)


def accept(service: Service) -> None:
    service.answer_json(message_id="bf94b63a5dfb475994d3ac34664e24f2", request_id="9974c07f")


async def test_a_message_is_published_signed_for_the_project_of_the_topic(
    service: Service, surroundings: Surroundings
) -> None:
    accept(service)
    await hook(service, surroundings).send(message(firing(), resolved(), truncated=4))
    (received,) = service.received
    topic = TOPIC.replace(":", "%3A")
    assert received.path == f"/v2/{PROJECT_ID}/notifications/topics/{topic}/publish"
    assert received.headers["Authorization"] == f"prod {PROJECT_ID} cn-north-4"
    assert received.json == {
        "subject": "[FIRING:5] GitAuthorizationOverdue in payments",
        "message": (
            "[CRITICAL] github authorization gh-main is overdue\n"
            "Project: payments, authorization: gh-main\n"
            "Since 2026-06-01T09:00:00Z, for 3h\n"
            "Console: https://console.example/ss?agencyId=1&region=cn-north-4\n"
            "Runbook: https://docs.example/alerts#GitAuthorizationOverdue\n"
            "\n"
            "[RESOLVED] github authorization gh-side is overdue\n"
            "Project: payments, authorization: gh-side\n"
            "Stood since 2026-06-01T09:00:00Z, for 3h; why it ended: cleared\n"
            "Runbook: https://docs.example/alerts#GitAuthorizationOverdue\n"
            "\n"
            "and 4 more, see all: https://auditd.example"
        ),
    }


async def test_a_topic_is_published_to_in_its_own_region(surroundings: Surroundings) -> None:
    urls = []

    class NotingHttp:
        async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
            urls.append(request.url)
            return HttpAnswer(200, {}, b'{"message_id": "1"}')

    options = SmnOptions(topic_urn=TOPIC, credential="prod")
    await SmnHook("sms", options, replace(surroundings, http=NotingHttp())).send(message())
    assert urls[0].startswith(f"https://smn.cn-north-4.myhuaweicloud.com/v2/{PROJECT_ID}/")


async def test_it_speaks_chinese(service: Service, surroundings: Surroundings) -> None:
    accept(service)
    await hook(service, surroundings, language=Language.ZH).send(message())
    said = service.received[0].json
    assert said["subject"] == "[告警:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese
    assert "控制台: https://console.example/" in said["message"]


async def test_limits_hold_whatever_is_told(service: Service, surroundings: Surroundings) -> None:
    accept(service)
    annotations = dict.fromkeys(("description", "exception", "flapping"), "说" * 600)
    alerts = [firing(f"{HOSTILE}-{number}", **annotations) for number in range(100)]
    await hook(service, surroundings, title="说" * 300).send(message(*alerts))
    said = service.received[0].json
    assert said["subject"] == "说" * 170
    assert 250_000 < len(said["message"].encode()) <= 256 * 1024
    shown = said["message"].count("[CRITICAL]")
    assert said["message"].endswith(f"and {100 - shown} more, see all: https://auditd.example")
    assert "\r" not in said["message"]


@pytest.mark.parametrize(
    ("status", "code"), [(400, "SMN.0012"), (401, "APIGW.0301"), (403, "SMN.0011"), (404, "x")]
)
async def test_what_the_service_refuses_is_refused(
    service: Service, surroundings: Surroundings, status: int, code: str
) -> None:
    service.answer_json(status, request_id="9974c07f", code=code, message="no")
    with pytest.raises(RefusedError) as caught:
        await hook(service, surroundings).send(message())
    assert code in str(caught.value)
    assert "9974c07f" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (429, "{}", SendFailure.THROTTLED),
        (500, "{}", SendFailure.SERVER),
        (200, "<html>Log in</html>", SendFailure.SERVER),
        (200, '{"request_id": "1"}', SendFailure.SERVER),
    ],
)
async def test_what_may_pass_is_tried_again(
    service: Service, surroundings: Surroundings, status: int, text: str, reason: SendFailure
) -> None:
    service.answer(status, text)
    with pytest.raises(RetryLaterError) as caught:
        await hook(service, surroundings).send(message())
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "topic_urn", ["alerts", f"{TOPIC}:more", f"urn:smn:cn north:{PROJECT_ID}:a", f"{TOPIC}/../x"]
)
def test_options_refuse_what_is_no_topic(topic_urn: str) -> None:
    with pytest.raises(ValueError, match="topic_urn must look like"):
        SmnOptions(topic_urn=topic_urn, credential="prod")


def test_options_refuse_what_is_no_endpoint() -> None:
    with pytest.raises(ValueError, match="endpoint must be an address"):
        SmnOptions(topic_urn=TOPIC, credential="prod", endpoint="smn.example")
