"""From a firing to its end, and how the episodes of two histories lie beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

_BEGINNING_OF_TIME = datetime.min.replace(tzinfo=UTC)
_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Identity(NamedTuple):
    """What makes alerts of two configurations the same: their other labels may differ."""

    alertname: str
    severity: str
    project: str
    authorization: str
    """Empty for what is about the project itself."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An alert began to fire, or ended."""

    at: datetime
    identity: Identity
    is_firing: bool
    end_reason: str = ""


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert fired for a while."""

    identity: Identity
    fired_at: datetime | None
    """None when that was before anything that is known."""
    resolved_at: datetime | None = None
    """None when it had not ended by then."""
    end_reason: str = ""

    def is_within(self, since: datetime) -> bool:
        """Whether it fired at `since` or later, or ended then."""
        ended = self.resolved_at is not None and self.resolved_at >= since
        return ended or self.fired_since(since)

    def fired_since(self, since: datetime) -> bool:
        """Whether it began at `since` or later."""
        return self.fired_at is not None and self.fired_at >= since

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From where to where it reaches as far as is known."""
        return self.fired_at or _BEGINNING_OF_TIME, self.resolved_at or _END_OF_TIME


@dataclass(frozen=True, slots=True)
class Comparison:
    """What would have been and what was, of one identity; at least one of them is there."""

    would: Episode | None
    did: Episode | None

    @property
    def identity(self) -> Identity:
        """That of both."""
        return _any(self).identity

    @property
    def order(self) -> tuple[datetime, Identity]:
        """The earliest first."""
        return min(it.span[0] for it in (self.would, self.did) if it), self.identity


def episodes(turns: Iterable[Turn], until: datetime) -> list[Episode]:
    """The episodes that turns make, which come oldest first; nothing is known after `until`."""
    firing: dict[Identity, datetime] = {}
    found = []
    for turn in turns:
        if turn.is_firing:
            firing.setdefault(turn.identity, turn.at)
        else:
            began = firing.pop(turn.identity, None)
            found.append(Episode(turn.identity, began, turn.at, turn.end_reason))
    found += [Episode(identity, began) for identity, began in firing.items()]
    return [_cut(it, until) for it in found if it.fired_at is None or it.fired_at <= until]


def compare(would: Iterable[Episode], did: Iterable[Episode]) -> list[Comparison]:
    """Episodes of one identity that overlap are the same; the earliest come first."""
    sides: dict[Identity, tuple[list[Episode], list[Episode]]] = defaultdict(lambda: ([], []))
    for side, each in enumerate((would, did)):
        for episode in each:
            sides[episode.identity][side].append(episode)
    pairs = (pair for one, other in sides.values() for pair in _pairs(one, other))
    return sorted(pairs, key=lambda pair: pair.order)


def _cut(episode: Episode, until: datetime) -> Episode:
    if episode.resolved_at is None or episode.resolved_at <= until:
        return episode
    return replace(episode, resolved_at=None, end_reason="")


def _pairs(would: Sequence[Episode], did: Sequence[Episode]) -> Iterator[Comparison]:
    """Both in order of time; an episode belongs to one other at most."""
    ones, others = (sorted(side, key=lambda it: it.span, reverse=True) for side in (would, did))
    while ones and others:
        one, other = ones[-1].span, others[-1].span
        if one[0] <= other[1] and other[0] <= one[1]:
            yield Comparison(ones.pop(), others.pop())
        elif one < other:
            yield Comparison(ones.pop(), None)
        else:
            yield Comparison(None, others.pop())
    yield from (Comparison(it, None) for it in reversed(ones))
    yield from (Comparison(None, it) for it in reversed(others))


def _any(pair: Comparison) -> Episode:
    found = pair.would or pair.did
    assert found is not None  # noqa: S101 -- what Comparison says of itself
    return found
