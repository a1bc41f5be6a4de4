"""Without trustworthy times nothing can be said of an authorization's age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from auditd.audit.authorization import Authorization, Timestamp, TimestampFault, known_time
from auditd.audit.instant import format_instant
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.timestamp`.

    `tolerance` is how far ahead of our clock a time may lie; exactly that far is still fine.

    Raises:
        ValueError: `tolerance` is negative.
    """

    tolerance: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.tolerance < timedelta(0):
            msg = "tolerance must not be negative"
            raise ValueError(msg)


def build(options: Options) -> Rule:
    """The check for times that cannot be used or contradict each other."""
    return Rule(
        name="timestamp",
        alertname="GitAuthorizationTimestampInvalid",
        severity=options.severity,
        description=(
            "The listed creation or update time cannot be right, so the age is unknown and"
            " `stale` cannot watch it. If only one clock differs, set that clock."
        ),
        judge=partial(_judge, options.tolerance),
        inputs=("created_at", "updated_at"),
        turns_of=partial(_turns, options.tolerance),
    )


def _turns(tolerance: timedelta, authorization: Authorization) -> Iterator[datetime]:
    """When the times cease to be in the future."""
    for timestamp in (authorization.created_at, authorization.updated_at):
        if isinstance(timestamp, datetime):
            try:
                turn = timestamp - tolerance
            except OverflowError:  # it has never been in the future
                continue
            yield turn


def _judge(tolerance: timedelta, observation: Observation) -> Iterator[tuple[Authorization, str]]:
    for authorization in observation.authorizations.values():
        if _is_in_order(authorization, observation.now):
            continue
        if faults := [*_faults(authorization, observation.now, tolerance)]:
            yield authorization, f"has times that cannot be right: {', '.join(faults)}"


def _is_in_order(authorization: Authorization, now: datetime) -> bool:
    """What nearly all are, found out in a fraction of the time that their faults take."""
    created_at, updated_at = authorization.created_at, authorization.updated_at
    return (
        isinstance(created_at, datetime)
        and isinstance(updated_at, datetime)
        and created_at <= updated_at <= now
    )


def _faults(authorization: Authorization, now: datetime, tolerance: timedelta) -> Iterator[str]:
    yield from _own_faults("create time", authorization.created_at, now, tolerance)
    yield from _own_faults("update time", authorization.updated_at, now, tolerance)
    created_at = known_time(authorization.created_at)
    updated_at = known_time(authorization.updated_at)
    if created_at and updated_at and updated_at < created_at:
        yield "updated before it was created"


def _own_faults(
    what: str, timestamp: Timestamp, now: datetime, tolerance: timedelta
) -> Iterator[str]:
    if isinstance(timestamp, TimestampFault):
        yield f"{what} {timestamp.replace('_', ' ')}"
    elif timestamp - now > tolerance:
        yield f"{what} {format_instant(timestamp)} in the future"


PLUGIN = Plugin("timestamp", Options, build)
