"""What the configuration says about the lives of alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from auditd.alerting.exception import AcceptedFinding
from auditd.audit.blind import BLIND_CHECK


@dataclass(frozen=True, slots=True)
class CheckRule:
    """What one check demands of its alerts."""

    description: str
    """What a finding means and what to do."""
    for_: timedelta = timedelta(0)
    """How long a finding must stand before it fires; exactly that long is enough."""
    keep_firing_for: timedelta = timedelta(0)
    """How long an alert fires on after its finding has gone."""


_BLIND_RULE = CheckRule(
    description=(
        "The project could not be polled several times in a row, so nothing is known of its"
        " authorizations, and its other alerts are not told of. The reason of the last failure"
        " says what to look at: the credential, its permissions, the network or the service."
    )
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The terms of all alerts."""

    checks: Mapping[str, CheckRule]
    """The enabled checks by name; blindness is not among them and always enabled."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Added to every alert."""
    accepted: tuple[AcceptedFinding, ...] = ()
    runbook_url: str = ""
    """The page that has a section for each alertname; empty for none."""
    console_url: str = "https://console.huaweicloud.com/servicestage/"
    """Of the site that the account belongs to; empty for none."""
    flap_limit: int = 5
    """An alert that fires more often than this within `flap_window` is flapping."""
    flap_window: timedelta = timedelta(hours=1)
    retention: timedelta = timedelta(days=7)
    """How long resolved alerts are kept. It must exceed the longest group_interval and the time
    for which a delivery is tried, which a group may have to wait for: an end is told at the next
    flush, and only of an alert that is still there."""

    def is_enabled(self, check: str) -> bool:
        """Whether there is a rule of the check."""
        return check == BLIND_CHECK or check in self.checks

    def rule_of(self, check: str) -> CheckRule:
        """Raises KeyError for a check that is not enabled."""
        return _BLIND_RULE if check == BLIND_CHECK else self.checks[check]
