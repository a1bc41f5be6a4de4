"""How an event becomes a line: JSON for machines, columns for people."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

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
_TEXT = frozenset({str})

_ESCAPED_TWICE = r"\\"
"""A line with it may hold a secret that was escaped before, and then is in no known spelling."""

_HEAD = frozenset({"timestamp", "level"})
_NOT_FIELDS = _HEAD | {"exc_info"}
_EVENT_WIDTH = 22
"""Characters of `authorization.changed`, the longest name of an event, and one space."""


def json_processors(redactor: Redactor) -> Sequence[Processor]:
    """From an event to one line of JSON, without the values of variables in its traceback.

    First comes when, how serious and what; what is logged under these names does not count.
    """
    render_exception = ExceptionRenderer(ExceptionDictTransformer(show_locals=False, max_frames=20))
    render = JSONRenderer(ensure_ascii=False)

    def line(logger: WrappedLogger, method: str, event: EventDict) -> str:
        instant, name = _instant(), event.pop("event")
        if not _NOT_FIELDS.isdisjoint(event):
            event = _fields(render_exception(logger, method, event))
        if event and (fields := _encoded(event)):
            text = f'{{"timestamp": "{instant}", {_opening(method, name)}, {fields[1:]}'
            if _is_transparent(text) and redactor.is_clean(event, text):
                return text
        head = {"timestamp": instant, "level": method, "event": name}
        event = redactor(logger, method, {**head, **event})
        text = _encoded(event) or str(render(logger, method, event))
        return redactor.redact(_printable(text))

    return (line,)


@lru_cache(maxsize=1024)
def _opening(level: str, name: str) -> str:
    return f'"level": "{level}", "event": {json.dumps(name, ensure_ascii=False)}'


def _is_transparent(text: str) -> bool:
    """Whether a line of JSON shows what it holds in a spelling that the redactor knows."""
    # Of ASCII only DEL is left that JSON does not escape; isprintable() takes longer.
    is_printable = (text.isascii() and "\x7f" not in text) or text.isprintable()
    return is_printable and ("\\" not in text or _ESCAPED_TWICE not in text)


def _encoded(event: EventDict) -> str | None:
    """As JSONRenderer writes it, in half the time; None where it would write something else."""
    if not _are_alike(event.values()):
        return None
    try:
        return _spaced(_ENCODER.encode(event), indent=0).decode()
    except UnicodeEncodeError:
        return None


def _are_alike(values: Iterable[Any]) -> bool:
    for value in values:  # noqa: SIM110 -- a generator takes twice the time
        if type(value) not in _ALIKE and not _is_alike(value):
            return False
    return True


def _is_alike(value: Any) -> bool:
    kind = type(value)
    if kind is list or kind is tuple:
        return _are_alike(value)
    if kind is dict:
        return _TEXT.issuperset(map(type, value)) and _are_alike(value.values())
    return kind in _ALIKE


def console_processors(redactor: Redactor, *, colors: bool) -> Sequence[Processor]:
    """From an event to one line of text, followed by an indented traceback if there is one."""
    render = ConsoleRenderer(colors=colors, sort_keys=False, pad_event_to=_EVENT_WIDTH)

    def line(logger: WrappedLogger, method: str, event: EventDict) -> str:
        return redactor.redact(render(logger, method, event))

    return _headed, redactor, _printable_values, line


def _headed(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    head = {"timestamp": _instant(), "level": method, "event": event.pop("event")}
    return {**head, **_fields(format_exc_info(logger, method, event))}


def _fields(event: EventDict) -> EventDict:
    return {key: event[key] for key in event if key not in _HEAD}


def _instant() -> str:
    nanoseconds = time.time_ns()
    return f"{_iso(nanoseconds // 1_000_000_000)}.{str(nanoseconds)[-9:-3]}Z"


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
