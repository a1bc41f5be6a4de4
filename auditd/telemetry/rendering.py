"""How an event becomes a line: JSON for machines, columns for people."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence

from structlog.dev import ConsoleRenderer
from structlog.processors import (
    ExceptionRenderer,
    JSONRenderer,
    TimeStamper,
    add_log_level,
    format_exc_info,
)
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from auditd.telemetry.redactor import Redactor

_EVENT_WIDTH = 22
"""Characters of `authorization.changed`, the longest name of an event, and one space."""


def json_processors(redactor: Redactor) -> Sequence[Processor]:
    """From an event to one line of JSON, without the values of variables in its traceback."""
    transform = ExceptionDictTransformer(show_locals=False, max_frames=20)
    render = JSONRenderer(serializer=json.dumps, ensure_ascii=False)
    return (
        TimeStamper(fmt="iso", utc=True),
        add_log_level,
        ExceptionRenderer(transform),
        _in_order,
        redactor,
        _line(lambda *event: _printable(str(render(*event))), redactor),
    )


def console_processors(redactor: Redactor, *, colors: bool) -> Sequence[Processor]:
    """From an event to one line of text, followed by an indented traceback if there is one."""
    render = ConsoleRenderer(colors=colors, sort_keys=False, pad_event_to=_EVENT_WIDTH)
    return (
        TimeStamper(fmt="iso", utc=True),
        add_log_level,
        format_exc_info,
        _in_order,
        redactor,
        _printable_values,
        _line(render, redactor),
    )


def _line(render: Callable[..., str], redactor: Redactor) -> Processor:
    """The end of a chain: what the logger underneath is called with."""

    def rendered(
        logger: WrappedLogger, method: str, event: EventDict
    ) -> tuple[tuple[str], EventDict]:
        return (redactor.redact(render(logger, method, event)),), {}

    return rendered


def _in_order(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {**{key: event.pop(key) for key in ("timestamp", "level", "event")}, **event}


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
