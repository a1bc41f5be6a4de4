from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console

from auditd.audit.events import CredentialThrottled, DiscoveryRemoved
from auditd.cli.poll_progress import PollProgress

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAIT = "credential 'prod' is throttled: waiting until 2026-11-24T12:01:00Z"


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


def console(*, is_terminal: bool) -> Console:
    return Console(file=StringIO(), force_terminal=is_terminal, color_system=None, width=140)


def drawn(on: Console) -> str:
    assert isinstance(on.file, StringIO)
    return on.file.getvalue()


def test_a_wait_is_one_line_where_nobody_watches() -> None:
    pipe = console(is_terminal=False)
    with PollProgress(pipe, Clock()) as progress:
        progress.begin(2)
        progress.tell(DiscoveryRemoved("file", "payments"))
        progress.tell(CredentialThrottled("prod", NOON + MINUTE))
        progress.advance()
    assert drawn(pipe) == f"{WAIT}\n"


def test_a_bar_says_that_projects_are_looked_for_and_then_polled() -> None:
    terminal = console(is_terminal=True)
    with PollProgress(terminal, Clock()) as progress:
        pass
    assert "finding projects" in drawn(terminal)
    terminal = console(is_terminal=True)
    with PollProgress(terminal, Clock()) as progress:
        progress.begin(3)
        progress.advance()
    assert re.search("polling projects .* 1/3 ", drawn(terminal))


def test_a_bar_says_what_is_waited_for_until_it_is_over() -> None:
    terminal, clock = console(is_terminal=True), Clock()
    with PollProgress(terminal, clock) as progress:
        progress.begin(3)
        progress.tell(CredentialThrottled("prod", NOON + MINUTE))
        progress.advance()
    assert WAIT in drawn(terminal)
    terminal = console(is_terminal=True)
    with PollProgress(terminal, clock) as progress:
        progress.begin(3)
        progress.tell(CredentialThrottled("prod", NOON + MINUTE))
        clock.at += MINUTE
        progress.advance()
    assert drawn(terminal).rindex("polling projects") > drawn(terminal).rfind(WAIT)
