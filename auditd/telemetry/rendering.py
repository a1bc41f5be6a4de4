"""How an event becomes a line: JSON for machines, columns for people."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from structlog.dev import ConsoleRenderer
from structlog.processors import ExceptionRenderer, JSONRenderer, format_exc_info
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from auditd.telemetry.redactor import Redactor

_ENCODER = msgspec.json.Encoder()
_spaced = msgspec.json.format
_ALIKE = frozenset({str, int, float, bool, type(None)})
"""Types whose values this encoder and the standard library's write alike."""

_HEAD = frozenset({"timestamp", "level"})
_EVENT_WIDTH = 22
"""Characters of `authorization.changed`, the longest name of an event, and one space."""


def json_processors(redactor: Redactor) -> Sequence[Processor]:
    """From an event to one line of JSON, without the values of variables in its traceback."""
    transform = ExceptionDictTransformer(show_locals=False, max_frames=20)
    render = JSONRenderer(ensure_ascii=False)
    redact = redactor.redact

    def line(logger: WrappedLogger, method: str, event: EventDict) -> tuple[tuple[str], EventDict]:
        text = _encoded(event) or str(render(logger, method, event))
        # Of ASCII only this is left that JSON does not escape; isprintable() takes longer.
        if not text.isascii() or "\x7f" in text:
            text = _printable(text)
        return (redact(text),), {}

    return _headed(ExceptionRenderer(transform)), redactor, line


def _encoded(event: EventDict) -> str | None:
    """As JSONRenderer writes it, in half the time; None where it would write something else."""
    for value in event.values():
        if type(value) not in _ALIKE and not _is_alike(value):
            return None
    try:
        return _spaced(_ENCODER.encode(event), indent=0).decode()
    except UnicodeEncodeError:
        return None


def _is_alike(value: object) -> bool:
    match value:
        case list():
            return all(map(_is_alike, value))
        case dict():
            return all(type(key) is str and _is_alike(each) for key, each in value.items())
        case _:
            return type(value) in _ALIKE


def console_processors(redactor: Redactor, *, colors: bool) -> Sequence[Processor]:
    """From an event to one line of text, followed by an indented traceback if there is one."""
    render = ConsoleRenderer(colors=colors, sort_keys=False, pad_event_to=_EVENT_WIDTH)

    def line(logger: WrappedLogger, method: str, event: EventDict) -> tuple[tuple[str], EventDict]:
        return (redactor.redact(render(logger, method, event)),), {}

    return _headed(format_exc_info), redactor, _printable_values, line


def _headed(render_exception: Callable[..., EventDict]) -> Processor:
    """When and how serious before what; what is logged under these names does not count."""

    def headed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        second, microsecond = divmod(time.time_ns() // 1000, 1_000_000)
        stamp = f"{_iso(second)}.{microsecond:06}Z"
        if not _HEAD.isdisjoint(event):
            event = {key: event[key] for key in event if key not in _HEAD}
        event = {"timestamp": stamp, "level": method, "event": event["event"], **event}
        return render_exception(logger, method, event) if "exc_info" in event else event

    return headed


@lru_cache(maxsize=1)
def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _printable_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """So that foreign text can neither steer a terminal nor pass for a line of its own."""
    traceback = event.pop("exception", None)
    cleaned = {
        key: _printable(value) if isinstance(value, str) else value for key, value in event.items()
    }
    if traceback is not None:
        lines = (_printable(line.expandtabs()) for line in traceback.split("\n"))
        cleaned["exception"] = textwrap.indent("\n".join(lines), "    ")
    return cleaned


def _printable(text: str) -> str:
    """The text with whatever is not a visible character or a space as a JSON escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )
