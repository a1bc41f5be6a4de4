"""What a kind of hook is given and what it must do.

HookError              reason: the closed set, message: fit for people
  RetryLaterError        it may work later: the network, a timeout, 429, 5xx
  RefusedError           it works only once somebody mends something
  SwitchedOffError       the receiver wants no more messages
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Protocol, runtime_checkable

from auditd.alerting.events import Emit, SendFailure
from auditd.alerting.notification import Notification, NotifiedAlert
from auditd.alerting.retry import Failure, FailureKind


class HookError(Exception):
    """A message did not reach its receiver, for exactly one reason.

    The message names the hook and says what happened and what to do. It holds no secret, thus no
    URL, header or token, and cuts foreign text (see `foreign_text`), so that it can be logged,
    stored and shown as it is.
    """

    kind: ClassVar[FailureKind]
    retry_after_seconds: float | None = None

    def __init__(self, reason: SendFailure, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    @property
    def failure(self) -> Failure:
        """What the retry schedule makes of it."""
        seconds = self.retry_after_seconds
        return Failure(self.kind, None if seconds is None else timedelta(seconds=seconds))


class RetryLaterError(HookError):
    """The same message may be taken later."""

    kind = FailureKind.TRANSIENT

    def __init__(
        self, reason: SendFailure, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(reason, message)
        self.retry_after_seconds = retry_after_seconds
        """What the receiver asked for, 0 to 10**6; the whole hook is held for so long."""


class RefusedError(HookError):
    """The message, or our credentials, were refused: it is tried for an hour and given up."""

    kind = FailureKind.REFUSED


class SwitchedOffError(HookError):
    """The receiver said that it is gone (410): the hook is switched off until a person acts."""

    kind = FailureKind.GONE

    def __init__(self, message: str) -> None:
        super().__init__(SendFailure.GONE, message)


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery as a hook sees it."""

    id: str
    """The idempotency key: the same at every attempt. Visible ASCII without dots."""
    notification: Notification
    attempt: int
    """From 1."""
    external_url: str
    """Where people reach this daemon; empty when that is not known."""


class Hook(Protocol):
    """A receiver that is told what happens, one message after another."""

    name: str
    """As configured."""
    kind: str
    """The `type` of the configuration."""
    limit: int | None
    """The most alerts in one message, at least 1; None is no limit."""
    messages_per_minute: int | None
    """What the receiver takes in any 60 seconds, at least 1; None is no limit."""

    async def send(self, message: Message) -> None:
        """Send it once, within a minute or the configured time; the receiver has it on return.

        May be called again with the same message, and for several messages at once. Raises
        HookError; whatever else it raises counts as a defect and is tried again.
        """


@runtime_checkable
class Frugal(Protocol):
    """A hook to which each message takes a process or a connection of its own."""

    at_once: int
    """The most calls of `send` under way."""


@runtime_checkable
class Preview(Protocol):
    """A hook that makes its own connections, and so shows itself what it would send."""

    def preview(self, message: Message) -> str:
        """What `send` would send, without the network."""


@runtime_checkable
class StateHook(Protocol):
    """A receiver that is told again and again what is, and so forgets nothing for long.

    It has no deliveries: what one refresh does not bring, the next one does.
    """

    name: str
    kind: str

    async def refresh(self, alerts: Sequence[NotifiedAlert], now: datetime) -> None:
        """Tell all that fires and all that ended lately. Raises nothing but CancelledError."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What is to be sent. All of it may be secret, so none of it is in its repr."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer, with at most the first 64 KiB of its body. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http(Protocol):
    """The one way out over HTTP: no redirects, no cookies, guarded addresses, a deadline."""

    async def send(self, request: HttpRequest, *, hook: str) -> HttpAnswer:
        """Whatever its status: see `verdict.judge`. `hook` is named in errors.

        Raises:
            RetryLaterError: dns, connect, tls or timeout.
            RefusedError: blocked_address; refused when the request cannot be put on the wire.
        """


@dataclass(frozen=True, slots=True)
class ProcessEnd:
    """How a program ended."""

    exit_code: int
    """Negative when a signal ended it."""
    complaint: bytes
    """The last 4 KiB of its standard error."""


class RunProcess(Protocol):
    """Runs a program without a shell, in a process group of its own."""

    async def __call__(
        self, command: Sequence[str], stdin: bytes, *, timeout_seconds: float
    ) -> ProcessEnd:
        """Nothing of the group is left running on return, whatever happens.

        Raises:
            TimeoutError: it was still running at the deadline and was killed.
            OSError: it cannot be started.
        """


class Sign(Protocol):
    """Signs a request to Huawei Cloud with one of the configured credentials."""

    async def __call__(
        self, request: HttpRequest, *, credential: str, project_id: str, region: str
    ) -> HttpRequest:
        """The request with its proof in the headers; URL and body stay byte for byte.

        Raises:
            HookError: the credential is not configured, or cannot sign now.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every kind is built with: `build(name, options, surroundings)`.

    Building checks the options (ValueError) and neither connects nor starts anything.
    """

    http: Http
    now: Callable[[], datetime]
    run_process: RunProcess
    sign: Sign
    emit: Emit
    """For kinds that are told the state; of messages the deliverer tells."""
