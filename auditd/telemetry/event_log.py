"""Renders what happened as log lines: error = a person must act, warning = it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from logging import DEBUG, ERROR, INFO, WARNING
from typing import Any, assert_never

from structlog.typing import FilteringBoundLogger

from auditd.audit.authorization import Authorization, known_time
from auditd.audit.events import (
    AuthorizationAdded,
    AuthorizationChanged,
    AuthorizationRemoved,
    CredentialRefreshed,
    CredentialRejected,
    DiscoveryAdded,
    DiscoveryFailed,
    DiscoveryRemoved,
    Event,
    FindingCleared,
    FindingFlagged,
    PollFailed,
    PollFinished,
    PollSkipped,
)
from auditd.audit.finding import Severity
from auditd.telemetry import names
from auditd.telemetry.repeats import Repeats

_FLAGGED_LEVEL = {Severity.INFO: INFO, Severity.WARNING: WARNING, Severity.CRITICAL: ERROR}


class EventLog:
    """Logs each event as one line. A field whose value is not known is left out.

    A project that goes on failing, or being skipped, for one reason is logged when that begins
    and then once a minute, with `suppressed` telling how many lines were held back.

    Args:
        logger: where the lines go.
        monotonic: seconds.
    """

    def __init__(self, logger: FilteringBoundLogger, *, monotonic: Callable[[], float]) -> None:
        self._logger = logger
        self._repeats = Repeats(monotonic)

    def __call__(self, event: Event) -> None:
        """Log the event. Never blocks."""
        level, name = _headline(event)
        details = _details(event)
        if isinstance(event, PollFailed | PollSkipped):
            suppressed = self._admit(event)
            if suppressed is None:
                return
            if suppressed:
                details["suppressed"] = suppressed
        self._logger.log(level, name, **details)

    def _admit(self, event: PollFailed | PollSkipped) -> int | None:
        kind = (event.project, event.reason)
        if isinstance(event, PollFailed) and event.failures_in_a_row == 1:
            self._repeats.forget(kind)  # the project was seen in between: this is a change
        return self._repeats.admit(kind)


def _headline(event: Event) -> tuple[int, str]:  # noqa: C901, PLR0911, PLR0912 -- one case for each event
    match event:
        case PollFinished(is_news=True, warnings=warnings) if warnings:
            return WARNING, names.POLL_FINISHED
        case PollFinished(is_news=is_news):
            # The others say that nothing happened, as many as there are projects, all day.
            return INFO if is_news else DEBUG, names.POLL_FINISHED
        case PollFailed():
            return WARNING, names.POLL_FAILED
        case PollSkipped():
            return WARNING, names.POLL_SKIPPED
        case FindingFlagged(finding=finding):
            return _FLAGGED_LEVEL[finding.severity], names.FINDING_FLAGGED
        case FindingCleared():
            return INFO, names.FINDING_CLEARED
        case AuthorizationAdded():
            return INFO, names.AUTHORIZATION_ADDED
        case AuthorizationRemoved():
            return INFO, names.AUTHORIZATION_REMOVED
        case AuthorizationChanged():
            return INFO, names.AUTHORIZATION_CHANGED
        case CredentialRefreshed():
            return INFO, names.CREDENTIAL_REFRESHED
        case CredentialRejected():
            return ERROR, names.CREDENTIAL_REJECTED
        case DiscoveryAdded():
            return INFO, names.DISCOVERY_ADDED
        case DiscoveryRemoved():
            return INFO, names.DISCOVERY_REMOVED
        case DiscoveryFailed():
            return WARNING, names.DISCOVERY_FAILED
        case _:
            assert_never(event)


def _details(event: Event) -> dict[str, Any]:
    match event:
        case FindingFlagged() | FindingCleared():
            details = _of_finding(event)
        case AuthorizationAdded() | AuthorizationRemoved():
            details = {"project": event.project, **_of_authorization(event.authorization)}
        case AuthorizationChanged(project, before, after, changed):
            details = {
                "project": project,
                "authorization": after.name,
                "fields": changed,
                "before": {field: plain(getattr(before, field)) for field in changed},
                "after": {field: plain(getattr(after, field)) for field in changed},
            }
        case _:
            details = {field.name: getattr(event, field.name) for field in fields(event)}
            details.pop("is_news", None)
    return {name: plain(value) for name, value in details.items() if value not in (None, "", ())}


def _of_finding(event: FindingFlagged | FindingCleared) -> dict[str, Any]:
    finding, authorization = event.finding, event.authorization
    updated_at = known_time(authorization.updated_at) if authorization else None
    return {
        "project": event.project,
        "authorization": finding.authorization,
        "check": finding.check,
        "severity": finding.severity,
        "status": authorization.status if authorization else None,
        "age_seconds": (event.at - updated_at).total_seconds() if updated_at else None,
        "summary": finding.summary,
    }


def _of_authorization(authorization: Authorization) -> dict[str, Any]:
    return {
        "authorization": authorization.name,
        "repo_type": authorization.repo_type,
        "repo_host": authorization.repo_host,
        "repo_user": authorization.repo_user,
        "token_type": authorization.token_type,
        "status": authorization.status,
    }


def plain(value: Any) -> Any:
    """What both renderers write alike.

    An instant is ISO 8601 in UTC with Z, an enum its value, a number has three decimals.
    """
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return str(value)
        case float():
            return round(value, 3)
        case _:
            return value
