"""A dataclass becomes the strict model of a mapping in the configuration.

Fields are keys (a trailing underscore is dropped), fields with a default may be left out, and
the docstring under a field describes its key. One mechanism serves the program's own sections
and the options of plugins, whose rooms know nothing of YAML or pydantic.
"""

from __future__ import annotations

import collections.abc
import inspect
import re
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator, Strict

from auditd.audit.duration import format_duration
from auditd.config.constraint import DURATION, FILE, PATTERN, Name, resolved
from auditd.config.description import field_descriptions
from auditd.config.secret_field import SecretField, option_name, secret_field

_Finish: TypeAlias = Callable[[BaseModel, Any], Any]

_SCALARS: Mapping[Any, Any] = {
    timedelta: DURATION,
    Path: FILE,
    re.Pattern: PATTERN,
    re.Pattern[str]: PATTERN,
    str: str,
    **{kind: Annotated[kind, BeforeValidator(resolved)] for kind in (bool, int, float)},
}


def option_type(options: type[Any]) -> Any:
    """What pydantic validates a mapping with to get an instance of the dataclass.

    Understood are bool, int, float, str, timedelta (a duration), Path (an existing file),
    StrEnum, Literal, re.Pattern, Secret, dataclasses, tuple[X, ...], Mapping[K, V], X | None,
    and Annotated with what pydantic knows. A ValueError of `__post_init__` is a problem of the
    whole mapping.

    Raises:
        TypeError: a field has another type.
    """
    return _Types().mapping(options)


def entry_type(entry: Callable[..., Any], kind: str, options: type[Any]) -> Any:
    """Like option_type, with the keys `name` and `type` before the options.

    The instance is `entry(name=..., type=kind, options=...)`.
    """
    leading = {
        option_name("name"): (Name, pydantic.Field(alias="name", description="A unique name.")),
        option_name("type"): (
            Literal[kind],
            pydantic.Field(alias="type", description=inspect.getdoc(options)),
        ),
    }

    def finish(model: BaseModel, built: Any) -> Any:
        return entry(name=getattr(model, option_name("name")), type=kind, options=built)

    return _Types().mapping(
        options, title=f"{kind} ({options.__name__})", leading=leading, finish=finish
    )


class _Types:
    """Translates annotations. A dataclass may contain itself."""

    def __init__(self) -> None:
        self._under_way: set[type[Any]] = set()

    def mapping(
        self,
        options: type[Any],
        *,
        title: str | None = None,
        leading: Mapping[str, Any] = types.MappingProxyType({}),
        finish: _Finish = lambda _, built: built,
    ) -> Any:
        """The annotated model of a dataclass."""
        if options in self._under_way:
            return ForwardRef(_reference(options))
        self._under_way.add(options)
        hints = get_type_hints(options, include_extras=True)
        descriptions = field_descriptions(options)
        definitions = dict(leading)
        secrets: list[SecretField] = []
        for field in fields(options):
            key = field.name.rstrip("_")
            about = pydantic.Field(alias=key, description=descriptions.get(field.name))
            if secret := secret_field(key, hints[field.name], has_default=_has_default(field)):
                definitions |= _secret_definitions(secret, about)
                secrets.append(secret)
            else:
                definitions[option_name(key)] = self._definition(field, hints[field.name], about)
        model: Any = pydantic.create_model(
            options.__name__, __config__=_config(title, secrets), **definitions
        )
        self._under_way.remove(options)
        built = Annotated[
            model, AfterValidator(lambda read: finish(read, _build(options, read, secrets)))
        ]
        model.model_rebuild(_types_namespace={_reference(options): built})
        return built

    def _definition(self, field: Field[Any], annotation: Any, about: Any) -> Any:
        value_type = self.value(annotation)
        if not _has_default(field):
            return value_type, about
        shown = _shown_default(field)
        extra = {} if shown is None else {"default": shown}
        return value_type, pydantic.Field(
            alias=about.alias,
            description=about.description,
            default_factory=lambda: None,  # never used: what was not given is the dataclass's
            json_schema_extra=extra,
        )

    def value(self, annotation: Any) -> Any:
        """The annotation with every part replaced by its strict form."""
        if annotation in _SCALARS:
            return _SCALARS[annotation]
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            inner, *marks = arguments
            is_complete = any(isinstance(mark, PlainValidator) for mark in marks)
            return Annotated[(inner if is_complete else self.value(inner), *marks)]
        if origin in (Union, types.UnionType):
            return Union[  # noqa: UP007 -- the parts are known at run time only
                tuple(part if part is type(None) else self.value(part) for part in arguments)
            ]
        if origin is tuple:
            return Annotated[tuple[self.value(arguments[0]), ...], Strict(strict=False)]  # type: ignore[misc]
        if origin is collections.abc.Mapping:
            return dict[self.value(arguments[0]), self.value(arguments[1])]  # type: ignore[misc]
        return self._class(annotation)

    def _class(self, annotation: Any) -> Any:
        if get_origin(annotation) is Literal:
            return annotation
        if is_dataclass(annotation) and isinstance(annotation, type):
            return self.mapping(annotation)
        if isinstance(annotation, type) and issubclass(annotation, StrEnum):
            return Annotated[annotation, Strict(strict=False)]
        msg = f"a configuration key cannot have the type {annotation!r}"
        raise TypeError(msg)


def _reference(options: type[Any]) -> str:
    return f"Built{options.__name__}"  # the plain name is the model's own, which builds nothing


def _config(title: str | None, secrets: list[SecretField]) -> ConfigDict:
    choices: list[Any] = [
        {"oneOf": [{"required": [secret.key]}, {"required": [secret.file_key]}]}
        for secret in secrets
        if secret.is_required
    ]
    return ConfigDict(
        title=title,
        strict=True,
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
        json_schema_extra={"allOf": choices} if choices else None,
    )


def _secret_definitions(secret: SecretField, about: Any) -> dict[str, Any]:
    about_file = pydantic.Field(
        default=None,
        alias=secret.file_key,
        validate_default=True,
        description=f"A file that holds {secret.key}; it is read again when it changes.",
    )
    about_value = pydantic.Field(default=None, alias=secret.key, description=about.description)
    return {
        option_name(secret.key): (secret.inline_type, about_value),
        option_name(secret.file_key): (secret.file_type, about_file),
    }


def _build(options: type[Any], model: BaseModel, secrets: list[SecretField]) -> Any:
    files = {secret.key: getattr(model, option_name(secret.file_key)) for secret in secrets}
    given = {}
    for field in fields(options):
        key = field.name.rstrip("_")
        if files.get(key) is not None:
            given[field.name] = files[key]
        elif option_name(key) in model.model_fields_set:
            given[field.name] = getattr(model, option_name(key))
    return options(**given)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _shown_default(field: Field[Any]) -> Any:
    match field.default:
        case timedelta():
            return format_duration(field.default)
        case Enum():
            return field.default.value
        case bool() | int() | float() | str():
            return field.default
        case _:
            return None
