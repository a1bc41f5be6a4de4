"""pydantic's errors in words for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from auditd.config.node import KeyPath, kind_of
from auditd.config.secret_field import OPTION_PREFIX
from auditd.config.suggestion import did_you_mean, nearest, one_of

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
_CHOICES = frozenset({"enum", "literal_error"})

KeysAt: TypeAlias = Callable[[KeyPath], Iterable[str]]
"""The valid keys of the mapping at a path."""


class Fault(NamedTuple):
    """What is wrong at a path below the data that was validated."""

    path: KeyPath
    message: str
    at_key: bool = False
    """Whether it is the key itself that is wrong, not its value."""
    shows_key: bool = True
    """Whether the key may be shown: an unknown one may be a secret in the wrong place."""


def faults(error: ValidationError, data: Any, keys_at: KeysAt) -> Iterator[Fault]:
    """What the error tells, in the order of the model's keys.

    A missing key is left out when an unknown key beside it is probably meant to be it.
    """
    details = error.errors(include_url=False, include_input=False, include_context=False)
    meant: set[KeyPath] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *around, key = detail["loc"]
            if candidate := nearest(str(key), keys_at(tuple(around))):
                meant.add((*around, candidate.removesuffix("_file")))
    for detail in details:
        if _missing(detail) not in meant:
            yield _fault(detail, data, keys_at)


def _missing(detail: ErrorDetails) -> KeyPath | None:
    """The key that was not given, for a secret without `_file`; None for other mistakes."""
    *around, key = detail["loc"] or ("",)
    if detail["type"] == "missing" or _is_default(detail):
        return (*around, str(key).removeprefix(OPTION_PREFIX).removesuffix("_file"))
    return None


def _is_default(detail: ErrorDetails) -> bool:
    """Whether it is about the default of a key that was not given: then loc has no alias."""
    is_given = not detail["loc"] or detail["type"] == "extra_forbidden"
    return not is_given and str(detail["loc"][-1]).startswith(OPTION_PREFIX)


def _fault(detail: ErrorDetails, data: Any, keys_at: KeysAt) -> Fault:
    path = detail["loc"]
    if path and path[-1] == "[key]":
        return _key_fault(detail, path[:-1])
    if _is_default(detail):
        return Fault(path[:-1], _message(detail, None))
    if detail["type"] == "extra_forbidden":
        return unknown_key(path, keys_at(path[:-1]))
    return Fault(path, _message(detail, _value_at(data, path)))


def _key_fault(detail: ErrorDetails, path: KeyPath) -> Fault:
    if detail["type"] in _CHOICES:
        return unknown_key(path, _choices(detail))
    return Fault(path, _message(detail, path[-1]), at_key=True)


def _message(detail: ErrorDetails, value: Any) -> str:
    kind, said = detail["type"], detail["msg"]
    if kind == "missing":
        return "this key is required"
    if kind in _EXPECTED:
        return _wrong_kind(kind, kind_of(value))
    if kind in _CHOICES:
        choices = _choices(detail)
        found = value if isinstance(value, str) else ""
        return f"expected {one_of(choices)}{did_you_mean(found, choices)}"
    return said.removeprefix("Value error, ").replace("Input should be", "must be")


def _wrong_kind(kind: str, found: str) -> str:
    expected = _EXPECTED[kind]
    if kind == "int_type" and found == "a number":
        return f"expected {expected}, without a fraction"
    return f"expected {expected}, found {found}"


def _choices(detail: ErrorDetails) -> list[str]:
    return re.findall(r"'([^']*)'", detail["msg"])


def unknown_key(path: KeyPath, valid: Iterable[str]) -> Fault:
    """What is said of a key that is none of the valid ones."""
    hint = did_you_mean(str(path[-1]), valid)
    message = "unknown key" + (hint or f"; possible here: {', '.join(valid)}")
    return Fault(path, message, at_key=True, shows_key=bool(hint))


def _value_at(data: Any, path: KeyPath) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data
