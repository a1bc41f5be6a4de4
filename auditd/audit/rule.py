"""The shape of most checks: one severity, one judgement of a list, no foresight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from auditd.audit.authorization import Authorization
from auditd.audit.finding import Finding, Severity
from auditd.audit.policy import Observation
from auditd.audit.project import Project


def _never(_: Authorization) -> Iterable[datetime]:
    return ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A check that is one function: `judge` gives each bad authorization and its summary."""

    name: str
    alertname: str
    severity: Severity
    description: str
    judge: Callable[[Observation], Iterable[tuple[Authorization, str]]]
    inputs: tuple[str, ...] = ()
    """See Check."""
    turns_of: Callable[[Authorization], Iterable[datetime]] = _never
    """See `turns` of Check."""

    @property
    def severities(self) -> frozenset[Severity]:
        """The one."""
        return frozenset({self.severity})

    @property
    def is_timeless(self) -> bool:
        """Whether time alone never changes what it says."""
        return self.turns_of is _never

    def inspect(self, observation: Observation) -> Iterator[Finding]:
        """What is wrong now."""
        for authorization, fault in self.judge(observation):
            yield Finding(
                check=self.name,
                alertname=self.alertname,
                severity=self.severity,
                authorization=authorization.name,
                summary=f"{describe(authorization)} {fault}",
            )

    def fires_at(self, _project: Project, _authorization: Authorization, /) -> datetime | None:
        """Never: only a new list makes it fire."""
        return None

    def turns(self, _project: Project, authorization: Authorization, /) -> Iterable[datetime]:
        """See Check."""
        return self.turns_of(authorization)


def describe(authorization: Authorization) -> str:
    """How a summary begins: `github authorization gh-main`."""
    return f"{authorization.repo_type} authorization {authorization.name}".lstrip()
