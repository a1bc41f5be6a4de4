"""`exec`: runs a program with the alerts on its standard input.

It gets the native payload as JSON. By its exit code it says what became of it: 0 is success, 75
(EX_TEMPFAIL of sysexits.h) asks for another attempt later, and anything else is a refusal.

Source: https://man.openbsd.org/sysexits.3
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from os import EX_TEMPFAIL

from auditd.alerting.events import SendFailure
from auditd.audit.plugin import Plugin
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.option_checks import require_at_least_one
from auditd.hooks.payload import native
from auditd.hooks.port import Message, RefusedError, RetryLaterError, Surroundings

_LONGEST = timedelta(minutes=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecOptions:
    """Runs a program with the alerts on its standard input."""

    command: tuple[str, ...]
    """The program and its arguments; no shell is involved."""
    timeout: timedelta = timedelta(seconds=15)
    """How long it may run, at most 4m; then it is killed with all that it started."""
    messages_per_minute: int | None = None
    """How often it is run at most."""

    def __post_init__(self) -> None:
        if not self.command or not self.command[0]:
            msg = "command must name a program"
            raise ValueError(msg)
        if not timedelta(0) < self.timeout <= _LONGEST:
            msg = "timeout must be longer than 0s and at most 4m"
            raise ValueError(msg)
        require_at_least_one(self.messages_per_minute, "messages_per_minute")


class ExecHook:
    """One program."""

    kind = "exec"
    limit: int | None = None
    at_once = 4

    def __init__(self, name: str, options: ExecOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.messages_per_minute = options.messages_per_minute
        self._options = options
        self._run = surroundings.run_process

    async def send(self, message: Message) -> None:
        """See Hook."""
        seconds = self._options.timeout.total_seconds()
        try:
            end = await self._run(self._options.command, native(message), timeout_seconds=seconds)
        except TimeoutError:
            msg = f"hook {self.name!r}: the program ran for {seconds:g} s and was killed"
            raise RetryLaterError(SendFailure.TIMEOUT, msg) from None
        except (OSError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else "it has a null byte"
            msg = f"hook {self.name!r}: the program cannot be started: {said}; check its command"
            raise RefusedError(SendFailure.FAILED, msg) from error
        if end.exit_code == 0:
            return
        said = excerpt(end.complaint)
        msg = f"hook {self.name!r}: the program ended with {end.exit_code}: {said or 'no word'}"
        if end.exit_code == EX_TEMPFAIL:
            raise RetryLaterError(SendFailure.FAILED, msg)
        raise RefusedError(SendFailure.REFUSED, msg)


PLUGIN = Plugin("exec", ExecOptions, ExecHook)
