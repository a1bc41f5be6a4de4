"""A dataclass is the form of a mapping in the configuration.

Fields are keys (a trailing underscore is dropped), fields with a default may be left out, and
the docstring under a field describes its key. One mechanism serves the program's own sections
and the options of plugins, whose rooms know nothing of YAML.
"""

from __future__ import annotations

import builtins
import collections.abc
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from auditd.audit.duration import format_duration
from auditd.audit.expression import Expression
from auditd.config.constraint import DURATION, EXPRESSION, FILE, PATTERN, Name
from auditd.config.description import field_descriptions
from auditd.config.form import (
    NUMBER,
    TEXT,
    TRUTH,
    WHOLE_NUMBER,
    Check,
    Made,
    choice,
    entries,
    items,
    maybe,
)
from auditd.config.node import Node
from auditd.config.reading import Form, Reading, RefusedError, Schema
from auditd.config.secret_form import secret_forms

T = TypeVar("T")

_SCALARS: Mapping[Any, Form[Any]] = {
    bool: TRUTH,
    int: WHOLE_NUMBER,
    float: NUMBER,
    str: TEXT,
    timedelta: DURATION,
    Path: FILE,
    re.Pattern[str]: PATTERN,
    Expression: EXPRESSION,
}


def form_of(annotation: Any) -> Form[Any]:
    """The form of what a type annotation says.

    Understood are bool, int, float, str, timedelta (a duration), Path (an existing file),
    StrEnum, re.Pattern[str], Expression, dataclasses, tuple[X, ...], Mapping[K, V], X | None, and
    Annotated with one mark: a Form instead of the type's own, or a Check beside it.

    Raises:
        TypeError: it is another type.
    """
    if form := _SCALARS.get(annotation):
        return form
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return choice(annotation)
    if isinstance(annotation, type) and is_dataclass(annotation):
        return Record(annotation)
    return _composed(annotation)


def _composed(annotation: Any) -> Form[Any]:
    match get_origin(annotation), get_args(annotation):
        case typing.Annotated, (inner, Check() as check):
            return check.on(form_of(inner))
        case typing.Annotated, (_, Made() as form):
            return form
        case ((typing.Union | types.UnionType), (inner, types.NoneType)):
            return maybe(form_of(inner))
        case builtins.tuple, (inner, _):
            return items(form_of(inner))
        case collections.abc.Mapping, (key, inner):
            is_known = isinstance(key, type) and issubclass(key, StrEnum)
            return entries(form_of(key), form_of(inner), known=key if is_known else None)
    msg = f"a configuration key cannot have the type {annotation!r}"
    raise TypeError(msg)


@dataclass(frozen=True, slots=True)
class _Slot:
    """A key of a record, and the dataclass's field that it fills."""

    field: str
    key: str
    form: Form[Any]
    is_required: bool = False
    default: Any = None
    """As it would be written; None when it is not a word or number."""
    is_secret: bool = False
    """Then null is as good as no key, and there is another key for the same field."""


