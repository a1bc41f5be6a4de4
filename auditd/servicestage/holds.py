"""How long a credential rests because the remote side refused it, and for what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from auditd.audit.events import CredentialRejected, Emit
from auditd.audit.failure import FailureReason
from auditd.audit.instant import format_instant
from auditd.servicestage.errors import RefusedError

HOLD_SECONDS = 305.0
"""How long a refused credential rests: the five minutes of a lock, and some to be sure."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing is sent for a scope, and until when on the loop's clock."""

    scope: str
    ends_at: float
    reason: FailureReason
    message: str


class Holds:
    """One credential's holds, of scopes and of all of them, on the loop's monotonic clock.

    After a hold of all, the scope that was refused lets another go first, if one has waited.
    `now` is for what is told of them.
    """

    def __init__(self, credential: str, *, now: Callable[[], datetime], emit: Emit) -> None:
        self._credential = credential
        self._now = now
        self._emit = emit
        self._of_all: Hold | None = None
        self._of_scope: dict[str, Hold] = {}
        self._others_wait = False
        self._yielding: str | None = None

    def has(self, scope: str) -> bool:
        """Whether the scope is held, as of the last `find`."""
        return self._of_all is not None or scope in self._of_scope

    def find(self, scope: str) -> Hold | None:
        """What holds the scope now, for somebody who wants to send; what is over ends."""
        if self._of_all is None and not self._of_scope:
            return None
        now = _time()
        if self._of_all is not None and self._of_all.ends_at <= now:
            self._end(self._of_all)
        if (held := self._of_scope.get(scope)) is not None and held.ends_at <= now:
            del self._of_scope[scope]
        if (hold := self._of_all or self._of_scope.get(scope)) is not None:
            self._others_wait |= hold.scope != scope
        return hold

    def hold_all(self, scope: str, error: RefusedError) -> None:
        """An unproven credential was refused for the scope; nothing if all are held already."""
        if self._of_all is None:
            self._of_all = self._new(scope, error, event_scope="")
            self._of_scope[scope] = self._of_all
            self._others_wait = False

    def hold(self, scope: str, error: RefusedError) -> None:
        """The credential was refused for the scope, and perhaps only for that."""
        self._of_scope[scope] = self._new(scope, error, event_scope=scope)

    def prove(self) -> None:
        """The credential was accepted: who let others go first may go as well."""
        self._of_all = None
        if self._yielding is not None:
            self._of_scope.pop(self._yielding, None)
            self._yielding = None

    def clear(self) -> None:
        """There is another secret."""
        self._of_all = self._yielding = None
        self._of_scope.clear()

    def lift(self) -> bool:
        """End all but those of a lock; whether there was any other."""
        locked = {
            scope: hold
            for scope, hold in self._of_scope.items()
            if hold.reason is FailureReason.AUTH_LOCKED
        }
        if len(locked) == len(self._of_scope):
            return False
        self._of_scope = locked
        if self._of_all and self._of_all.scope not in locked:
            self._of_all = None
        if self._yielding not in locked:
            self._yielding = None
        return True

    def _end(self, hold: Hold) -> None:
        """Let another scope go first, if there is one: perhaps only this one is refused."""
        self._of_all = None
        if self._others_wait:
            message = (
                f"credential {self._credential!r} was refused for {hold.scope} and waits until it "
                f"was accepted for another project, at most until {self._end_text()}"
            )
            ends_at = _time() + HOLD_SECONDS
            self._of_scope[hold.scope] = replace(hold, ends_at=ends_at, message=message)
            self._yielding = hold.scope

    def _new(self, scope: str, error: RefusedError, *, event_scope: str) -> Hold:
        whose = f" for {event_scope}" if event_scope else ""
        message = (
            f"credential {self._credential!r} is not used{whose} before {self._end_text()}: {error}"
        )
        held_until = self._now() + timedelta(seconds=HOLD_SECONDS)
        self._emit(
            CredentialRejected(self._credential, event_scope, error.reason, message, held_until)
        )
        return Hold(scope, _time() + HOLD_SECONDS, error.reason, message)

    def _end_text(self) -> str:
        return format_instant(self._now() + timedelta(seconds=HOLD_SECONDS))


def _time() -> float:
    return asyncio.get_running_loop().time()
