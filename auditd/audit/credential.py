"""What people are shown of a credential: never the credential."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """The state of one configured credential.

    `expires_at` is the earliest expiry of what it holds now (a token, temporary keys), None
    when it does not expire or was not fetched yet. `clock_skew_seconds` is the remote clock
    minus ours at the last answer, from its Date header, None before the first answer.
    """

    name: str
    expires_at: datetime | None = None
    clock_skew_seconds: float | None = None
