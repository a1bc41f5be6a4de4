"""What another configuration changed, in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditd.config.settings import Settings
from auditd.polling.roster import RosterChange


def counts_of(before: Settings, after: Settings, projects: RosterChange) -> Mapping[str, int]:
    """How many of each kind were added, changed and removed; what is 0 is left out."""
    figures = {
        "projects_added": len(projects.added),
        "projects_changed": len(projects.updated),
        "projects_removed": len(projects.removed),
        **_figures("credentials", _named(before.credentials), _named(after.credentials)),
        **_figures("hooks", _hooks(before), _hooks(after)),
        **_figures("checks", before.checks, after.checks),
        **_figures(
            "discoveries",
            dict.fromkeys(before.discovery),
            dict.fromkeys(after.discovery),
        ),
    }
    return {name: figure for name, figure in figures.items() if figure}


def needs_restart(before: Settings, after: Settings) -> list[str]:
    """What differs and cannot be changed while the daemon runs, in sentences."""
    is_same = before.storage.url == after.storage.url
    return [] if is_same else ["storage.url changed; restart to use it"]


def _figures(
    noun: str, before: Mapping[Any, object], after: Mapping[Any, object]
) -> Mapping[str, int]:
    common = before.keys() & after.keys()
    return {
        f"{noun}_added": len(after.keys() - common),
        f"{noun}_changed": sum(before[key] != after[key] for key in common),
        f"{noun}_removed": len(before.keys() - common),
    }


def _named(items: Iterable[Any]) -> Mapping[str, object]:
    return {item.name: item for item in items}


def _hooks(settings: Settings) -> Mapping[str, object]:
    return _named(settings.alerting.hooks) if settings.alerting else {}
