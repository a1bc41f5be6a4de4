"""What a part of the configuration must look like, ready to be read many times."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Generic, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from auditd.config.keeper import Keeper
from auditd.config.node import KeyPath
from auditd.config.options import entry_type, option_type

T = TypeVar("T")


class Shape(Generic[T]):
    """Reads data as a T."""

    def __init__(self, form: Any) -> None:
        self._form = form
        self.adapter: TypeAdapter[T] = TypeAdapter(form)

    @classmethod
    def of(cls, options: type[T]) -> Shape[T]:
        """A mapping whose keys are the dataclass's fields."""
        return cls(option_type(options))

    @classmethod
    def entry(cls, entry: Callable[..., T], kind: str, options: type[Any]) -> Shape[T]:
        """A mapping with `name`, `type` and the keys of that type's options."""
        return cls(entry_type(entry, kind, options))

    def read(self, data: Any, keeper: Keeper | None) -> T:
        """The T.

        Raises:
            pydantic.ValidationError: it is none; see `fault.faults`.
        """
        return self.adapter.validate_python(data, context=keeper)

    def keys_at(self, path: KeyPath) -> Iterable[str]:
        """The valid keys of the mapping at a path; none where there is no mapping."""
        form = self._form
        for step in path:
            form = _part(form, step)
        form = _core(form)
        fields = form.model_fields.values() if _is_model(form) else ()
        return [str(field.alias) for field in fields]


def _part(form: Any, step: str | int) -> Any:
    form = _core(form)
    if _is_model(form):
        return next((f.annotation for f in form.model_fields.values() if f.alias == step), None)
    arguments = get_args(form)
    return arguments[0 if isinstance(step, int) else -1] if arguments else None


def _core(form: Any) -> Any:
    """Without annotations and None."""
    while get_origin(form) in {Annotated, Union, types.UnionType}:
        form = next(part for part in get_args(form) if part is not types.NoneType)
    return form


def _is_model(form: Any) -> bool:
    return isinstance(form, type) and issubclass(form, BaseModel)
