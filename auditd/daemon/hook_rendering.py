"""Shows what a configured hook would send, without the network and without secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from auditd.alerting.events import DeliveryEvent
from auditd.config.settings import Catalog, Settings
from auditd.daemon.hook_trial import build_named_hook, message_of, tell
from auditd.daemon.sample_alert import sample_alert
from auditd.daemon.watch import utc_now
from auditd.hooks.port import (
    HookError,
    HttpAnswer,
    HttpRequest,
    Preview,
    ProcessEnd,
    Surroundings,
)
from auditd.telemetry.redactor import Redactor


@dataclass(frozen=True, slots=True)
class Rendering:
    """One thing that a hook would send."""

    head: tuple[str, ...]
    """Lines about where it goes and how: address, headers, command; none when the payload tells."""
    payload: str


async def render(settings: Settings, catalog: Catalog, name: str) -> Sequence[Rendering]:
    """What the hook would be sent of a test alert that fires.

    Only configured secrets are replaced, by `***`, and signatures are left out that need a
    credential of Huawei Cloud; all else is exact.

    Raises:
        UnusableSettingError: there is no such hook, or it cannot be built as it is configured.
        HookError: something that is needed for sending, such as a secret's file, is missing.
    """
    redactor = Redactor()
    for secret in settings.secrets:
        redactor.register(secret.reveal())
    wire = _Wire(redactor.redact)
    hook = await asyncio.to_thread(build_named_hook, settings, catalog, name, wire.surroundings())
    alert = sample_alert(settings, name, utc_now())
    if isinstance(hook, Preview):
        payload = await asyncio.to_thread(hook.preview, message_of(alert, name))
        return [Rendering((), redactor.redact(payload))]
    try:
        await tell(hook, alert)
    except HookError:
        if not wire.renderings:  # else it only misses its receiver's own way of saying yes
            raise
    return wire.renderings


class _Wire:
    """Stands in for the outside, and notes what would have gone there."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self.renderings: list[Rendering] = []

    def surroundings(self) -> Surroundings:
        return Surroundings(
            http=self, now=utc_now, run_process=self._run_process, sign=_sign, emit=_ignore
        )

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:  # noqa: ARG002 -- the port's signature
        """See hooks' Http."""
        headers = (f"{name}: {value}" for name, value in request.headers.items())
        self._note([f"{request.method} {request.url}", *headers], request.body)
        return HttpAnswer(200, {}, b"")

    async def _run_process(
        self,
        command: Sequence[str],
        stdin: bytes,
        *,
        timeout_seconds: float,  # noqa: ARG002 -- the port's signature
    ) -> ProcessEnd:
        self._note([f"command: {list(command)}"], stdin)
        return ProcessEnd(0, b"")

    def _note(self, head: Sequence[str], payload: bytes) -> None:
        lines = tuple(map(self._redact, head))
        self.renderings.append(Rendering(lines, self._redact(payload.decode(errors="replace"))))


async def _sign(
    request: HttpRequest,
    *,
    credential: str,  # noqa: ARG001 -- the port's signature
    project_id: str,  # noqa: ARG001 -- likewise
    region: str,  # noqa: ARG001 -- likewise
) -> HttpRequest:
    return request


def _ignore(_: DeliveryEvent) -> None:
    """Nothing happened."""
