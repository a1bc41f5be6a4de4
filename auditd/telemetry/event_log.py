"""Renders what happened as log lines: error = a person must act, warning = it is tried again."""

from __future__ import annotations

from collections.abc import Callable
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
    CredentialThrottled,
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
from auditd.telemetry.teller import Repetition, Teller, fields_of, plain

_SOURCE_INTERVAL_SECONDS = 3600.0
"""How often a source of projects that goes on failing in the same way is told of."""
_FLAGGED_LEVEL = {Severity.INFO: INFO, Severity.WARNING: WARNING, Severity.CRITICAL: ERROR}


class EventLog:
    """Logs each event as one line. A field whose value is not known is left out.

    A project that goes on failing, or being skipped, for one reason is logged when that begins
    and then once a minute, with `suppressed` telling how many lines were held back. A source of
    projects that goes on failing is logged when that begins or what it says changes, and then
    once an hour.

    Args:
        logger: where the lines go.
        monotonic: seconds.
    """

    def __init__(self, logger: FilteringBoundLogger, *, monotonic: Callable[[], float]) -> None:
        self._logger = logger
        self._teller = Teller(logger, monotonic=monotonic)

    def __call__(self, event: Event) -> None:
        """Log the event. Never blocks."""
        level, name = _headline(event)
        if self._logger.is_enabled_for(level):  # most events are polls without news
            self._teller.tell(level, name, _details(event), _repetition(event))


def _repetition(event: Event) -> Repetition | None:
    """The first failure after a success begins a series: it is a change."""
    match event:
        case PollFailed(project=project, reason=reason, failures_in_a_row=failures):
            return Repetition((project, reason), is_first=failures == 1)
        case PollSkipped(project=project, reason=reason):
            return Repetition((project, reason))
        case DiscoveryFailed(source=source, message=message, failures_in_a_row=failures):
            return Repetition((source, message), failures == 1, _SOURCE_INTERVAL_SECONDS)
        case _:
            return None


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
        case CredentialThrottled():
            return WARNING, names.CREDENTIAL_THROTTLED
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
            return _of_finding(event)
        case AuthorizationAdded() | AuthorizationRemoved():
            return {"project": event.project, **_of_authorization(event.authorization)}
        case AuthorizationChanged(project, before, after, changed):
            return {
                "project": project,
                "authorization": after.name,
                "fields": changed,
                "before": {field: plain(getattr(before, field)) for field in changed},
                "after": {field: plain(getattr(after, field)) for field in changed},
            }
        case _:
            details = fields_of(event)
            details.pop("is_news", None)
            return details


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
