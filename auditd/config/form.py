"""Forms of single values, and of lists and mappings of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from auditd.config.node import Node
from auditd.config.reading import Form, Reading, RefusedError, Schema
from auditd.config.suggestion import did_you_mean, one_of

T = TypeVar("T")
K = TypeVar("K")

_REFERENCE = {"type": "string", "pattern": r"\$\{"}
"""Text with `${VAR}` may stand for a number, a truth value or one of several words."""


@dataclass(frozen=True, slots=True, eq=False)
class Made(Generic[T]):
    """A Form that is made of two functions."""

    read: Callable[[Node, Reading], T]
    schema: Callable[[Schema], Schema]


@dataclass(frozen=True, slots=True, eq=False)
class Check(Generic[T]):
    """Marks, in an annotation, what a value must fulfil beside its type.

    `apply` returns the value, maybe in a canonical spelling, or raises ValueError.
    """

    apply: Callable[[T], T]
    json_schema: Schema

    def on(self, form: Form[T]) -> Form[T]:
        """The form with this check."""
        return Made(
            lambda node, reading: self.apply(form.read(node, reading)),
            lambda definitions: form.schema(definitions) | self.json_schema,
        )


def scalar(parse: Callable[[Node], T], **json_schema: Any) -> Form[T]:
    """One value, made by `parse`, which raises ValueError when it cannot be."""
    return Made(lambda node, _: parse(node), lambda _: json_schema)


def described(form: Form[T], description: str) -> Form[T]:
    """The form with words about it, for a field whose docstring does not have them."""
    return Made(
        form.read, lambda definitions: form.schema(definitions) | {"description": description}
    )


def maybe(form: Form[T]) -> Form[T | None]:
    """A value, or null."""
    return Made(
        lambda node, reading: None if node.value is None else form.read(node, reading),
        lambda definitions: {"anyOf": [form.schema(definitions), {"type": "null"}]},
    )


def items(form: Form[T]) -> Form[tuple[T, ...]]:
    """A list."""
    return Made(
        lambda node, reading: tuple(reading.read_all((item, form) for item in node.items())),
        lambda definitions: {"type": "array", "items": form.schema(definitions)},
    )


def entries(
    key: Form[K], value: Form[T], *, known: type[StrEnum] | None = None
) -> Form[dict[K, T]]:
    """A mapping whose keys the user chooses, or takes from the `known` ones."""

    def read(node: Node, reading: Reading) -> dict[K, T]:
        table = node.table()
        words = [str(word) for word in known or table]
        reading.has_keys(node, words)
        pairs: list[tuple[Node, Form[Any]]] = []
        for word, entry in table.items():
            if word in words:
                pairs += [(Node(word, entry.key_place, entry.key_place, node, word), key)]
                pairs += [(entry, value)]
        found = reading.read_all(pairs)
        if len(pairs) < 2 * len(table):
            raise RefusedError
        return dict(zip(found[::2], found[1::2], strict=True))

    def schema(definitions: Schema) -> Schema:
        names, values = key.schema(definitions), value.schema(definitions)
        return {"type": "object", "propertyNames": names, "additionalProperties": values}

    return Made(read, schema)


def choice(words: type[StrEnum]) -> Form[StrEnum]:
    """One of an enumeration's words."""

    def parse(node: Node) -> StrEnum:
        if node.value in valid:
            return words(node.value)
        hint = did_you_mean(node.value, valid) if isinstance(node.value, str) else ""
        msg = f"expected {one_of(valid)}{hint}"
        raise ValueError(msg)

    valid = [word.value for word in words]
    return scalar(parse, anyOf=[{"enum": valid}, _REFERENCE])


def _truth(node: Node) -> bool:
    return node.need(bool, "true or false without quotes")


def _number(node: Node) -> float:
    number = node.resolved if type(node.resolved) is int else node.need(float, "a number")
    if not math.isfinite(number):
        msg = "must be a finite number"
        raise ValueError(msg)
    return float(number)


def _whole_number(node: Node) -> int:
    if isinstance(node.resolved, float):
        msg = "expected a whole number, without a fraction"
        raise ValueError(msg)  # noqa: TRY004 -- what is written is no type of ours
    return node.need(int, "a whole number")


TEXT = scalar(Node.text, type="string")
TRUTH = scalar(_truth, anyOf=[{"type": "boolean"}, _REFERENCE])
NUMBER = scalar(_number, anyOf=[{"type": "number"}, _REFERENCE])
WHOLE_NUMBER = scalar(_whole_number, anyOf=[{"type": "integer"}, _REFERENCE])
