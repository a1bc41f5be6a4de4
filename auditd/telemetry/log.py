"""Opens the log and closes it, and routes what libraries say into it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from auditd.telemetry.libraries import library_logging
from auditd.telemetry.redactor import Redactor
from auditd.telemetry.rendering import console_processors, json_processors
from auditd.telemetry.repeats import Repeats
from auditd.telemetry.writer import LineWriter, stream_writer

CLOSE_DEADLINE_SECONDS = 2.0
"""How long a reader that does not read may hold up the end of the process."""

_WARNING = 4
"""The priority from which on no line makes room for others while there are lesser ones."""

Format = Literal["json", "console"]


@dataclass(frozen=True, slots=True)
class Log:
    """An open log. `dropped_lines()` counts what was not, or could not be, written."""

    logger: FilteringBoundLogger
    dropped_lines: Callable[[], int]


@contextmanager
def open_log(
    stream: TextIO,
    *,
    level: str,
    redactor: Redactor,
    format: Format | None = None,  # noqa: A002 -- the name of the flag that it comes from
    queue_size: int = 10_000,
    environment: Mapping[str, str] = os.environ,
    monotonic: Callable[[], float] = time.monotonic,
) -> Iterator[Log]:
    """Log to the stream until the block ends, then write what still waits, for 2 s at most.

    Nothing that is logged blocks or raises. Inside the block the standard library's logging
    and warnings go the same way: from warning on, or everything when `level` is debug.

    Args:
        stream: standard error, or any text stream. It is not closed.
        level: debug, info, warning, error or critical.
        redactor: cleans every line.
        format: None is console on a terminal and json elsewhere.
        queue_size: lines that may wait for a slow reader.
        environment: where NO_COLOR, TERM and JOURNAL_STREAM are looked up.
        monotonic: seconds, for holding back the repetitions of a library.
    """
    is_console = format == "console" or (format is None and stream.isatty())
    processors = (
        console_processors(redactor, colors=_has_colors(stream, environment))
        if is_console
        else json_processors(redactor)
    )
    writer = LineWriter(stream_writer(stream), capacity=queue_size)
    sink = _Sink(writer, is_journal=_is_journal(stream, environment))
    logger = _logger(sink, level, processors)
    try:
        with library_logging(logger, level=level, repeats=Repeats(monotonic)):
            yield Log(logger, lambda: writer.dropped)
    finally:
        writer.close(CLOSE_DEADLINE_SECONDS)


def _logger(sink: _Sink, level: str, processors: Sequence[Processor]) -> FilteringBoundLogger:
    logger: FilteringBoundLogger = structlog.wrap_logger(
        sink,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        context_class=dict,
    ).bind()
    return logger


class _Sink:
    """What structlog calls at the end of a chain: one method for each level.

    In the journal a line begins with its priority. Source: sd-daemon(3).
    """

    def __init__(self, writer: LineWriter, *, is_journal: bool) -> None:
        def puts(priority: int) -> Callable[[str], None]:
            put = writer.put if priority > _WARNING else writer.put_important
            return _into_journal(put, priority) if is_journal else put

        self.debug = puts(7)
        self.info = puts(6)
        self.warning = puts(_WARNING)
        self.error = puts(3)
        self.critical = puts(2)


def _into_journal(put: Callable[[str], None], priority: int) -> Callable[[str], None]:
    return lambda line: put("\n".join(f"<{priority}>{part}" for part in line.split("\n")))


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether the stream leads to journald. Source: systemd.exec(5), $JOURNAL_STREAM."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _has_colors(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Source: no-color.org; a dumb terminal is one without escape sequences."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
