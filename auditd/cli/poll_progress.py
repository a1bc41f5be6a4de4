"""What a person sees on standard error while `check` or `discover` is at work."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from auditd.audit.events import CredentialThrottled, Event
from auditd.audit.instant import format_instant

_FINDING = "finding projects"
_POLLING = "polling projects"


class PollProgress:
    """A bar where a person watches, which also says what is waited for; else a line of that."""

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console = console
        self._now = now
        self._waits_until = now()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(_FINDING, total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, total: int) -> None:
        """So many projects were found."""
        self._bar.update(self._task, description=_POLLING, total=total)

    def advance(self) -> None:
        """One of them was polled."""
        self._bar.advance(self._task)
        if self._now() >= self._waits_until:
            self._bar.update(self._task, description=_POLLING)

    def tell(self, event: Event) -> None:
        """What happened, if a person has to wait for it."""
        if isinstance(event, CredentialThrottled):
            self._waits_until = event.held_until
            until = format_instant(event.held_until)
            wait = f"credential {event.credential!r} is throttled: waiting until {until}"
            if self._console.is_terminal:
                self._bar.update(self._task, description=wait)
            else:
                self._console.print(wait, markup=False, highlight=False, soft_wrap=True)
