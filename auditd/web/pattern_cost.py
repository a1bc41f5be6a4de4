"""Which regular expressions may come in over HTTP: those that are done in time."""

from __future__ import annotations

from auditd.alerting.matcher import Matcher, Operator
from auditd.audit.pattern_cost import require_cheap

PATTERN_OPERATORS = (Operator.FITS, Operator.FITS_NOT)


def check_cost(matcher: Matcher) -> None:
    """Accept a matcher whose pattern is done in time: a silence is tried on every alert.

    Raises:
        ValueError: it repeats a group, or too much.
    """
    if matcher.operator in PATTERN_OPERATORS:
        require_cheap(matcher.value)
