"""Whatever there is to tell, a receiver gets no more than it takes, and knows what it misses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditd.alerting.notification import NotifiedAlert
from auditd.hooks.kinds.dingtalk import DingTalkHook, DingTalkOptions
from auditd.hooks.kinds.feishu import FeishuHook, FeishuOptions
from auditd.hooks.kinds.pagerduty import PagerDutyHook, PagerDutyOptions
from auditd.hooks.kinds.slack import SlackHook, SlackOptions
from auditd.hooks.kinds.smn import SmnHook, SmnOptions
from auditd.hooks.kinds.webhook import WebhookHook, WebhookOptions
from auditd.hooks.kinds.wecom import WeComHook, WeComOptions
from auditd.hooks.payload import Payload
from auditd.hooks.port import (
    Hook,
    HookError,
    HttpAnswer,
    HttpRequest,
    Message,
    RefusedError,
    Surroundings,
)
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.conftest import ignore, run_nothing, sign
from tests.unit.hooks.kinds.samples import AT, Text, firing, message, resolved

URL = Text("https://receiver.example/hook")
TOPIC = "urn:smn:cn-north-4:0123456789abcdef0123456789abcdef:alerts"
TEXTS: Mapping[str, dict[str, Any]] = {
    "english": {},
    "chinese": {"language": Language.ZH},
    "title": {"title": "{{ notification.common_labels.project * 9 }}"},
    "text": {"text": "{% for _ in range(30) %}{{ alert.labels.a_label }}{% endfor %}"},
}
_NASTY = '𐍈界é&<>"\\*#[]()`\t\x00\x1b\u2028\u202e a'


class Wire:
    """Takes what is sent. The answer pleases nobody, which does not matter here."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
        assert hook == "ops"
        self.bodies.append(request.body)
        return HttpAnswer(200, {}, b"")


@dataclass(frozen=True)
class Kind:
    """A kind of hook with a limit."""

    build: Callable[[Surroundings, dict[str, Any]], Hook]
    max_bytes: int
    told: Callable[[Any], str]
    """The text that people read, out of the JSON that is sent."""
    most: int
    """Alerts that it is told of at once."""


def _slack_text(sent: Any) -> str:
    header, *blocks = sent["blocks"]
    assert len(blocks) < 50
    assert len(header["text"]["text"]) <= 150
    texts = [(block.get("text") or block["elements"][0])["text"] for block in blocks]
    assert all(0 < len(text) <= 3000 for text in texts)
    return "\n".join(texts)


def _smn_text(sent: Any) -> str:
    assert len(sent["subject"].encode()) <= 512
    return str(sent["message"])


def _wecom_text(sent: Any) -> str:
    assert len(sent["markdown"]["content"].encode()) <= 4096
    return str(sent["markdown"]["content"])


KINDS = {
    "slack": Kind(
        lambda around, texts: SlackHook("ops", SlackOptions(url=URL, **texts), around),
        40_000,
        _slack_text,
        20,
    ),
    "feishu": Kind(
        lambda around, texts: FeishuHook(
            "ops", FeishuOptions(url=URL, secret=Text("key"), **texts), around
        ),
        20_000,
        lambda sent: str(sent["card"]["elements"][0]["text"]["content"]),
        50,
    ),
    "dingtalk": Kind(
        lambda around, texts: DingTalkHook("ops", DingTalkOptions(url=URL, **texts), around),
        20_000,
        lambda sent: str(sent["markdown"]["text"]),
        50,
    ),
    "wecom": Kind(
        lambda around, texts: WeComHook("ops", WeComOptions(url=URL, **texts), around),
        2 * 4096,
        _wecom_text,
        20,
    ),
    "smn": Kind(
        lambda around, texts: SmnHook(
            "ops", SmnOptions(topic_urn=TOPIC, credential="prod", **texts), around
        ),
        256 * 1024,
        _smn_text,
        100,
    ),
}


