"""What the outside and the scene note of a run, one JSON line each, in files that outlive all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

Told: TypeAlias = tuple[str, str, datetime, datetime | None]
"""Fingerprint, status, start and end of an alert."""


@dataclass(frozen=True, slots=True)
class Request:
    """A list that somebody asked the cloud for. `at` is in epoch seconds, here and below."""

    at: float
    project: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot of a project that a daemon claimed; whoever does its poll does it later."""

    at: float
    project: str
    slot: str


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver accepted."""

    at: float
    hook: str
    id: str
    alerts: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something was taken away for a while; `is_total` if nobody could poll meanwhile."""

    began_at: float
    ended_at: float
    is_total: bool

    def overlap_seconds(self, since: float, until: float) -> float:
        """For how long of this time there was the trouble."""
        return max(0.0, min(until, self.ended_at) - max(since, self.began_at))


@dataclass(frozen=True, slots=True)
class Doing:
    """The numbers of the jobs that were under way at that time."""

    at: float
    jobs: frozenset[int]


def requests(file: Path) -> list[Request]:
    """All that were asked, in order."""
    return [Request(line["at"], line["project"]) for line in _lines(file)]


def messages(file: Path) -> list[Message]:
    """All that were accepted, in order."""
    return [
        Message(line["at"], line["hook"], line["id"], tuple(map(_told, line["alerts"])))
        for line in _lines(file)
    ]


def _lines(file: Path) -> Iterator[Any]:
    *whole, _unfinished = file.read_text().split("\n")
    return map(json.loads, whole)


def _told(alert: dict[str, Any]) -> Told:
    ends_at = alert["ends_at"]
    return (
        alert["fingerprint"],
        alert["status"],
        datetime.fromisoformat(alert["starts_at"]),
        datetime.fromisoformat(ends_at) if ends_at else None,
    )
