"""One YAML file, read strictly, with the place of everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import yaml

from auditd.config.interpolation import interpolate
from auditd.config.node import Node
from auditd.config.problem import Place, Problems
from auditd.config.scalar import resolve
from auditd.config.syntax import explain

NODE_BUDGET = 200_000
"""How many values aliases may repeat: a few lines of nested aliases can stand for billions."""

DEPTH_LIMIT = 64
"""How deep lists and mappings may lie in each other."""

_NO_ANCHOR = (
    "a value that begins with '*' is a YAML alias, and no anchor before it has this name; put the"
    " text in quotes"
)
_CONTAINS_ITSELF = "the value that this alias repeats contains itself"
_TEXT_TAG = "tag:yaml.org,2002:str"


class _NotYamlError(Exception):
    """What follows cannot be read; the problem is recorded already."""


class Document:
    """Builds nodes from the parser's events.

    PyYAML's composer is not used: it recurses in C, so deep nesting ends the process.
    Without `environ` a `$` has no meaning.
    """

    def __init__(
        self, text: str, file: str, *, environ: Mapping[str, str] | None, problems: Problems
    ) -> None:
        self._text = text
        self._file = file
        self._environ = environ
        self._problems = problems
        self._parser = yaml.CSafeLoader(text)
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        """What stands under an anchor, with how many nodes it has; None until its end."""
        self._nodes = 0
        self._repeated = 0
        self._depth = 0

    def read(self) -> Node | None:
        """The document's root; None when it is empty or, with a problem recorded, not YAML."""
        try:
            return self._read()
        except yaml.MarkedYAMLError as error:
            line, column, message = explain(error, self._text)
            self._problems.add(Place(self._file, line, column), "", message)
        except _NotYamlError:
            pass
        return None

    def _read(self) -> Node | None:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        event = self._next()
        root = self._node(event, Node(None, self._place(event), self._place(event)))
        self._next()  # the document's end
        if isinstance(event := self._next(), yaml.DocumentStartEvent):
            message = "a second document begins here; one file holds one"
            self._problems.add(self._place(event), "", message)
        return root

    def _next(self) -> yaml.Event:
        return cast(
            "yaml.Event", self._parser.get_event()
        )  # None comes only after the stream's end

    def _node(self, event: yaml.Event, node: Node) -> Node:
        """The same node, filled in."""
        nodes_before = self._nodes
        self._nodes += 1
        if isinstance(event, yaml.AliasEvent):
            self._alias(event, node)
            return node
        anchor = event.anchor if isinstance(event, yaml.NodeEvent) else None
        if anchor is not None:
            self._anchors[anchor] = None
        match event:
            case yaml.ScalarEvent():
                self._scalar(event, node)
            case yaml.MappingStartEvent():
                self._mapping(event, node)
            case yaml.CollectionStartEvent():
                self._sequence(event, node)
        if anchor is not None:
            self._anchors[anchor] = node, self._nodes - nodes_before
        return node

    def _alias(self, event: yaml.AliasEvent, node: Node) -> None:
        anchor = cast("str", event.anchor)  # the parser sets it on each alias
        found = self._anchors.get(anchor)
        if found is None:
            is_inside = anchor in self._anchors
            self._complain(node, _CONTAINS_ITSELF if is_inside else _NO_ANCHOR)
            node.value = ""
            return
        meant, nodes = found
        node.value, node.is_number, node.is_expanded = (
            meant.value,
            meant.is_number,
            meant.is_expanded,
        )
        self._nodes += nodes
        self._repeated += nodes
        if self._repeated > NODE_BUDGET:
            self._complain(node, f"aliases repeat more than {NODE_BUDGET} values")
            raise _NotYamlError

    def _scalar(self, event: yaml.ScalarEvent, node: Node) -> None:
        if event.tag not in {None, "!", _TEXT_TAG}:
            self._complain(
                node, "a value that begins with '!' is a YAML tag; put the text in quotes"
            )
        node.value = resolve(event.value) if event.implicit[0] else event.value
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            node.value, node.is_number = event.value, True
        elif self._environ is not None and isinstance(node.value, str) and "$" in node.value:
            node.is_expanded = "${" in node.value.replace("$$", "")
            try:
                node.value = interpolate(node.value, self._environ)
            except ValueError as error:
                self._complain(node, str(error))

    def _mapping(self, event: yaml.MappingStartEvent, node: Node) -> None:
        self._enter(event, node)
        node.value = {}
        while not isinstance(key_event := self._next(), yaml.MappingEndEvent):
            key = self._key(key_event, node)
            event_of_value = self._next()
            place = self._place(event_of_value)
            value = Node(None, place, self._place(key_event), node, key or "?")
            self._node(event_of_value, value)
            if key is not None:
                node.value[key] = value
        self._depth -= 1

    def _key(self, event: yaml.Event, node: Node) -> str | None:
        """The key, or None when its value is to be read and dropped."""
        place = self._place(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._node(event, Node(None, place, place, node.parent, node.step))
            message = "a key must be text, not a list, a mapping or an alias"
        elif event.implicit[0] and not isinstance(resolve(event.value), str):
            message = "a key must be text; put it in quotes"
        elif event.value == "<<" and event.implicit[0]:
            message = "merge keys ('<<') are not part of YAML 1.2; repeat the keys"
        elif first := node.value.get(event.value):
            message = f"this key is already set at {first.key_place}"
            self._problems.add(place, first.path, message)
            return None
        else:
            return event.value
        self._problems.add(place, node.path, message)
        return None

    def _sequence(self, event: yaml.CollectionStartEvent, node: Node) -> None:
        self._enter(event, node)
        node.value = []
        while not isinstance(item_event := self._next(), yaml.SequenceEndEvent):
            place = self._place(item_event)
            item = Node(None, place, place, node, len(node.value))
            node.value.append(self._node(item_event, item))
        self._depth -= 1

    def _enter(self, event: yaml.CollectionStartEvent, node: Node) -> None:
        if event.tag not in {None, "!"}:
            self._complain(node, "YAML tags ('!') are not supported; remove it")
        self._depth += 1
        if self._depth > DEPTH_LIMIT + 1:
            message = f"lists and mappings are nested more than {DEPTH_LIMIT} deep"
            self._problems.add(node.place, "", message)
            raise _NotYamlError

    def _complain(self, node: Node, message: str) -> None:
        self._problems.add(node.place, node.path, message)

    def _place(self, event: yaml.Event) -> Place:
        mark = cast("yaml.Mark", event.start_mark)  # the parser sets it on each event
        return Place(self._file, mark.line + 1, mark.column + 1)
