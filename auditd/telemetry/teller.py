"""Writes one canonical line for one event, and one a minute of what goes on and on."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from typing import Any

from structlog.typing import FilteringBoundLogger

from auditd.telemetry.repeats import Repeats

_PLAIN = frozenset({str, int, bool, type(None)})


@dataclass(frozen=True, slots=True)
class Repetition:
    """Which events repeat each other: those of one kind, of which one an interval is logged.

    `is_first` begins a new series of the kind, because something else happened in between.
    """

    kind: Hashable
    is_first: bool = False
    interval_seconds: float = 60.0


class Teller:
    """What the logs of events have in common. Never blocks.

    Args:
        logger: where the lines go.
        monotonic: seconds.
    """

    def __init__(self, logger: FilteringBoundLogger, *, monotonic: Callable[[], float]) -> None:
        self._logger = logger
        self._repeats = Repeats(monotonic)

    def tell(
        self,
        level: int,
        name: str,
        details: Mapping[str, Any],
        repetition: Repetition | None = None,
    ) -> None:
        """Log an event. A detail that is not known (None) or empty is left out.

        Args:
            level: of the standard library's logging.
            name: the event's, `noun.participle`.
            details: the fields, in the order in which they are shown.
            repetition: what it may repeat. The line that follows some that were held back says in
                `suppressed` how many. None is always logged.
        """
        known = {
            field: value if type(value) in _PLAIN else plain(value)
            for field, value in details.items()
            if value or not _is_empty(value)
        }
        if repetition:
            suppressed = self._admit(repetition)
            if suppressed is None:
                return
            if suppressed:
                known["suppressed"] = suppressed
        self._logger.log(level, name, **known)

    def _admit(self, repetition: Repetition) -> int | None:
        if repetition.is_first:
            self._repeats.forget(repetition.kind)
        return self._repeats.admit(repetition.kind, interval_seconds=repetition.interval_seconds)


def fields_of(event: Any) -> dict[str, Any]:
    """Those of a dataclass, by name."""
    return {name: getattr(event, name) for name in _names(event.__class__)}


@cache
def _names(kind: Any) -> Sequence[str]:
    return tuple(field.name for field in fields(kind))


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", ())


def plain(value: Any) -> Any:
    """What both renderers write alike.

    An instant is ISO 8601 in UTC with Z, an enum its value, a number has three decimals.
    """
    if type(value) in _PLAIN:
        return value
    match value:
        case str():
            return str(value)
        case float():
            return round(value, 3)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case _:
            return value
