"""How a check or a credential kind is added: one file that ends in `PLUGIN = Plugin(...)`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

OptionsT = TypeVar("OptionsT")
BuiltT_co = TypeVar("BuiltT_co", covariant=True)


class Secret(Protocol):
    """A confidential value that may be replaced while the daemon runs.

    An options field of this type gives two configuration keys: the value itself as `name`, or
    a file that holds it as `name_file`.
    """

    def reveal(self) -> str:
        """The value as it is now. Raises OSError when its file cannot be read."""


@dataclass(frozen=True)
class Plugin(Generic[OptionsT, BuiltT_co]):
    """One named kind.

    `options` is a frozen dataclass whose fields are the configuration keys (a trailing
    underscore is dropped, so `for_` is the key `for`); a field with a default may be left out.
    `build` turns options, and whatever else the room hands to all its kinds, into the thing.
    """

    name: str
    options: type[OptionsT]
    build: Callable[..., BuiltT_co]


def load_plugins(package: ModuleType, group: str) -> Mapping[str, Plugin[Any, Any]]:
    """Every `PLUGIN` in the modules of `package`, then those that installed packages announce.

    Sorted by name. `group` is the entry-point group, for example `servicestage_auditd.checks`.

    Raises:
        ValueError: two plugins have the same name; both origins are named.
    """
    found: dict[str, tuple[str, Plugin[Any, Any]]] = {}
    for module_info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = importlib.import_module(module_info.name)
        if isinstance(plugin := getattr(module, "PLUGIN", None), Plugin):
            _add(found, module_info.name, plugin)
    for entry_point in entry_points(group=group):
        _add(found, entry_point.value, entry_point.load())
    return {name: found[name][1] for name in sorted(found)}


def _add(
    found: dict[str, tuple[str, Plugin[Any, Any]]], origin: str, plugin: Plugin[Any, Any]
) -> None:
    if plugin.name in found:
        msg = f"two plugins are named {plugin.name!r}: {found[plugin.name][0]} and {origin}"
        raise ValueError(msg)
    found[plugin.name] = (origin, plugin)
