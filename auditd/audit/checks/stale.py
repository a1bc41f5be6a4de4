"""A credential that was not renewed for long is about to expire, or to be forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.duration import format_duration
from auditd.audit.finding import Finding, Severity
from auditd.audit.instant import format_instant
from auditd.audit.match import MatchField, matches
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.project import Project
from auditd.audit.rule import describe

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """From beyond this age on the finding has this severity. `max_age` itself is below it."""

    max_age: timedelta
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class Override:
    """For what matches, this limit stands instead of `max_age` and `tiers`.

    `severity` None is the check's own. All fields of `match` must fit, each pattern as a whole.
    """

    match: Mapping[MatchField, re.Pattern[str]]
    max_age: timedelta
    severity: Severity | None = None


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.stale`. The first of `overrides` that matches counts.

    Raises:
        ValueError: an age is not positive, a tier does not lie above `max_age` or lies where
            another does, or an override matches everything.
    """

    max_age: timedelta = timedelta(days=90)
    tiers: tuple[Tier, ...] = ()
    overrides: tuple[Override, ...] = ()

    def __post_init__(self) -> None:
        if problems := [*_problems(self)]:
            raise ValueError("; ".join(problems))


def _problems(options: Options) -> Iterator[str]:
    limits = [options.max_age, *(override.max_age for override in options.overrides)]
    if min(limits) <= timedelta(0):
        yield "max_age must be positive"
    ages = [tier.max_age for tier in options.tiers]
    if ages and min(ages) <= options.max_age:
        yield (
            f"the tier of {format_duration(min(ages))} must lie above max_age,"
            f" which is {format_duration(options.max_age)}"
        )
    if len(set(ages)) < len(ages):
        yield "two tiers have the same max_age"
    if not all(override.match for override in options.overrides):
        yield "an override must match on something; to change the limit of all, set max_age"


@dataclass(frozen=True, slots=True)
class _Limit:
    max_age: timedelta
    severity: Severity


class Stale:
    """Fires when `now - updated_at` exceeds a limit; exactly the limit is still fresh.

    An authorization without a usable update time is left to the check `timestamp`.
    """

    name = "stale"
    alertname = "GitAuthorizationStale"
    description = (
        "The authorization was not renewed for longer than allowed; Git hosts expire or remove old"
        " credentials. Renew the credential and re-authorize it in the ServiceStage console."
    )

    def __init__(self, options: Options) -> None:
        self.severity = options.severity
        self.severities = frozenset(
            {
                options.severity,
                *(tier.severity for tier in options.tiers),
                *(override.severity for override in options.overrides if override.severity),
            }
        )
        matched = {str(field) for override in options.overrides for field in override.match}
        self.inputs = ("updated_at", *sorted(matched))
        self._overrides = options.overrides
        self._limits = (
            _Limit(options.max_age, options.severity),
            *(
                _Limit(tier.max_age, tier.severity)
                for tier in sorted(options.tiers, key=lambda tier: tier.max_age)
            ),
        )

    def inspect(self, observation: Observation) -> Iterator[Finding]:
        """What exceeds a limit now, with the severity of the highest limit that it exceeds."""
        for authorization in observation.authorizations.values():
            updated_at = known_time(authorization.updated_at)
            if updated_at is None:
                continue
            age = observation.now - updated_at
            limits = self._limits_of(observation.project, authorization)
            if age > limits[0].max_age:
                exceeded = [limit for limit in limits if age > limit.max_age]
                yield self._finding(authorization, updated_at, exceeded[-1])

    def fires_at(self, project: Project, authorization: Authorization, /) -> datetime | None:
        """The last instant at which it is still fresh; None when the update time is unknown."""
        updated_at = known_time(authorization.updated_at)
        if updated_at is None:
            return None
        return _end_of(self._limits_of(project, authorization)[0], updated_at)

    def turns(self, project: Project, authorization: Authorization, /) -> Iterator[datetime]:
        """The last instants within each limit."""
        if updated_at := known_time(authorization.updated_at):
            for limit in self._limits_of(project, authorization):
                yield _end_of(limit, updated_at)

    def _limits_of(self, project: Project, authorization: Authorization) -> tuple[_Limit, ...]:
        """Ascending, at least one."""
        for override in self._overrides:
            if matches(override.match, project, authorization):
                return (_Limit(override.max_age, override.severity or self.severity),)
        return self._limits

    def _finding(
        self, authorization: Authorization, updated_at: datetime, limit: _Limit
    ) -> Finding:
        return Finding(
            check=self.name,
            alertname=self.alertname,
            severity=limit.severity,
            authorization=authorization.name,
            summary=(
                f"{describe(authorization)} was last renewed {format_instant(updated_at)};"
                f" the limit is {format_duration(limit.max_age)}"
            ),
            since=updated_at + limit.max_age,
        )


def _end_of(limit: _Limit, updated_at: datetime) -> datetime:
    try:
        return updated_at + limit.max_age
    except OverflowError:
        return _END_OF_TIME


PLUGIN = Plugin("stale", Options, Stale)
