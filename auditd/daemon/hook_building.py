"""Hooks out of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

from auditd.config.alerting import HookSettings
from auditd.config.file_set import digests_of
from auditd.config.settings import Catalog
from auditd.daemon.errors import UnusableSettingError
from auditd.hooks.port import Hook, StateHook, Surroundings


@dataclass(frozen=True, slots=True)
class BuiltHook:
    """A hook with what it was built from."""

    hook: Hook | StateHook
    given: HookSettings
    digests: Mapping[Path, bytes | None]
    """Of the files that it read when it was built."""


BuiltHooks: TypeAlias = Mapping[str, BuiltHook]
"""By name."""


def build_hooks(
    configured: Iterable[HookSettings],
    catalog: Catalog,
    surroundings: Surroundings,
    *,
    former: BuiltHooks,
) -> BuiltHooks:
    """All hooks; the very same where neither the settings nor a file of them changed. Blocks.

    Raises:
        UnusableSettingError: some cannot be built; there is a line for each.
    """
    built: dict[str, BuiltHook] = {}
    problems = []
    for given in configured:
        digests = digests_of(files_of(given))
        known = former.get(given.name)
        if known and (known.given, known.digests) == (given, digests):
            built[given.name] = known
            continue
        try:
            hook = build_hook(given, catalog, surroundings)
        except UnusableSettingError as error:
            problems.append(str(error))
        else:
            built[given.name] = BuiltHook(hook, given, digests)
    if problems:
        raise UnusableSettingError("\n".join(problems))
    return built


def build_hook(
    given: HookSettings, catalog: Catalog, surroundings: Surroundings
) -> Hook | StateHook:
    """A hook as it is configured. It may read files.

    Raises:
        UnusableSettingError: it cannot be built; the message tells where it is configured.
    """
    try:
        hook: Hook | StateHook = catalog.hooks[given.type].build(
            given.name, given.options, surroundings
        )
    except (OSError, ValueError) as error:
        msg = f"{given.place}: hook {given.name!r}: {error}"
        raise UnusableSettingError(msg) from error
    return hook


def files_of(given: HookSettings) -> list[Path]:
    """The files that a hook reads when it is built; those of secrets are read at each use."""
    values = (getattr(given.options, field.name) for field in fields(given.options))
    return [value for value in values if isinstance(value, Path)]
