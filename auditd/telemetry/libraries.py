"""Routes the standard library's logging, and with it what libraries say, into our log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.typing import FilteringBoundLogger

from auditd.telemetry import names
from auditd.telemetry.repeats import Repeats


class LibraryHandler(logging.Handler):
    """Renders records as `library.logged`.

    A warning or error with the same text before its arguments passes once a minute: a hostile
    client can make aiohttp.server log an error for each of its requests.
    """

    def __init__(self, logger: FilteringBoundLogger, repeats: Repeats) -> None:
        super().__init__()
        self._logger = logger
        self._repeats = repeats

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record. logging calls it under the handler's lock."""
        suppressed: int | None = 0
        if record.levelno >= logging.WARNING:
            suppressed = self._repeats.admit((record.name, record.levelno, str(record.msg)))
        if suppressed is None:
            return
        fields: dict[str, str | int] = {"logger": record.name, "message": _message(record)}
        if suppressed:
            fields["suppressed"] = suppressed
        self._logger.log(
            _known_level(record.levelno), names.LIBRARY_LOGGED, exc_info=record.exc_info, **fields
        )


@contextmanager
def library_logging(
    logger: FilteringBoundLogger, *, level: str, repeats: Repeats
) -> Iterator[None]:
    """Make ours the only handler of the root logger, and warnings its records, for a while.

    Everything is heard when our own `level` is debug, and from warning on otherwise.
    """
    root = logging.getLogger()
    handlers, root_level = root.handlers[:], root.level
    root.handlers[:] = [LibraryHandler(logger, repeats)]
    root.setLevel(logging.DEBUG if level == "debug" else logging.WARNING)
    logging.captureWarnings(capture=True)
    try:
        yield
    finally:
        logging.captureWarnings(capture=False)
        root.handlers[:] = handlers
        root.setLevel(root_level)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 -- a library's wrong format arguments are not our failure
        return str(record.msg)


def _known_level(levelno: int) -> int:
    """The standard level at or below, for levels that a library made up."""
    return max(logging.DEBUG, min(levelno, logging.CRITICAL) // 10 * 10)
