"""When a request meets a fault, and which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from typing import Annotated, Self, TypeAlias

from pydantic import Field, model_validator

from auditd.simulator.effects import (
    DelayEffect,
    HtmlEffect,
    RedirectEffect,
    StatusEffect,
    ThrottleEffect,
)
from auditd.simulator.listing_effects import ListingEffect
from auditd.simulator.moments import Duration
from auditd.simulator.operations import OperationName
from auditd.simulator.section import Section
from auditd.simulator.wire_effects import (
    DripEffect,
    EndlessEffect,
    GzipBombEffect,
    ResetEffect,
    TruncateEffect,
)

Effect: TypeAlias = Annotated[
    StatusEffect
    | ThrottleEffect
    | HtmlEffect
    | RedirectEffect
    | DelayEffect
    | TruncateEffect
    | DripEffect
    | ResetEffect
    | GzipBombEffect
    | EndlessEffect
    | ListingEffect,
    Field(discriminator="type"),
]


class FaultRule(Section):
    """Which requests are struck.

    Without `project` or `operation` all are. The window opens `when` after the start and stays
    open `for` so long, for ever without it; `every` opens it again and again. Of the requests
    in it the first `after` pass, then a share of `probability` is struck, at most `count` in all.
    """

    project: str | None = None
    operation: OperationName | None = None
    when: Duration = timedelta()
    for_: Duration | None = Field(default=None, alias="for")
    every: Duration | None = None
    after: int = Field(default=0, ge=0)
    count: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, gt=0, le=1)
    effect: Effect

    @model_validator(mode="after")
    def _every_needs_for(self) -> Self:
        if self.every is not None and (self.for_ is None or self.for_ >= self.every):
            msg = "every: needs a shorter `for`"
            raise ValueError(msg)
        return self

    def is_open(self, elapsed: timedelta) -> bool:
        """Whether the window is open so long after the start; its end is outside."""
        since = elapsed - self.when
        if since < timedelta():
            return False
        if self.every is not None:
            since %= self.every
        return self.for_ is None or since < self.for_


class Faults:
    """The rules of a scenario and what is left of their counts. The same seed, the same dice."""

    def __init__(self, rules: Sequence[FaultRule], *, seed: int) -> None:
        self._rules = rules
        self._passed = [0] * len(rules)
        self._struck = [0] * len(rules)
        # Not for secrets: the dice must fall the same way each time.
        self._dice = [Random(f"{seed}/{index}") for index in range(len(rules))]  # noqa: S311

    def strike(self, operation: OperationName, project: str, elapsed: timedelta) -> Effect | None:
        """What strikes this request, if anything: the first rule that applies.

        `project` is a name, empty for a request that concerns none.
        """
        for index, rule in enumerate(self._rules):
            applies = (
                rule.project in {None, project}
                and rule.operation in {None, operation}
                and rule.is_open(elapsed)
                and (rule.count is None or self._struck[index] < rule.count)
            )
            if applies and self._passed[index] < rule.after:
                self._passed[index] += 1
            elif applies and self._dice[index].random() < rule.probability:
                self._struck[index] += 1
                return rule.effect
        return None
