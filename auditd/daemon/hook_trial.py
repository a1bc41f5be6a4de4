"""Tries a configured hook out with a test alert and its end, and listens to what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

from auditd.alerting.alert import Alert
from auditd.alerting.events import AlertRefused, DeliveryEvent, StateFailed
from auditd.alerting.notification import NotifiedStatus
from auditd.config.settings import Catalog, Settings
from auditd.config.suggestion import did_you_mean
from auditd.daemon.errors import UnusableSettingError
from auditd.daemon.hook_building import build_hook
from auditd.daemon.sample_alert import end, notification_of, sample_alert
from auditd.daemon.signing import CloudSigner
from auditd.daemon.watch import open_watch, utc_now
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.http import HttpClient
from auditd.hooks.port import (
    Hook,
    HookError,
    Http,
    HttpAnswer,
    HttpRequest,
    Message,
    ProcessEnd,
    StateHook,
    Surroundings,
)
from auditd.hooks.process import run_process


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of telling a hook one thing about the test alert."""

    status: NotifiedStatus
    is_taken: bool
    words: tuple[str, ...]
    """What came back, fit for people."""
    duration_seconds: float


async def send_test(settings: Settings, catalog: Catalog, name: str) -> AsyncIterator[Attempt]:
    """Send a test alert that fires, then its end if the former was taken.

    Raises:
        UnusableSettingError: see there.
        UnusableSettingError: a certificate or key file of the configuration cannot be used.
    """
    async with AsyncExitStack() as opened:

        async def sign(
            request: HttpRequest, *, credential: str, project_id: str, region: str
        ) -> HttpRequest:
            watch = await opened.enter_async_context(open_watch(settings, catalog))
            return await CloudSigner(lambda: watch.cloud)(
                request, credential=credential, project_id=project_id, region=region
            )

        ear = _Ear(await opened.enter_async_context(HttpClient()))
        surroundings = Surroundings(
            http=ear, now=utc_now, run_process=ear.run_process, sign=sign, emit=ear.hear
        )
        hook = await asyncio.to_thread(build_named_hook, settings, catalog, name, surroundings)
        alert = sample_alert(settings, name, utc_now())
        firing = await _attempt(hook, alert, ear)
        yield firing
        if firing.is_taken:
            yield await _attempt(hook, end(alert, utc_now()), ear)


def build_named_hook(
    settings: Settings, catalog: Catalog, name: str, surroundings: Surroundings
) -> Hook | StateHook:
    """The configured hook of this name.

    Raises:
        UnusableSettingError: there is none, or it cannot be built as it is configured.
    """
    hooks = {hook.name: hook for hook in settings.alerting.hooks} if settings.alerting else {}
    if name not in hooks:
        msg = f"there is no hook {name!r} in alerting.hooks{did_you_mean(name, hooks)}"
        raise UnusableSettingError(msg)
    return build_hook(hooks[name], catalog, surroundings)


async def tell(hook: Hook | StateHook, alert: Alert) -> None:
    """Tell the hook once of one alert. What a state hook did not take only its events say.

    Raises:
        HookError: the hook did not take it.
    """
    if isinstance(hook, StateHook):
        now = utc_now()
        await hook.refresh(notification_of(alert, hook.name, now).alerts, now)
    else:
        await hook.send(message_of(alert, hook.name))


def message_of(alert: Alert, hook: str) -> Message:
    """What a hook that is told by messages is told of one alert."""
    notification = notification_of(alert, hook, utc_now())
    return Message(f"msg_{uuid4().hex}", notification, attempt=1, external_url="")


async def _attempt(hook: Hook | StateHook, alert: Alert, ear: _Ear) -> Attempt:
    began_at = monotonic()
    complaint = None
    try:
        await tell(hook, alert)
    except HookError as error:
        complaint = str(error)
    words = ear.take_words()
    complaints = [complaint] if complaint else ear.take_complaints()
    return Attempt(
        status=NotifiedStatus.FIRING if alert.is_open else NotifiedStatus.RESOLVED,
        is_taken=not complaints,
        words=tuple(complaints or words),
        duration_seconds=monotonic() - began_at,
    )


class _Ear:
    """Stands between a hook and the outside, and notes what comes back."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._words: list[str] = []
        self._complaints: list[str] = []

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
        """See hooks' Http."""
        answer = await self._http.send(request, hook=hook)
        said = excerpt(answer.body, request)
        self._words.append(f"the receiver answered {answer.status}" + (f": {said}" if said else ""))
        return answer

    async def run_process(
        self, command: Sequence[str], stdin: bytes, *, timeout_seconds: float
    ) -> ProcessEnd:
        """See hooks' RunProcess."""
        ended = await run_process(command, stdin, timeout_seconds=timeout_seconds)
        self._words.append(f"the program ended with {ended.exit_code}")
        return ended

    def hear(self, event: DeliveryEvent) -> None:
        """See hooks' Emit."""
        if isinstance(event, StateFailed):
            self._complaints.append(event.message)
        elif isinstance(event, AlertRefused):
            self._complaints.append(f"peer {event.peer} refuses the alert: {event.message}")

    def take_words(self) -> Sequence[str]:
        """What was answered since the last time."""
        words, self._words = self._words, []
        return words

    def take_complaints(self) -> Sequence[str]:
        """What was told since the last time of receivers that did not take the state."""
        complaints, self._complaints = self._complaints, []
        return complaints
