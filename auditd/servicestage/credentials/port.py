"""What a kind of credential is given and what it must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auditd.audit.events import Emit
from auditd.audit.quick import quick
from auditd.servicestage.message import Answer, Request


@quick
@dataclass(frozen=True, slots=True)
class Scope:
    """What a request is about: one project in one region, or IAM itself when both are None."""

    project_id: str | None = None
    region: str | None = None

    @property
    def label(self) -> str:
        """The project id, or what stands for it when IAM is asked for the projects."""
        return self.project_id or "discovery"


@quick
@dataclass(frozen=True, slots=True)
class Authenticated:
    """A request that carries its proof.

    `version` identifies the keys or the token that were used, see `Credential.renew`.
    `is_proven` says that the remote side has accepted the credential itself already, so that
    a refusal can only be about this one scope.
    """

    request: Request
    version: int
    is_proven: bool = False


class Credential(Protocol):
    """One configured credential. Every method raises PollError when it cannot do its work."""

    name: str
    iam_endpoint: str | None
    """Where IAM is, when it is not where it usually is."""

    def revision(self) -> int:
        """A number that changes when the configured secret does: then it is tried anew."""

    async def authenticate(self, request: Request, scope: Scope) -> Authenticated:
        """Add the proof; fetch it first where it must be fetched.

        Raises RefusedError when the remote side refused to give a token.
        """

    async def renew(self, scope: Scope, version: int) -> bool:
        """After a 401 for `version`: is there something newer, worth exactly one more try?"""

    def expires_at(self) -> datetime | None:
        """The earliest end of what is held now."""

    async def keep_fresh(self) -> None:
        """Renew ahead of time for as long as the daemon runs; returns when there is no need."""


class Send(Protocol):
    """Sends a request of the credential's own, paced like all its requests."""

    async def __call__(
        self, request: Request, *, region: str | None, timeout_seconds: float
    ) -> Answer:
        """Raises PollError when no answer came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every kind is built with. `random` gives floats in [0, 1)."""

    send: Send
    now: Callable[[], datetime]
    random: Callable[[], float]
    emit: Emit
    on_secret: Callable[[str], None]
    """Told of every secret that was fetched, so that logs can leave it out."""
