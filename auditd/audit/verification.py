"""What happened when ServiceStage exercised a stored Git credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of one read-only call that uses the stored credential.

    Source: ListNamespaces with header X-Repo-Auth; error codes SVCSTG.REPO.0450 and .0451.
    """

    WORKS = "works"
    BROKEN = "broken"
    """ServiceStage answered that the stored credential is invalid."""
    MISSING = "missing"
    """ServiceStage knows no authorization of that name (any more)."""
    INCONCLUSIVE = "inconclusive"
    """Anything else: a private host may be unreachable from the service. Never an alarm."""


@dataclass(frozen=True, slots=True)
class Verification:
    """A verdict and the aware UTC instant at which it was given."""

    verdict: Verdict
    at: datetime
