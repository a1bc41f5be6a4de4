"""Why a project could not be seen."""

from __future__ import annotations

from enum import StrEnum


class FailureReason(StrEnum):
    """The closed set behind the label `reason` of auditd_poll_failures_total."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    AUTH = "auth"
    AUTH_LOCKED = "auth_locked"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    THROTTLED = "throttled"
    SERVER = "server"
    REDIRECT = "redirect"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    INTERNAL = "internal"


class PollError(Exception):
    """A poll brought no list, for exactly one reason.

    The message says what happened, where, and what to do. It holds no secret and cuts foreign
    text at 256 characters, so that it can be logged and shown as it is.
    """

    def __init__(self, reason: FailureReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SkipReason(StrEnum):
    """Why a slot passed without a poll of its own."""

    OVERLAP = "overlap"
    """The previous poll of the project was still under way."""
    BLOCKED = "blocked"
    """The event loop did not run when the slot came."""
    CLOCK = "clock"
    """The wall clock was stepped, or the machine was suspended, across the slot."""
