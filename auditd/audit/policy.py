"""Which checks run, and what each is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding, Severity
from auditd.audit.project import Project
from auditd.audit.quick import quick
from auditd.audit.verification import Verification


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The keys that every check understands.

    `for_` and `keep_firing_for` are the alert's: how long a finding must stand before it fires,
    and how long it fires on after the finding has gone.
    """

    enabled: bool = True
    severity: Severity = Severity.WARNING
    for_: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


@quick
@dataclass(frozen=True, slots=True)
class Observation:
    """All that a check may look at.

    `listed` is the answer as it came, duplicates included; `authorizations` has one entry for
    each name, the worse status winning; `previous` is None when the project was never seen.
    """

    project: Project
    listed: tuple[Authorization, ...]
    authorizations: Mapping[str, Authorization]
    previous: Mapping[str, Authorization] | None
    now: datetime
    verifications: Mapping[str, Verification] = field(default_factory=dict)


class Check(Protocol):
    """One rule. `inspect` yields at most one finding for each authorization, in any order.

    What it says of one may depend on that authorization, its namesakes in `listed`, what it was
    before, its verification and the time, and on nothing else: a check is mostly shown a part of
    a list, that which changed.
    """

    @property
    def name(self) -> str:
        """Its key under `checks` in the configuration."""

    @property
    def alertname(self) -> str:
        """The label `alertname` of what it finds."""

    @property
    def severity(self) -> Severity:
        """Of its findings, unless it grades them itself."""

    @property
    def severities(self) -> frozenset[Severity]:
        """All that its findings can have."""

    @property
    def description(self) -> str:
        """For whoever gets a finding: what it means and what to do, in one or two sentences."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """What it looks at: fields of an authorization, project, region, labels, verdict."""

    def inspect(self, observation: Observation) -> Iterable[Finding]:
        """What is wrong now."""

    def fires_at(self, project: Project, authorization: Authorization, /) -> datetime | None:
        """When time alone will make this check fire on an unchanged authorization, if ever."""

    def turns(self, project: Project, authorization: Authorization, /) -> Iterable[datetime]:
        """Every instant at or just after which time alone can change what it says, in any order."""
