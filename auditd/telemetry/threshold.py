"""The least important level that is logged, which a reload may change while others log."""

from __future__ import annotations

import logging

from structlog import DropEvent
from structlog.typing import EventDict, WrappedLogger

_LEVELS = {name.lower(): level for name, level in logging.getLevelNamesMapping().items()}


class Threshold:
    """The first processor of a chain: what is below the level goes no further.

    structlog's own filter is fixed when a logger is made, and every part of the program holds one.
    """

    def __init__(self, level: str) -> None:
        self.set(level)

    def set(self, level: str) -> None:
        """Log from this level on: debug, info, warning, error or critical. Any thread may call.

        Raises:
            KeyError: it is none of these.
        """
        self._least = _LEVELS[level]

    def __call__(self, _logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """As a structlog processor."""
        if _LEVELS[method] < self._least:
            raise DropEvent
        return event
