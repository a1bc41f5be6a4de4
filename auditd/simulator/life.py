"""How the fleet changes as time passes, so that a short look sees every kind of change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Self

from pydantic import Field, model_validator

from auditd.simulator.authorization import Authorization, AuthorizationPatch, AuthorizationSpec
from auditd.simulator.moments import Duration
from auditd.simulator.section import Section


class Change(Section):
    """One thing that happens to one authorization, `at` after each beginning of the period.

    Exactly one of `set`, `appear` and `vanish` is given. Offsets in them count from the moment
    of the change, so `updated: now` is when it happened.
    """

    at: Duration
    project: str
    authorization: str
    set_: AuthorizationPatch | None = Field(default=None, alias="set")
    appear: AuthorizationSpec | None = None
    vanish: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if (self.set_ is not None) + (self.appear is not None) + self.vanish != 1:
            msg = "give exactly one of set, appear and vanish: true"
            raise ValueError(msg)
        if self.appear is not None and self.appear.name != self.authorization:
            msg = "appear.name and authorization must be the same"
            raise ValueError(msg)
        return self


class Life(Section):
    """All changes. With a period everything begins anew each time it has passed."""

    period: Duration | None = None
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _within_the_period(self) -> Self:
        if self.period is None:
            return self
        if not self.period:
            msg = "period: must be longer than nothing"
            raise ValueError(msg)
        for index, change in enumerate(self.changes):
            if change.at >= self.period:
                msg = f"changes[{index}].at: must be less than the period"
                raise ValueError(msg)
        return self

    def begin(self, start: datetime, now: datetime) -> datetime:
        """When the current round began."""
        if self.period is None:
            return start
        return start + (now - start) // self.period * self.period


def live_authorizations(
    base: Mapping[str, Authorization],
    changes: Iterable[Change],
    began_at: datetime,
    elapsed: timedelta,
) -> dict[str, Authorization]:
    """`base` after those changes that are due (exactly `at` is due), in order of time.

    A change of an authorization that is not there does nothing.
    """
    live = dict(base)
    for change in sorted(changes, key=lambda change: change.at):
        if change.at > elapsed:
            break
        zero = began_at + change.at
        if change.appear is not None:
            live[change.authorization] = change.appear.at(zero)
        elif change.vanish:
            live.pop(change.authorization, None)
        elif change.set_ is not None and change.authorization in live:
            live[change.authorization] = change.set_.apply(live[change.authorization], zero)
    return live
