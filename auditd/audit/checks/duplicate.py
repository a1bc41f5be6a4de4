"""A name is the key of an authorization, so two entries of one name cannot be told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from auditd.audit.authorization import Authorization
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.duplicate`."""


def build(options: Options) -> Rule:
    """The check for names that were listed more than once."""
    return Rule(
        name="duplicate",
        alertname="GitAuthorizationDuplicate",
        severity=options.severity,
        description=(
            "The list has several authorizations of one name; the worst of them is the one that"
            " is watched. Delete or recreate one under another name."
        ),
        judge=_judge,
        inputs=("name",),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    counts = Counter(authorization.name for authorization in observation.listed)
    for name, count in counts.items():
        if count > 1:
            yield observation.authorizations[name], f"is listed {count} times"


PLUGIN = Plugin("duplicate", Options, build)
