"""When authorizations become stale, worked out when somebody asks.

To keep an instant for each would take an eighth of the memory that a fleet needs.
"""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from datetime import datetime

from auditd.audit.authorization import Authorization
from auditd.audit.policy import Check
from auditd.audit.project import Project


class StaleInstants(Mapping[str, datetime]):
    """Authorization name -> when `check` fires, or fired; what it never fires for is not in it."""

    __slots__ = ("_authorizations", "_check", "_project")

    def __init__(
        self, check: Check, project: Project, authorizations: Mapping[str, Authorization]
    ) -> None:
        self._check = check
        self._project = project
        self._authorizations = authorizations

    def __getitem__(self, name: str) -> datetime:
        at = self._check.fires_at(self._project, self._authorizations[name])
        if at is None:
            raise KeyError(name)
        return at

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def items(self) -> ItemsView[str, datetime]:
        """All of them, each worked out once."""
        return self._all().items()

    def _all(self) -> dict[str, datetime]:
        return {
            name: at
            for name, authorization in self._authorizations.items()
            if (at := self._check.fires_at(self._project, authorization))
        }

    def is_of(
        self, check: Check, project: Project, authorizations: Mapping[str, Authorization]
    ) -> bool:
        """Whether it was made of the very same."""
        return (
            self._check is check
            and self._project is project
            and self._authorizations is authorizations
        )
