"""How a confidential option becomes two keys: the value as `name`, or its file as `name_file`."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Union, cast, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import AfterValidator, PlainValidator, ValidationInfo, WithJsonSchema

from auditd.audit.plugin import Secret
from auditd.config.constraint import need_text
from auditd.config.keeper import Keeper
from auditd.config.node import Text
from auditd.config.suggestion import one_of

OPTION_PREFIX = "option_"
"""What the names of a model's fields begin with; keys do not."""


@dataclass(frozen=True, slots=True)
class UrlSecret:
    """Marks, in an annotation, a secret that is an address with one of these schemes."""

    schemes: tuple[str, ...]

    def check(self, value: str) -> None:
        """Raises ValueError when it is none; the message does not quote it."""
        schemes = one_of([f"{scheme}://" for scheme in self.schemes])
        msg = f"expected an address that begins with {schemes}"
        try:
            url = urlsplit(value)
            _ = url.port
        except ValueError:
            raise ValueError(msg) from None
        is_address = "://" in value and bool(url.netloc or url.path.strip("/"))
        if url.scheme not in self.schemes or not is_address or value != value.strip():
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class SecretField:
    """The shape of one confidential option."""

    key: str
    is_required: bool
    is_many: bool = False
    """Several values at once, while one replaces another."""
    url: UrlSecret | None = None

    @property
    def file_key(self) -> str:
        """The key of the form with a file."""
        return f"{self.key}_file"

    @property
    def inline_type(self) -> Any:
        """What the key itself accepts."""
        return self._type(self._keep)

    @property
    def file_type(self) -> Any:
        """What the key of the file accepts, and that just one of the two is given."""
        return Annotated[self._type(self._keep_file), AfterValidator(self._one_of_two)]

    def _type(self, keep: Callable[[Keeper, Text], Secret]) -> Any:
        def validate(value: Any, info: ValidationInfo) -> Any:
            keeper = cast("Keeper", info.context)
            if value is None:
                return None
            if self.is_many and isinstance(value, list) and value:
                return tuple(keep(keeper, need_text(item)) for item in value)
            secret = keep(keeper, need_text(value))
            return (secret,) if self.is_many else secret

        text = {"type": "string"}
        schema = {"anyOf": [text, {"type": "array", "items": text}]} if self.is_many else text
        return Annotated[Any, PlainValidator(validate), WithJsonSchema(schema)]

    def _keep(self, keeper: Keeper, text: Text) -> Secret:
        if self.url is None:
            return keeper.keep(text)
        self.url.check(text)
        return keeper.keep_url(text)

    def _keep_file(self, keeper: Keeper, text: Text) -> Secret:
        try:
            secret = keeper.keep_file(text)
        except OSError as error:
            raise ValueError(str(error)) from None
        if self.url is not None:
            self.url.check(secret.reveal())
        return secret

    def _one_of_two(self, value: Any, info: ValidationInfo) -> Any:
        inline = info.data.get(option_name(self.key), self)  # self: it was given, and is wrong
        if value is not None and inline is not None:
            msg = f"give either {self.key} or {self.file_key}, not both"
            raise ValueError(msg)
        if value is None and inline is None and self.is_required:
            msg = f"{self.key} or {self.file_key} is required"
            raise ValueError(msg)
        return value


def secret_field(key: str, annotation: Any, *, has_default: bool) -> SecretField | None:
    """The shape of an option when its annotation says that it is a secret."""
    is_optional = has_default
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation, *rest = (part for part in get_args(annotation) if part is not types.NoneType)
        is_optional = not rest
    url = None
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        url = next((mark for mark in marks if isinstance(mark, UrlSecret)), None)
    is_many = get_origin(annotation) is tuple and get_args(annotation)[0] is Secret
    if annotation is not Secret and not is_many:
        return None
    return SecretField(key, is_required=not is_optional, is_many=is_many, url=url)


def option_name(key: str) -> str:
    """The name of a key's field in a model, where it cannot hide one of pydantic's own."""
    return f"{OPTION_PREFIX}{key}"
