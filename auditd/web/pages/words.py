"""What the closed sets of this program are called on a page, and how each one looks.

The tone is the name of a style; the mark says the same without colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from auditd.alerting.alert import AlertState, EndReason
from auditd.alerting.delivery import AttemptOutcome, DeliveryState
from auditd.alerting.hush import Suppression
from auditd.alerting.notification import NotificationReason, NotifiedStatus
from auditd.audit.authorization import Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Severity
from auditd.audit.history import HistoryKind
from auditd.audit.verification import Verdict
from auditd.web.pages.condition import Condition
from auditd.web.pages.language import message
from auditd.web.pages.period import Period


@dataclass(frozen=True, slots=True)
class Word:
    """One member of a closed set. `text` is English, to be translated."""

    text: str
    tone: str = "plain"
    mark: str = ""


_GOOD = ("good", "✓")
_BAD = ("bad", "▲")
_POOR = ("poor", "●")
_CALM = ("calm", "○")

_PAIRS: tuple[tuple[StrEnum, Word], ...] = (
    (Status.NORMAL, Word(message("normal"), *_GOOD)),
    (Status.OVERDUE, Word(message("overdue"), *_BAD)),
    (Status.UNAUTHENTICATED, Word(message("unauthenticated"), *_BAD)),
    (Status.UNKNOWN, Word(message("unknown"), *_POOR)),
    (Severity.CRITICAL, Word(message("critical"), *_BAD)),
    (Severity.WARNING, Word(message("warning"), *_POOR)),
    (Severity.INFO, Word(message("info"), *_CALM)),
    (Condition.BLIND, Word(message("blind"), *_BAD)),
    (Condition.FAILING, Word(message("failing"), *_POOR)),
    (Condition.UNSEEN, Word(message("not seen yet"), *_CALM)),
    (Condition.FLAGGED, Word(message("has findings"), *_POOR)),
    (Condition.FINE, Word(message("fine"), *_GOOD)),
    (AlertState.FIRING, Word(message("firing"), *_BAD)),
    (AlertState.PENDING, Word(message("pending"), *_POOR)),
    (AlertState.RESOLVED, Word(message("resolved"), *_GOOD)),
    (Suppression.SILENCED, Word(message("silenced"), *_CALM)),
    (Suppression.INHIBITED, Word(message("inhibited: its project is blind"), *_CALM)),
    (Suppression.ACKNOWLEDGED, Word(message("acknowledged"), *_CALM)),
    (Suppression.MUTED, Word(message("muted: outside the hours of its route"), *_CALM)),
    (EndReason.CLEARED, Word(message("the finding is gone"))),
    (EndReason.SEVERITY_CHANGED, Word(message("its severity changed"))),
    (EndReason.LABELS_CHANGED, Word(message("its labels changed"))),
    (EndReason.AUTHORIZATION_REMOVED, Word(message("the authorization was removed"))),
    (EndReason.PROJECT_REMOVED, Word(message("the project was removed"))),
    (EndReason.CHECK_DISABLED, Word(message("the check was disabled"))),
    (EndReason.ACCEPTED, Word(message("an exception accepts it"))),
    (DeliveryState.PENDING, Word(message("owed"), *_POOR)),
    (DeliveryState.DELIVERED, Word(message("delivered"), *_GOOD)),
    (DeliveryState.DEAD, Word(message("given up"), *_BAD)),
    (AttemptOutcome.DELIVERED, Word(message("delivered"), *_GOOD)),
    (AttemptOutcome.FAILED, Word(message("failed"), *_BAD)),
    (AttemptOutcome.REPLAYED, Word(message("owed again"), *_CALM)),
    (NotifiedStatus.FIRING, Word(message("firing"), *_BAD)),
    (NotifiedStatus.RESOLVED, Word(message("resolved"), *_GOOD)),
    (NotificationReason.NEW, Word(message("something new fires"))),
    (NotificationReason.RESOLVED, Word(message("something was resolved"))),
    (NotificationReason.REPEAT, Word(message("a repetition"))),
    (Period.PENDING, Word(message("begins later"), *_CALM)),
    (Period.ACTIVE, Word(message("active"), *_POOR)),
    (Period.EXPIRED, Word(message("over"), *_GOOD)),
    (Verdict.WORKS, Word(message("works"), *_GOOD)),
    (Verdict.BROKEN, Word(message("broken"), *_BAD)),
    (Verdict.MISSING, Word(message("missing"), *_POOR)),
    (Verdict.INCONCLUSIVE, Word(message("inconclusive"), *_CALM)),
    (TimestampFault.MISSING, Word(message("not given"), *_POOR)),
    (TimestampFault.ZERO, Word(message("given as zero"), *_POOR)),
    (TimestampFault.IN_SECONDS, Word(message("given in seconds"), *_POOR)),
    (TimestampFault.UNREADABLE, Word(message("unreadable"), *_POOR)),
    (FailureReason.DNS, Word(message("the name of the service cannot be resolved"))),
    (FailureReason.CONNECT, Word(message("no connection to the service"))),
    (FailureReason.TLS, Word(message("no secure connection to the service"))),
    (FailureReason.TIMEOUT, Word(message("no answer in time"))),
    (FailureReason.AUTH, Word(message("the credential was refused"))),
    (FailureReason.AUTH_LOCKED, Word(message("the account is locked"))),
    (FailureReason.FORBIDDEN, Word(message("the credential may not list authorizations"))),
    (FailureReason.NOT_FOUND, Word(message("the service does not know this project"))),
    (FailureReason.BAD_REQUEST, Word(message("the service did not understand the request"))),
    (FailureReason.THROTTLED, Word(message("the service wants fewer requests"))),
    (FailureReason.SERVER, Word(message("the service is in trouble"))),
    (FailureReason.REDIRECT, Word(message("the service sends us elsewhere"))),
    (FailureReason.MALFORMED, Word(message("the answer is no list"))),
    (FailureReason.TOO_LARGE, Word(message("the answer is too long"))),
    (FailureReason.INTERNAL, Word(message("a defect of this program"))),
    (HistoryKind.AUTHORIZATION_ADDED, Word(message("authorization listed"), *_CALM)),
    (HistoryKind.AUTHORIZATION_CHANGED, Word(message("authorization changed"), *_CALM)),
    (HistoryKind.AUTHORIZATION_REMOVED, Word(message("authorization removed"), *_CALM)),
    (HistoryKind.FINDING_FLAGGED, Word(message("finding"), *_POOR)),
    (HistoryKind.FINDING_CLEARED, Word(message("finding cleared"), *_GOOD)),
    (HistoryKind.POLLS_FAILED, Word(message("polls fail"), *_BAD)),
    (HistoryKind.POLLS_RECOVERED, Word(message("polls succeed again"), *_GOOD)),
)

_WORDS: Mapping[tuple[type[StrEnum], StrEnum], Word] = {
    (type(member), member): word for member, word in _PAIRS
}  # members of two sets with one value are equal, so the set is part of the key


def word_of(member: StrEnum) -> Word:
    """Raises KeyError for a member of a set that is not shown."""
    return _WORDS[type(member), member]
