"""Statements that are made once and then run by the driver itself, for many rows at a time.

What SQLAlchemy does for each row and each statement takes longer than to write the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, Executable

Row: TypeAlias = Sequence[Any]

_WIDTHS = (128, 16)
"""Rows at once. With at most seven columns: SQLite took at most 999 values before 3.32."""
_VALUES = re.compile(r"VALUES (\([?, ]+\))$")
"""Where a statement only adds."""


@dataclass(frozen=True, eq=False, slots=True)
class Statement:
    """One that gives no rows back.

    `make` gives it for a dialect. `names` are those of its parameters, in the order in which a
    row has them.
    """

    make: Callable[[Dialect], Executable]
    names: tuple[str, ...]

    def run(self, connection: Connection, rows: Iterable[Row]) -> None:
        """Once for each row, in their order; nothing at all without rows."""
        columns = [*zip(*rows, strict=True)]
        if columns:
            form = _form(self, connection.dialect)
            form.run(connection, form.parameters(columns))


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    column: int
    """Its place in a row."""
    process: Callable[[Any], Any] | None
    """What makes of a value what the driver takes; None where it takes the value."""

    def values(self, given: Sequence[Any]) -> Iterable[Any]:
        """What the driver takes of each. Many rows have the same project or instant."""
        if self.process is None:
            return given
        distinct = set(given)
        if 2 * len(distinct) > len(given):
            return map(self.process, given)
        taken = {value: self.process(value) for value in distinct}
        return map(taken.__getitem__, given)


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as a driver takes it."""

    texts: Mapping[int, str]
    """By the number of rows that it is for, the most first; there is one for one."""
    given: tuple[_Parameter, ...]
    is_positional: bool

    def parameters(self, columns: Sequence[Sequence[Any]]) -> list[Any]:
        """For each row, from all values of each parameter."""
        rows = zip(*(each.values(columns[each.column]) for each in self.given), strict=True)
        if self.is_positional:
            return [*rows]
        names = [each.name for each in self.given]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def run(self, connection: Connection, rows: Sequence[Any]) -> None:
        """Once for each, as `parameters` gave them."""
        for width, text in self.texts.items():
            count = len(rows) // width * width
            some, rows = rows[:count], rows[count:]
            if width > 1:
                starts = range(0, count, width)
                some = [tuple(chain.from_iterable(some[at : at + width])) for at in starts]
            if some:
                connection.exec_driver_sql(text, some)


@lru_cache(maxsize=64)
def _form(statement: Statement, dialect: Dialect) -> _Form:
    names = statement.names
    core: Any = statement.make(dialect)
    compiled = core.compile(dialect=dialect, column_keys=names)
    types = {name: bind.type.dialect_impl(dialect) for name, bind in compiled.binds.items()}
    order = compiled.positiontup if compiled.positional else names
    given = (
        _Parameter(each, names.index(each), types[each].bind_processor(dialect)) for each in order
    )
    return _Form(_texts(str(compiled)), tuple(given), compiled.positional)


def _texts(text: str) -> Mapping[int, str]:
    """By the number of rows, the most first.

    SQLite's driver gives up the interpreter for each run of a statement, and then waits until the
    event loop lets go of it. That of PostgreSQL, whose parameters have names, does not.
    """
    found = _VALUES.search(text)
    if not found:
        return {1: text}
    # A work is taken back as a whole. Without OR FAIL SQLite would keep a copy of each page, in a
    # file, to take back a part of a statement; where one replaces rows it does even so.
    wide = text.replace("INSERT INTO", "INSERT OR FAIL INTO", 1)
    row = found[1]
    rows = {width: _VALUES.sub("VALUES " + ", ".join([row] * width), wide) for width in _WIDTHS}
    return {**rows, 1: text}
