"""What alerts would have been, beside what they were: for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from auditd.alerting.episode import Episode
from auditd.audit.duration import format_duration
from auditd.audit.finding import Severity
from auditd.report.counts import counted
from auditd.report.replay import Replay, Unseen
from auditd.report.table import STYLES

_STOPPED_FOR = timedelta(hours=1)
"""A last poll that is older than this is worth a word."""
_MINUTE = timedelta(minutes=1)


def print_replay(replay: Replay, console: Console, limit: int) -> None:
    """The episodes, the totals, then what the record does not tell. Instants are in UTC.

    Of the episodes there are at most `limit`, the first ones.
    """
    if listed := replay.listed:
        console.print(_episodes(replay, limit))
        if len(listed) > limit:
            rest = f"{len(listed) - limit} more: see --limit, or --format=json, which has all"
            console.print(Text(rest), soft_wrap=True)
        console.print()
    if replay.totals:
        console.print(_totals(replay))
        console.print()
    for line in _lines(replay):
        console.print(Text(line), soft_wrap=True)


def _episodes(replay: Replay, limit: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("SEVERITY", "ALERT", "PROJECT", "AUTHORIZATION"):
        table.add_column(heading, overflow="fold")
    for heading in ("WOULD FIRE", "WOULD END", "DID FIRE", "DID END"):
        table.add_column(heading, no_wrap=True)
    for pair in replay.listed[:limit]:
        alertname, severity, project, authorization = pair.identity
        table.add_row(
            Text(severity, style=STYLES[Severity(severity)]),
            Text(alertname),
            Text(project),
            Text(authorization or "-"),
            *_cells(pair.would, replay),
            *_cells(pair.did, replay),
        )
    return table


def _totals(replay: Replay) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("SEVERITY", "ALERT"):
        table.add_column(heading)
    for heading in ("WOULD FIRE", "DID FIRE", "SAME"):
        table.add_column(heading, justify="right")
    for (alertname, severity), total in replay.totals.items():
        counts = (str(count) for count in (total.would, total.did, total.both))
        table.add_row(Text(severity, style=STYLES[Severity(severity)]), alertname, *counts)
    return table


def _cells(episode: Episode | None, replay: Replay) -> tuple[str, str]:
    if episode is None:
        return "-", "-"
    fired = _minute(episode.fired_at) if episode.fired_since(replay.since) else "earlier"
    return fired, _minute(episode.resolved_at) if episode.resolved_at else "still fires"


def _lines(replay: Replay) -> Iterator[str]:
    window = f"{_minute(replay.since)} to {_minute(replay.until)} UTC"
    shown = len(replay.listed)
    rest = len(replay.comparisons) - shown
    yield (
        f"{window}, {counted(replay.projects, 'project')}: {counted(shown, 'alert')} listed;"
        f" {rest} more fired all the time, as they did"
    )
    if replay.unseen:
        yield _describe(replay.unseen, replay)
    if late := replay.begun_late:
        yield (
            f"the record of {counted(len(late), 'project')} begins later, the last at"
            f" {_minute(max(late.values()))}; before that nothing is known of them"
        )
    if names := replay.undescribed:
        yield (
            f"{counted(len(names), 'project')} on record and not in this configuration, such as"
            f" {names[0]}: judged without labels and region"
        )
    if replay.polled_until is None:
        yield "no poll is on record"
    elif replay.until - replay.polled_until > _STOPPED_FOR:
        yield f"the last poll on record is of {_minute(replay.polled_until)}"
    yield "polls that changed nothing are not on record: they are taken to be at their slots"


def _describe(unseen: tuple[Unseen, ...], replay: Replay) -> str:
    def length(it: Unseen) -> timedelta:
        return (it.until or replay.until) - max(it.since, replay.since)

    longest = max(unseen, key=length)
    projects = {it.project for it in unseen}
    lasted = length(longest)
    lasted -= lasted % (_MINUTE if lasted >= _MINUTE else timedelta(seconds=1))
    return (
        f"the polls of {counted(len(projects), 'project')} failed for a while, longest those of"
        f" {longest.project} ({format_duration(lasted)}, {longest.reason}); what changed and was"
        " put right meanwhile is not known"
    )


def _minute(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if at else "-"
