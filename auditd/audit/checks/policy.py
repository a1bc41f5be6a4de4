"""What an organization demands beyond what can be told to be wrong everywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from auditd.audit.authorization import Authorization
from auditd.audit.expression import Expression, beginnings
from auditd.audit.facts import Facts
from auditd.audit.finding import Finding, Severity
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.project import Project
from auditd.audit.rule import describe


@dataclass(frozen=True, kw_only=True)
class UserPolicy:
    """One of `policies`: an authorization for which `expression` holds violates it."""

    name: str
    """Told in what is found."""
    expression: Expression
    """When it is violated, such as `update_age > "30d" and token_type == "password"`."""
    severity: Severity | None = None
    """The check's own when left out."""
    summary: str = ""
    """What is wrong, after the authorization's name; when left out the policy's name is told."""

    def __post_init__(self) -> None:
        if not self.name:
            msg = "a policy needs a name"
            raise ValueError(msg)


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.policy`.

    Raises:
        ValueError: two policies have the same name.
    """

    policies: tuple[UserPolicy, ...] = ()
    """Of several that are violated the most severe is told of, of equal ones the first."""

    def __post_init__(self) -> None:
        counts = Counter(policy.name for policy in self.policies)
        if len(counts) < len(self.policies):
            msg = "two policies have the same name"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class _Demand:
    """A policy, with what it leaves to defaults."""

    expression: Expression
    severity: Severity
    complaint: str


class UserPolicies:
    """Fires when the expression of a policy holds. One that needs an unknown age does not."""

    name = "policy"
    alertname = "GitAuthorizationPolicyViolation"
    description = (
        "The authorization violates a policy of your own, which the summary names. Change or renew"
        " the authorization, or accept it as an exception with an owner and an end."
    )

    def __init__(self, options: Options) -> None:
        self.severity = options.severity
        demands = [
            _Demand(
                policy.expression,
                policy.severity or options.severity,
                policy.summary or f"violates the policy {policy.name}",
            )
            for policy in options.policies
        ]
        inputs = {name for policy in options.policies for name in policy.expression.inputs}
        self.inputs = tuple(sorted(inputs))
        self._demands = sorted(demands, key=lambda demand: -demand.severity.rank)  # stable
        self.severities = frozenset({self.severity, *(demand.severity for demand in demands)})

    def inspect(self, observation: Observation) -> Iterator[Finding]:
        """The worst violation of each authorization."""
        if not self._demands:
            return
        for authorization in observation.authorizations.values():
            facts = Facts(observation.project, authorization, observation.now)
            for demand in self._demands:
                if demand.expression.holds(facts):
                    yield self._finding(demand, facts)
                    break

    def fires_at(self, project: Project, authorization: Authorization, /) -> datetime | None:
        """When time alone first makes an expression hold; None when time does not.

        As with `stale` it is the last instant at which nothing is wrong, where the expression
        says `>`; where it says `>=` it is wrong already.
        """

        def is_violated(now: datetime) -> bool:
            facts = Facts(project, authorization, now)
            return any(demand.expression.holds(facts) for demand in self._demands)

        return next(iter(beginnings(is_violated, self.turns(project, authorization))), None)

    def turns(self, _project: Project, authorization: Authorization, /) -> set[datetime]:
        """Those of all expressions."""
        if not self._demands:
            return set()
        return {turn for demand in self._demands for turn in demand.expression.turns(authorization)}

    def _finding(self, demand: _Demand, facts: Facts) -> Finding:
        return Finding(
            check=self.name,
            alertname=self.alertname,
            severity=demand.severity,
            authorization=facts.authorization.name,
            summary=f"{describe(facts.authorization)} {demand.complaint}",
            since=_since(demand.expression, facts),
        )


def _since(expression: Expression, facts: Facts) -> datetime | None:
    """From when it has held, if time made it."""
    begun = beginnings(
        lambda now: expression.holds(Facts(facts.project, facts.authorization, now)),
        expression.turns(facts.authorization),
    )
    return max((instant for instant in begun if instant <= facts.now), default=None)


PLUGIN = Plugin("policy", Options, UserPolicies)
