"""What alerts would have been, beside what they were: for programs and for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from auditd.alerting.episode import Comparison, Episode
from auditd.audit.finding import Severity
from auditd.audit.instant import format_instant
from auditd.report.csv import inert

FORMAT = "servicestage-auditd/replay"
VERSION = 1

Kind: TypeAlias = tuple[str, str]
"""Alertname and severity."""

_EPISODE_COLUMNS = ("fired_at", "resolved_at", "end_reason")
_IDENTITY_COLUMNS = ("alertname", "severity", "project", "authorization")


@dataclass(frozen=True, slots=True)
class Unseen:
    """A time in which the polls of a project failed, so that nothing is known of it."""

    project: str
    since: datetime
    until: datetime | None
    """None when they still did at the end."""
    reason: str
    """Why the last of these polls failed."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many episodes of one kind there were in the window."""

    would: int
    did: int
    both: int
    """Those that are the same in both."""


@dataclass(frozen=True, slots=True)
class Replay:
    """Two histories of alerts, and how much of the past they rest on."""

    since: datetime
    until: datetime
    polled_until: datetime | None
    """The last poll that is on record; None when there is none."""
    projects: int
    comparisons: tuple[Comparison, ...]
    """All that reach into the window, the earliest first."""
    unseen: tuple[Unseen, ...]
    begun_late: Mapping[str, datetime]
    """Project -> when its record begins, if that is after `since`."""
    undescribed: tuple[str, ...]
    """Projects on record that are not configured: their labels and region are not known."""

    @property
    def listed(self) -> tuple[Comparison, ...]:
        """Without what fired all the time in both."""
        return tuple(pair for pair in self.comparisons if self._is_listed(pair))

    @property
    def totals(self) -> Mapping[Kind, Total]:
        """By kind, the worst first."""
        counts: dict[Kind, Counter[str]] = {}
        for pair in self.comparisons:
            kind = (pair.identity.alertname, pair.identity.severity)
            count = counts.setdefault(kind, Counter())
            count.update(
                would=int(pair.would is not None),
                did=int(pair.did is not None),
                both=int(pair.would is not None and pair.did is not None),
            )
        order = sorted(counts, key=lambda kind: (-Severity(kind[1]).rank, kind[0]))
        return {kind: Total(**counts[kind]) for kind in order}

    def _is_listed(self, pair: Comparison) -> bool:
        if pair.would is None or pair.did is None:
            return True
        return pair.would.is_within(self.since) or pair.did.is_within(self.since)


def render_json(replay: Replay) -> str:
    """One object, in ASCII. Keys are added within one `version` and never taken away."""
    document = {
        "format": FORMAT,
        "version": VERSION,
        "since": format_instant(replay.since),
        "until": format_instant(replay.until),
        "polled_until": _instant(replay.polled_until),
        "projects": replay.projects,
        "totals": [
            {
                "alertname": alertname,
                "severity": severity,
                "would": total.would,
                "did": total.did,
                "both": total.both,
            }
            for (alertname, severity), total in replay.totals.items()
        ],
        "episodes": [
            {**pair.identity._asdict(), "would": _episode(pair.would), "did": _episode(pair.did)}
            for pair in replay.listed
        ],
        "unseen": [
            {
                "project": unseen.project,
                "since": format_instant(unseen.since),
                "until": _instant(unseen.until),
                "reason": unseen.reason,
            }
            for unseen in replay.unseen
        ],
        "begun_late": {name: format_instant(at) for name, at in replay.begun_late.items()},
        "undescribed": list(replay.undescribed),
    }
    return json.dumps(document, indent=2) + "\n"


def render_csv(replay: Replay) -> str:
    """A header, a line an episode, then one with the alertname `unseen` for each such time.

    See `auditd.report.csv` for what is done to cells.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    sides = [f"{side}_{column}" for side in ("would", "did") for column in _EPISODE_COLUMNS]
    writer.writerow([*_IDENTITY_COLUMNS, *sides])
    writer.writerows([inert(cell) for cell in row] for row in _rows(replay))
    return text.getvalue()


def _rows(replay: Replay) -> Iterator[Iterable[str]]:
    for pair in replay.listed:
        yield *pair.identity, *_cells(pair.would), *_cells(pair.did)
    for unseen in replay.unseen:
        period = (format_instant(unseen.since), _instant(unseen.until) or "", unseen.reason)
        yield "unseen", "", unseen.project, "", *period, *period


def _cells(episode: Episode | None) -> tuple[str, ...]:
    shown = _episode(episode) or dict.fromkeys(_EPISODE_COLUMNS)
    if episode and episode.fired_at is None:
        shown["fired_at"] = "earlier"
    return tuple(shown[column] or "" for column in _EPISODE_COLUMNS)


def _episode(episode: Episode | None) -> dict[str, Any] | None:
    if episode is None:
        return None
    return {
        "fired_at": _instant(episode.fired_at),
        "resolved_at": _instant(episode.resolved_at),
        "end_reason": episode.end_reason or None,
    }


def _instant(at: datetime | None) -> str | None:
    return format_instant(at) if at else None
