"""What one check says of one authorization now. Stateless: a life over time is an alert's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auditd.audit.quick import quick


class Severity(StrEnum):
    """How much a finding matters."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info up to 2 for critical."""
        return tuple(Severity).index(self)


@quick
@dataclass(frozen=True, slots=True)
class Finding:
    """One check's verdict on one authorization, or on the project itself.

    `authorization` is empty when the finding is about the whole project.
    `summary` is one sentence that stays the same while the facts do: it names instants and
    limits, never an age that grows.
    """

    check: str
    alertname: str
    severity: Severity
    authorization: str
    summary: str
    since: datetime | None = None
    """When the condition began, where the facts tell; None where only the poll knows."""

    @property
    def key(self) -> tuple[str, str]:
        """Identity within a project: one check says at most one thing of one authorization."""
        return (self.check, self.authorization)
