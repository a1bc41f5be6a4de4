from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import ClassVar

import pytest

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.apprise import AppriseHook, AppriseOptions
from auditd.hooks.port import Hook, Preview, RefusedError, RetryLaterError, Surroundings
from auditd.hooks.templates import Language
from tests.unit.hooks.kinds.samples import Text, firing, message, resolved


@dataclass
class FakeApprise:
    """The part of Apprise's class that is used, with what the library is known to do."""

    sent: ClassVar[list[dict[str, str]]] = []
    has_arrived: ClassVar[bool] = True
    seconds: ClassVar[float] = 0
    services: list[SimpleNamespace] = field(default_factory=list)

    def add(self, url: str) -> bool:
        if not url.startswith("json://"):
            return False
        self.services.append(SimpleNamespace(body_maxlen=1000))
        return True

    def __iter__(self) -> Iterator[SimpleNamespace]:
        return iter(self.services)

    async def async_notify(self, **content: str) -> bool:
        await asyncio.sleep(self.seconds)
        self.sent.append(content)
        return self.has_arrived


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise is an optional extra, so the tests bring a stand-in for it."""
    module = ModuleType("apprise")
    module.__spec__ = ModuleSpec("apprise", loader=None)
    module.Apprise = FakeApprise  # type: ignore[attr-defined] # what the stand-in is for
    monkeypatch.setitem(sys.modules, "apprise", module)
    monkeypatch.setattr(FakeApprise, "sent", [])


def hook(
    surroundings: Surroundings, url: str = "json://token@x", language: Language = Language.EN
) -> Hook:
    return AppriseHook("any", AppriseOptions(url=Text(url), language=language), surroundings)


async def test_a_message_has_a_title_and_a_text(surroundings: Surroundings) -> None:
    await hook(surroundings).send(message(firing(), truncated=2))
    assert FakeApprise.sent == [
        {
            "title": "[FIRING:3] GitAuthorizationOverdue in payments",
            "body": (
                "[CRITICAL] github authorization gh-main is overdue\n"
                "Project: payments, authorization: gh-main\n"
                "Since 2026-06-01T09:00:00Z, for 3h\n"
                "Console: https://console.example/ss?agencyId=1&region=cn-north-4\n"
                "Runbook: https://docs.example/alerts#GitAuthorizationOverdue\n"
                "\n"
                "and 2 more, see all: https://auditd.example"
            ),
            "body_format": "text",
            "notify_type": "failure",
        }
    ]


async def test_good_news_is_a_success_and_chinese_when_asked(surroundings: Surroundings) -> None:
    await hook(surroundings, language=Language.ZH).send(message(resolved()))
    (sent,) = FakeApprise.sent
    assert sent["notify_type"] == "success"
    assert sent["title"] == "[恢复:1] Git 授权已过期，项目 payments"  # noqa: RUF001 # Chinese


async def test_a_text_is_cut_to_what_the_service_takes_by_whole_alerts(
    surroundings: Surroundings,
) -> None:
    await hook(surroundings).send(message(*(firing(f"gh-{number}") for number in range(50))))
    (sent,) = FakeApprise.sent
    assert len(sent["title"]) + len(sent["body"]) <= 1000
    shown = sent["body"].count("[CRITICAL]")
    assert shown == 3
    assert sent["body"].endswith("and 47 more, see all: https://auditd.example")


async def test_an_address_that_apprise_does_not_know_is_refused(
    surroundings: Surroundings,
) -> None:
    with pytest.raises(RefusedError) as caught:
        await hook(surroundings, url="nothing://secret").send(message())
    assert "secret" not in str(caught.value)


async def test_what_did_not_arrive_is_tried_again(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeApprise, "has_arrived", False)
    with pytest.raises(RetryLaterError) as caught:
        await hook(surroundings).send(message())
    assert caught.value.reason is SendFailure.SERVER


async def test_a_service_that_hangs_is_given_up_for_now(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeApprise, "seconds", 3600)
    monkeypatch.setattr("auditd.hooks.kinds.apprise._DEADLINE_SECONDS", 0.05)
    with pytest.raises(RetryLaterError) as caught:
        await hook(surroundings).send(message())
    assert caught.value.reason is SendFailure.TIMEOUT


def test_without_apprise_it_says_what_to_install(
    surroundings: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditd.hooks.kinds.apprise.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install 'servicestage-auditd\[apprise\]'"):
        hook(surroundings)


def test_what_would_be_sent_can_be_shown(surroundings: Surroundings) -> None:
    built = hook(surroundings)
    assert isinstance(built, Preview)
    shown = built.preview(message())
    assert shown.startswith("[FIRING:1] GitAuthorizationOverdue")
    assert "github authorization gh-main is overdue" in shown
    assert FakeApprise.sent == []
