"""One YAML file, read strictly, with the place of everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from yaml import (
    AliasEvent,
    CollectionStartEvent,
    CSafeLoader,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Mark,
    MarkedYAMLError,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from auditd.config.interpolation import interpolate
from auditd.config.node import Sequence, Table, Text, show
from auditd.config.problem import Place, Problems
from auditd.config.scalar import resolve
from auditd.config.syntax import explain

NODE_BUDGET = 200_000
"""How many values aliases may repeat: a few lines of nested aliases can stand for billions."""

DEPTH_LIMIT = 64
"""How deep lists and mappings may lie in each other."""

_TEXT_TAG = "tag:yaml.org,2002:str"


class _NotYamlError(Exception):
    """What follows cannot be read; the problem is recorded already."""


class Document:
    """Builds data from the parser's events.

    PyYAML's composer is not used: it recurses in C, so deep nesting ends the process.
    """

    def __init__(
        self, text: str, file: str, *, environ: Mapping[str, str], problems: Problems
    ) -> None:
        self._text = text
        self._file = file
        self._environ = environ
        self._problems = problems
        self._parser = CSafeLoader(text)
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0
        self._repeated = 0
        self._path: list[str | int] = []

    def read(self) -> Any:
        """The document's data; None when it is empty or, with a problem recorded, not YAML."""
        try:
            return self._read()
        except MarkedYAMLError as error:
            line, column, message = explain(error, self._text)
            self._problems.add(Place(self._file, line, column), "", message)
        except _NotYamlError:
            pass
        return None

    def _read(self) -> Any:
        self._next()  # the stream's start
        if isinstance(self._next(), StreamEndEvent):
            return None
        value = self._node(self._next())
        self._next()  # the document's end
        if isinstance(event := self._next(), DocumentStartEvent):
            self._complain(event, "a second document begins here; one file holds one")
        return value

    def _next(self) -> Event:
        return cast("Event", self._parser.get_event())  # None comes only after the stream's end

    def _node(self, event: Event) -> Any:
        nodes_before = self._nodes
        self._nodes += 1
        match event:
            case AliasEvent():
                return self._alias(event)
            case ScalarEvent():
                value = self._scalar(event)
            case MappingStartEvent():
                value = self._mapping(event)
            case _:
                value = self._sequence(event)
        if isinstance(event, NodeEvent) and event.anchor is not None:
            self._anchors[event.anchor] = value, self._nodes - nodes_before
        return value

    def _alias(self, event: AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            self._complain(
                event,
                "a value that begins with '*' is a YAML alias, and no anchor before it has this"
                " name; put the text in quotes",
            )
            return Text("", self._place(event))
        value, nodes = self._anchors[event.anchor]
        self._nodes += nodes
        self._repeated += nodes
        if self._repeated > NODE_BUDGET:
            self._complain(event, f"aliases repeat more than {NODE_BUDGET} values")
            raise _NotYamlError
        return value

    def _scalar(self, event: ScalarEvent) -> Any:
        if event.tag not in {None, "!", _TEXT_TAG}:
            self._complain(
                event, "a value that begins with '!' is a YAML tag; put the text in quotes"
            )
        value = resolve(event.value) if event.implicit[0] else event.value
        if isinstance(value, str):
            return self._expanded(value, event)
        if isinstance(value, bool) or value is None:
            return value
        return Text(event.value, self._place(event), is_number=True)

    def _expanded(self, text: str, event: ScalarEvent) -> Text:
        place = self._place(event)
        if "$" not in text:
            return Text(text, place)
        try:
            return Text(interpolate(text, self._environ), place, is_expanded=True)
        except ValueError as error:
            self._complain(event, str(error))
            return Text(text, place)

    def _mapping(self, event: MappingStartEvent) -> Table:
        self._enter(event)
        table = Table(self._place(event))
        while not isinstance(key_event := self._next(), MappingEndEvent):
            key = self._key(key_event, table)
            self._path.append(key or "?")
            value_event = self._next()
            value = self._node(value_event)
            if key is not None:
                table.put(key, value, (self._place(key_event), self._place(value_event)))
            self._path.pop()
        return table

    def _key(self, event: Event, table: Table) -> str | None:
        """The key, or None when its value is to be read and dropped."""
        if not isinstance(event, ScalarEvent):
            self._node(event)
            self._complain(event, "a key must be text, not a list, a mapping or an alias")
            return None
        key = event.value
        if event.implicit[0] and not isinstance(resolve(key), str):
            self._complain(event, "a key must be text; put it in quotes")
        elif key == "<<" and event.implicit[0]:
            self._complain(event, "merge keys ('<<') are not part of YAML 1.2; repeat the keys")
        elif key in table:
            self._path.append(key)
            self._complain(event, f"this key is already set at {table.places[key][0]}")
            self._path.pop()
        else:
            return key
        return None

    def _sequence(self, event: Event) -> Sequence:
        self._enter(event)
        items: list[tuple[Any, tuple[Place, int]]] = []
        while not isinstance(item_event := self._next(), SequenceEndEvent):
            self._path.append(len(items))
            items.append((self._node(item_event), (self._place(item_event), len(items))))
            self._path.pop()
        return Sequence(self._place(event), items)

    def _enter(self, event: Event) -> None:
        if isinstance(event, CollectionStartEvent) and event.tag not in {None, "!"}:
            self._complain(event, "YAML tags ('!') are not supported; remove it")
        if len(self._path) > DEPTH_LIMIT:
            message = f"lists and mappings are nested more than {DEPTH_LIMIT} deep"
            self._problems.add(self._place(event), "", message)
            raise _NotYamlError

    def _complain(self, event: Event, message: str) -> None:
        self._problems.add(self._place(event), show(self._path), message)

    def _place(self, event: Event) -> Place:
        mark = cast("Mark", event.start_mark)  # the parser sets it on each event
        return Place(self._file, mark.line + 1, mark.column + 1)