class Record(Generic[T]):
    """A mapping whose keys are a dataclass's fields.

    With `kind` it has the key `type` too; with `entry` also `name`, and the value is
    `entry(name, kind, options)`. `forms` are for fields whose types do not say how they are
    written. A ValueError of the dataclass is a problem of the mapping.
    """

    def __init__(
        self,
        options: type[Any],
        *,
        kind: str = "",
        entry: Callable[..., T] | None = None,
        forms: Mapping[str, Form[Any]] = MappingProxyType({}),
    ) -> None:
        self._options = options
        self._kind = kind
        self._entry = entry
        self._forms = forms

    def read(self, node: Node, reading: Reading) -> T:
        """See Form."""
        values = self._values(node, reading)
        name = values.pop("name") if self._entry else None
        if self._kind:
            values.pop("type")
        options = self._options(**values)
        return self._entry(name, self._kind, options) if self._entry else options

    def _values(self, node: Node, reading: Reading) -> dict[str, Any]:
        """What the keys say, by field."""
        slots, table = self._slots, node.table()
        unknown = [
            reading.unknown_key(value, slots) for key, value in table.items() if key not in slots
        ]
        written = [
            (slots[key], value)
            for key, value in table.items()
            if key in slots and not (slots[key].is_secret and value.value is None)
        ]
        given = {slot.field: (value, slot.form) for slot, value in written}
        absent = [slot for slot in slots.values() if slot.is_required and slot.field not in given]
        for slot in absent:
            if not {slot.key, f"{slot.key}_file"} & set(unknown):  # the near miss is told already
                also = f" or {slot.key}_file" if slot.is_secret else ""
                empty = table.get(slot.key)  # a secret that is null
                reading.complain(empty or node.absent(slot.key), f"this key{also} is required")
        if len(given) < len(written):
            _complain_of_both(written, reading)
        values = reading.read_all(given.values())
        if unknown or absent or len(given) < len(written):
            raise RefusedError
        return dict(zip(given, values, strict=True))

    @cached_property
    def _slots(self) -> Mapping[str, _Slot]:
        """By key. Made when first needed, because a dataclass may contain itself."""
        return {slot.key: slot for slot in self._make_slots()}

    def _make_slots(self) -> Iterator[_Slot]:
        if self._entry:
            yield _Slot("name", "name", form_of(Name), is_required=True)
        if self._kind:
            yield _Slot("type", "type", TEXT, is_required=True)
        hints = get_type_hints(self._options, include_extras=True)
        for field in fields(self._options):
            yield from _slots_of(field, hints[field.name], self._forms.get(field.name))

    def schema(self, definitions: Schema) -> Schema:
        """See Form. The mapping itself is one of the definitions."""
        name = f"{self._options.__module__}.{self._options.__qualname__}"
        if name not in definitions:
            definitions[name] = {}  # a record that contains itself refers to it
            definitions[name] |= self._described(definitions)
        return {"$ref": f"#/$defs/{name}"}

    def _described(self, definitions: Schema) -> Schema:
        slots = self._slots.values()
        told = {"name": "A unique name."} | field_descriptions(self._options)
        properties = {slot.key: _property(slot, told, definitions) for slot in slots}
        if self._kind:
            properties["type"] = {"const": self._kind, "description": self._options.__doc__}
        needed = [slot for slot in slots if slot.is_required]
        either = [
            {"oneOf": [{"required": [slot.key]}, {"required": [f"{slot.key}_file"]}]}
            for slot in needed
            if slot.is_secret
        ]
        return {
            "title": self._kind or self._options.__name__,
            "type": "object",
            "properties": properties,
            "required": [slot.key for slot in needed if not slot.is_secret],
            "additionalProperties": False,
        } | ({"allOf": either} if either else {})


def _complain_of_both(written: Sequence[tuple[_Slot, Node]], reading: Reading) -> None:
    keys = {slot.key for slot, _ in written}
    for slot, value in written:
        either = slot.key.removesuffix("_file")
        if slot.key != either and either in keys:
            reading.complain(value, f"give either {either} or {slot.key}, not both")


def _slots_of(field: Field[Any], annotation: Any, form: Form[Any] | None) -> Iterator[_Slot]:
    key = field.name.rstrip("_")
    is_required = field.default is MISSING and field.default_factory is MISSING
    if forms := secret_forms(annotation):
        inline, in_file = forms
        yield _Slot(field.name, key, inline, is_required, is_secret=True)
        yield _Slot(field.name, f"{key}_file", in_file, is_secret=True)
    else:
        form = form or form_of(annotation)
        yield _Slot(field.name, key, form, is_required, _written(field.default))


def _property(slot: _Slot, descriptions: Mapping[str, str], definitions: Schema) -> Schema:
    if slot.key == f"{slot.field}_file":
        about = f"A file that holds {slot.field}; it is read again when it changes."
    else:
        about = descriptions.get(slot.field, "")
    told = {"description": about or None, "default": slot.default}
    described = {word: value for word, value in told.items() if value is not None}
    return slot.form.schema(definitions) | described


def _written(default: Any) -> Any:
    match default:
        case timedelta():
            return format_duration(default)
        case Enum():
            return default.value
        case bool() | int() | float() | str():
            return default
        case _:
            return None