@dataclass(frozen=True)
class Recipe:
    """Alerts about things that somebody gave long and nasty names."""

    parts: tuple[tuple[str, int], ...]
    """Each text as what it repeats, and how often: the texts themselves are too long to print."""
    count: int

    @property
    def alerts(self) -> list[NotifiedAlert]:
        texts = [part * times for part, times in self.parts]
        return [
            _alert(number, texts[number % len(texts)], texts[number // 2 % len(texts)])
            for number in range(self.count)
        ]


_UNITS = st.text(st.sampled_from(_NASTY) | st.characters(codec="utf-8"), min_size=1, max_size=8)
_PARTS = st.tuples(_UNITS, st.sampled_from([1, 20, 60, 400]))
RECIPES = st.builds(
    Recipe,
    st.lists(_PARTS, min_size=1, max_size=4).map(tuple),
    st.sampled_from([1, 2, 20, 100]),
)


def _alert(number: int, name: str, word: str) -> NotifiedAlert:
    alert = (firing if number % 3 else resolved)(name)
    keys = ("summary", "description", "exception", "flapping", "console_url")
    return replace(
        alert,
        fingerprint=f"{number:032x}",
        labels={**alert.labels, "project": name, "a_label": word},
        annotations={**alert.annotations, **dict.fromkeys(keys, word)},
    )


def told_of(recipe: Recipe, truncated: int = 0) -> Message:
    alerts = recipe.alerts
    told = message(*alerts, truncated=truncated)
    shared = alerts[0].labels if len(alerts) == 1 else {"project": alerts[0].labels["project"]}
    return replace(told, notification=replace(told.notification, common_labels=dict(shared)))


def sent_by(build: Callable[[Surroundings], Hook], told: Message) -> list[bytes]:
    wire = Wire()
    around = Surroundings(
        http=wire, now=lambda: AT, run_process=run_nothing, sign=sign, emit=ignore
    )

    async def send() -> None:
        with suppress(HookError):  # Wire's answer is not the one that is expected
            await build(around).send(told)

    asyncio.run(send())
    return wire.bodies


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
@settings(max_examples=8, deadline=None)
@given(recipe=RECIPES, truncated=st.sampled_from([0, 7]))
def test_what_people_read_stays_within_the_limit_and_counts_what_it_leaves_out(
    kind: Kind, texts: dict[str, Any], recipe: Recipe, truncated: int
) -> None:
    recipe = replace(recipe, count=min(recipe.count, kind.most))
    (body,) = sent_by(lambda around: kind.build(around, texts), told_of(recipe, truncated))
    assert len(body) <= kind.max_bytes
    text = kind.told(json.loads(body))
    (counted,) = re.findall(r"(?:and|另有) ([0-9]+) (?:more|条)", text)[-1:] or ["0"]
    assert truncated <= int(counted) <= truncated + recipe.count
    if "text" not in texts:
        shown = len(re.findall(r"\[(?:CRITICAL|RESOLVED|严重|已恢复)\]", text))
        assert shown == recipe.count + truncated - int(counted)
        assert shown


@pytest.mark.parametrize("payload", Payload)
@settings(max_examples=8, deadline=None)
@given(recipe=RECIPES, truncated=st.sampled_from([0, 7]), max_bytes=st.integers(1000, 10**6))
def test_a_webhook_gets_at_most_max_bytes_and_the_number_of_what_is_left_out(
    payload: Payload, recipe: Recipe, truncated: int, max_bytes: int
) -> None:
    def build(around: Surroundings) -> Hook:
        options = WebhookOptions(url=URL, payload=payload, max_bytes=max_bytes)
        return WebhookHook("ops", options, around)

    for body in sent_by(build, told_of(recipe, truncated)):  # none when nothing fits
        assert len(body) <= max_bytes
        sent = json.loads(body)
        told = sent if payload is Payload.ALERTMANAGER else sent["data"]
        missing = told.get("truncatedAlerts", told.get("truncated"))
        assert missing == truncated + recipe.count - len(told["alerts"])


def test_a_webhook_leaves_out_no_alert_that_fits() -> None:
    alerts = [firing(f"gh-{number}") for number in range(2000)]
    options = WebhookOptions(url=URL, max_bytes=100_000)
    (body,) = sent_by(lambda around: WebhookHook("ops", options, around), message(*alerts))
    one = len(json.dumps(json.loads(body)["data"]["alerts"][-1], separators=(",", ":")))
    assert 100_000 - one - 2 < len(body) <= 100_000


def test_what_never_fits_into_max_bytes_is_refused_with_a_remedy(
    surroundings: Surroundings,
) -> None:
    hook = WebhookHook("ops", WebhookOptions(url=URL, max_bytes=1000), surroundings)
    with pytest.raises(RefusedError, match=r"hook 'ops': .* exceeds max_bytes; raise it"):
        asyncio.run(hook.send(told_of(Recipe((("x", 2000),), 1))))


def test_max_bytes_leaves_room_for_an_alert() -> None:
    with pytest.raises(ValueError, match="max_bytes must be at least 1000"):
        WebhookOptions(url=URL, max_bytes=999)


@settings(max_examples=8, deadline=None)
@given(recipe=RECIPES, times=st.sampled_from([1, 1000]))
def test_an_event_of_pagerduty_is_never_larger_than_it_takes(recipe: Recipe, times: int) -> None:
    first = recipe.alerts[0]
    large = {**first.annotations, "description": first.annotations["description"] * times}
    told = message(replace(first, annotations=large))
    options = PagerDutyOptions(routing_key=Text("R0123456789"))
    (body,) = sent_by(lambda around: PagerDutyHook("ops", options, around), told)
    assert len(body) <= 512_000
    event = json.loads(body)
    assert event["dedup_key"] == first.fingerprint
    assert len(event.get("payload", {"summary": ""})["summary"]) <= 1024
