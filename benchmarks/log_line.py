"""What a line of the log costs whoever logs it."""
# ruff: noqa: INP001 - commands, not a package

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import monotonic, process_time, thread_time
from typing import TextIO

import structlog
from structlog.typing import Processor

from auditd.audit.events import PollFinished
from auditd.telemetry.event_log import EventLog
from auditd.telemetry.log import open_log
from auditd.telemetry.redactor import Redactor
from benchmarks.result import Row, Scale, at_least, at_most, command

_FIELDS = {
    "project": "payments",
    "duration_seconds": 0.034,
    "lag_seconds": 0.002,
    "authorizations": 100,
    "findings": 3,
    "warnings": (),
}


def measure(scale: Scale) -> Iterator[Row]:
    """A line of seven keys, and one below the level, against structlog over logging."""
    lines = scale.pick(20_000, 200)
    with Path("/dev/null").open("w", encoding="utf-8") as sink:
        stdlib = _stdlib_logger(sink)
        with open_log(
            sink, level="info", redactor=Redactor(), format="json", queue_size=10**9
        ) as log:
            events = EventLog(log.logger, monotonic=monotonic)
            quiet = PollFinished("payments", 0.034, 0.002, 100, 3, (), is_news=False)
            calls: dict[str, Callable[[], object]] = {
                "line": lambda: log.logger.info("poll.finished", **_FIELDS),
                "below": lambda: log.logger.debug("poll.finished", **_FIELDS),
                "event below": lambda: events(quiet),
                "stdlib": lambda: stdlib.info("poll.finished", **_FIELDS),
            }
            rounds = [
                {name: _cost(call, lines) for name, call in calls.items()}
                for _ in range(scale.pick(7, 1))
            ]
    took = {name: median(each[name][0] for each in rounds) for name in calls}
    cpu_us = median(each["line"][1] for each in rounds)
    yield Row(
        "a line of the log",
        took["line"],
        " us",
        at_most(6),
        f"with the thread that writes it {cpu_us:.1f} us of CPU",
    )
    yield Row(
        "that, cheaper than structlog over the standard library",
        took["stdlib"] / took["line"],
        " x",
        at_least(3),
        f"ProcessorFormatter and json {took['stdlib']:.1f} us",
    )
    quiet_event = f"an event of the daemon's that is below it {took['event below']:.2f} us"
    yield Row("a line below the level", took["below"], " us", at_most(1), quiet_event)


def _cost(call: Callable[[], object], lines: int) -> tuple[float, float]:
    """Microseconds of the caller's processor time, and of the whole process's, for each."""
    began, worked = thread_time(), process_time()
    for _ in range(lines):
        call()
    return (thread_time() - began) / lines * 1e6, (process_time() - worked) / lines * 1e6


def _stdlib_logger(sink: TextIO) -> structlog.stdlib.BoundLogger:
    """As structlog's documentation sets it up."""
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(sink)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logger = logging.getLogger("benchmark")
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    bound: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logger,
        wrapper_class=structlog.stdlib.BoundLogger,
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
    ).bind()
    return bound


main = command(measure)

if __name__ == "__main__":
    main()
