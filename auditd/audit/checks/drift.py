"""Someone else's account, or another host, stands behind a name that builds trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.instant import format_instant
from auditd.audit.plugin import Plugin
from auditd.audit.policy import CheckOptions, Observation
from auditd.audit.rule import Rule

_FIELDS = ("repo_user", "repo_host", "token_type")


@dataclass(frozen=True, kw_only=True)
class Options(CheckOptions):
    """The keys of `checks.drift`."""


def build(options: Options) -> Rule:
    """The check for what should not change under a name.

    It finds a change at the first poll that shows it and only then: the next poll compares
    with the changed list.
    """
    return Rule(
        name="drift",
        alertname="GitAuthorizationDrift",
        severity=options.severity,
        description=(
            "The user, host, token type or creation time changed under the same name: the"
            " authorization was replaced or recreated. Make sure that this was intended."
        ),
        judge=_judge,
        inputs=(*_FIELDS, "created_at"),
    )


def _judge(observation: Observation) -> Iterator[tuple[Authorization, str]]:
    previous = observation.previous or {}
    for name, authorization in observation.authorizations.items():
        before = previous.get(name)
        if before is None or before is authorization:
            continue
        if changes := [*_changes(before, authorization)]:
            yield authorization, f"is not what it was: {', '.join(changes)}"


def _changes(before: Authorization, after: Authorization) -> Iterator[str]:
    for field in _FIELDS:
        if (old := getattr(before, field)) != (new := getattr(after, field)):
            yield f"{field} was {old or 'empty'}, is {new or 'empty'}"
    created = known_time(before.created_at), known_time(after.created_at)
    if created[0] and created[1] and created[0] != created[1]:
        yield f"created_at was {format_instant(created[0])}, is {format_instant(created[1])}"


PLUGIN = Plugin("drift", Options, build)
