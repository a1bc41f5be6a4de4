from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import standardwebhooks
from aiohttp import web

from auditd.alerting.events import SendFailure
from auditd.audit.plugin import Secret
from auditd.hooks.http import HttpClient
from auditd.hooks.kinds.webhook import PLUGIN, WebhookHook, WebhookOptions
from auditd.hooks.payload import Payload
from auditd.hooks.port import Hook, RefusedError, RetryLaterError, SwitchedOffError
from tests.unit.hooks.conftest import Receiver
from tests.unit.hooks.fakes import START, Text, Unreadable, message, surroundings_of

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def _hook(http: HttpClient, receiver: Receiver, **options: Any) -> Hook:
    url = options.pop("url", Text(f"{receiver.url}/T0/very-secret-token"))
    return WebhookHook("ops", WebhookOptions(url=url, **options), surroundings_of(http))


async def test_it_posts_a_signed_message_that_is_identified(
    http: HttpClient, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = _hook(http, receiver, secret=(Text(SECRET),), headers={"X-Team": "pay"})
    await hook.send(message())
    (request,) = receiver.requests
    assert request.path == "/T0/very-secret-token"
    assert request.headers["webhook-id"] == "msg_1"
    assert request.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-team"] == "pay"
    verifier = standardwebhooks.Webhook(SECRET)
    signed = verifier.sign("msg_1", START, request.body.decode())
    assert request.headers["webhook-signature"] == signed


async def test_every_attempt_has_the_same_id_and_body(http: HttpClient, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=503)]
    hook = _hook(http, receiver)
    with pytest.raises(RetryLaterError):
        await hook.send(message(attempt=1))
    await hook.send(message(attempt=2))
    first, second = receiver.requests
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


@pytest.mark.parametrize("payload", Payload)
async def test_it_sends_the_configured_payload(
    http: HttpClient, receiver: Receiver, payload: Payload
) -> None:
    await _hook(http, receiver, payload=payload).send(message())
    (request,) = receiver.requests
    assert request.headers["content-type"] == payload.content_type
    assert json.loads(request.body)


async def test_410_switches_it_off(http: HttpClient, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=410)]
    with pytest.raises(SwitchedOffError) as caught:
        await _hook(http, receiver).send(message())
    assert caught.value.reason is SendFailure.GONE


async def test_429_is_tried_again_when_the_receiver_says(
    http: HttpClient, receiver: Receiver
) -> None:
    receiver.answers = [web.Response(status=429, headers={"Retry-After": "30"})]
    with pytest.raises(RetryLaterError) as caught:
        await _hook(http, receiver).send(message())
    assert caught.value.retry_after_seconds == 30.0


async def test_400_is_refused_and_no_secret_is_told(http: HttpClient, receiver: Receiver) -> None:
    receiver.answers = [web.Response(status=400, text="bad: very-secret-token Bearer abcdefgh")]
    hook = _hook(http, receiver, authorization=Text("Bearer abcdefgh"))
    with pytest.raises(RefusedError) as caught:
        await hook.send(message())
    assert receiver.requests[0].headers["authorization"] == "Bearer abcdefgh"
    assert "very-secret-token" not in str(caught.value)
    assert "abcdefgh" not in str(caught.value)


async def test_secrets_are_read_again_for_each_message(
    http: HttpClient, receiver: Receiver
) -> None:
    url = Text(f"{receiver.url}/old")
    hook = _hook(http, receiver, url=url)
    await hook.send(message())
    url.value = f"{receiver.url}/new"
    await hook.send(message())
    assert [request.path for request in receiver.requests] == ["/old", "/new"]


@pytest.mark.parametrize("secret", ["", "whsec_***"])
async def test_a_secret_that_was_spoilt_later_is_waited_for(
    http: HttpClient, receiver: Receiver, secret: str
) -> None:
    text = Text(SECRET)
    hook = _hook(http, receiver, secret=(text,))
    text.value = secret
    with pytest.raises(RetryLaterError) as caught:
        await hook.send(message())
    assert caught.value.reason is SendFailure.FAILED
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": Text("ftp://h")}, "url must be an address"),
        ({"url": Text("https://")}, "url must be an address"),
        ({"url": Text("https://h:99999/")}, "url must be an address"),
        ({"url": Text("https://h /")}, "url must be an address"),
        ({"url": Unreadable()}, "url cannot be read"),
        ({"secret": (Text("whsec_***"),)}, "base64"),
        ({"headers": {"Webhook-Id": "1"}}, "headers cannot have Webhook-Id"),
        ({"headers": {"Authorization": "x"}}, "headers cannot have Authorization"),
        ({"max_alerts": 0}, "at least 1"),
        ({"messages_per_minute": 0}, "at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Any], said: str) -> None:
    url: Secret = Text("https://h.example/")
    with pytest.raises(ValueError, match=said):
        WebhookOptions(**{"url": url, **options})


def test_its_kind_and_limits_are_what_is_configured(http: HttpClient, receiver: Receiver) -> None:
    hook = _hook(http, receiver, max_alerts=7, messages_per_minute=3)
    assert (hook.name, hook.kind, hook.limit, hook.messages_per_minute) == ("ops", "webhook", 7, 3)
    assert PLUGIN.name == hook.kind
