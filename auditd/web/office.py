"""Who is asked about alerts: what the API needs of the daemon."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auditd.alerting.alert import Alert
from auditd.alerting.delivery import Delivery, DeliveryState
from auditd.alerting.matcher import Matcher
from auditd.alerting.silence import Silence


class UnavailableError(Exception):
    """The state cannot be read or written now. The message is fit for people."""


@dataclass(frozen=True, slots=True)
class HookStanding:
    """A hook, and what it is owed."""

    name: str
    kind: str
    """The `type` of the configuration."""
    switched_off: str
    """Why it is told nothing until a person switches it on; empty when it is on."""
    pending: int
    dead: int


class AlertOffice(Protocol):
    """Knows the alerts, and writes down what people say of them.

    What raises changed nothing. The messages of errors are shown to whoever asked. All instants
    are aware and UTC.
    """

    def known(self, project: str | None = None) -> Collection[Alert]:
        """All that are known, or those of one project; as of this turn of the event loop."""

    def suppression(self, alert: Alert) -> str:
        """What keeps it from being told now; empty when nothing does."""

    def silences(self) -> tuple[Silence, ...]:
        """All that are kept; some may have ended or not begun."""

    async def create_silence(
        self,
        matchers: tuple[Matcher, ...],
        starts_at: datetime,
        ends_at: datetime,
        author: str,
        comment: str,
    ) -> Silence:
        """A new silence.

        Raises:
            ValueError: there can be no such silence.
            UnavailableError: it cannot be written.
        """

    async def expire_silence(self, silence_id: str, author: str) -> None:
        """End a silence now.

        Raises:
            LookupError: there is none with this id, or it has ended.
            UnavailableError: it cannot be written.
        """

    async def acknowledge(self, fingerprint: str, author: str, comment: str) -> None:
        """Note that somebody knows of a firing alert.

        Raises:
            LookupError: there is no such alert.
            ValueError: it does not fire.
            UnavailableError: it cannot be written.
        """

    async def deliveries(
        self, state: DeliveryState | None, hook: str | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        """At most `limit`, the newest first, older than the one with the id `before`.

        Raises:
            UnavailableError: they cannot be read.
        """

    async def delivery(self, delivery_id: str) -> Delivery:
        """The one with this id.

        Raises:
            LookupError: there is none.
            UnavailableError: it cannot be read.
        """

    async def replay(self, delivery_id: str) -> Delivery:
        """Owe a dead delivery again.

        Raises:
            LookupError: there is none with this id.
            ValueError: it is not dead, or another of its group is pending.
            UnavailableError: it cannot be written.
        """

    async def hooks(self) -> Sequence[HookStanding]:
        """Those that are configured, in that order.

        Raises:
            UnavailableError: they cannot be read.
        """

    async def enable_hook(self, name: str) -> None:
        """Tell a hook again what it is owed. Does nothing for one that is on.

        Raises:
            LookupError: there is none of this name.
            UnavailableError: it cannot be written.
        """
