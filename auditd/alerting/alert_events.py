"""What became of alerts, as values. Telemetry renders them as log lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from auditd.alerting.alert import Alert
from auditd.alerting.hush import Suppression
from auditd.audit.quick import quick


@quick
@dataclass(frozen=True, slots=True)
class AlertFired:
    """An alert began to fire, durably. `is_flapping` tells that it came and went too often."""

    alert: Alert
    is_flapping: bool


@quick
@dataclass(frozen=True, slots=True)
class AlertResolved:
    """A firing alert ended, durably; its `end_reason` tells why."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertSuppressed:
    """An alert began to fire, and a hook that it is routed to is not told of it now."""

    alert: Alert
    hook: str
    suppression: Suppression


AlertEvent: TypeAlias = AlertFired | AlertResolved | AlertSuppressed

EmitAlert: TypeAlias = Callable[[AlertEvent], None]
"""Where events go. It never raises and never blocks."""
