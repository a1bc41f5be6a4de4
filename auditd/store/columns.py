"""What can be in a column, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime as RFC 3339 text of fixed width, which sorts as the instants do."""

    impl = String(27)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:  # noqa: ARG002 -- SQLAlchemy's signature
        """Of each poll many are written; by way of process_bind_param they take twice as long."""
        return _text

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy's signature
        """The instant of a text. Raises ValueError or TypeError for anything else."""
        return None if value is None else datetime.fromisoformat(value)


_INSTANT = "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ"
"""Of the ways to write an instant the quickest; isoformat() takes twice as long."""


def instant_text(instant: datetime) -> str:
    """As stored: `2026-01-01T00:00:00.000000Z`. `instant` is aware."""
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    parts = at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond
    return _INSTANT % parts


def _text(instant: datetime | None) -> str | None:
    return instant_text(instant) if instant else None


class Words(TypeDecorator[str]):
    """Any text, which sorts by its code points everywhere.

    What a database would refuse is replaced: NUL, which PostgreSQL has not, and surrogates, which
    are no text at all but what Python makes of a file name that is not UTF-8.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """SQLite sorts so by itself."""
        return Text(collation="C" if dialect.name == "postgresql" else None)

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 -- SQLAlchemy's signature
        """The text as it is stored; see Instant."""
        return _words


class Key(Words):
    """Any text that is looked up, however long: PostgreSQL has no index of 3 kB and more.

    What is read is not always what was written, so what matters is in the body as well.
    """

    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[str | None], str | None]:
        """A digest in the place of a long text."""
        return _key if dialect.name == "postgresql" else _words


_LONGEST_KEY = 500
"""Characters, each of up to 4 bytes."""


def stored_key(key: str) -> str:
    """The text of a Key as PostgreSQL has it; that of one that is stored already is the same."""
    text = legible(key)
    if len(text) <= _LONGEST_KEY:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def legible(text: str) -> str:
    """The text with U+FFFD in the place of what no database takes."""
    if text.isascii() and "\0" not in text:
        return text
    return _ILLEGIBLE.sub("\ufffd", text)


def _words(value: str | None) -> str | None:
    return value if value is None else legible(value)


def _key(value: str | None) -> str | None:
    return value if value is None else stored_key(value)


_ILLEGIBLE = re.compile("[\0\ud800-\udfff]")
