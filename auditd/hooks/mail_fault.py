"""What goes wrong between us and a mail server, in the terms of hooks."""

from __future__ import annotations

import ssl
from socket import gaierror

import aiosmtplib

from auditd.alerting.events import SendFailure
from auditd.hooks.address import BlockedAddressError
from auditd.hooks.foreign_text import excerpt
from auditd.hooks.port import HookError, RefusedError, RetryLaterError

_PERMANENT = range(500, 600)

_FAULTS: tuple[tuple[type[BaseException], type[HookError], SendFailure, str], ...] = (
    (
        BlockedAddressError,
        RefusedError,
        SendFailure.BLOCKED_ADDRESS,
        "is at an address that nothing is ever sent to; check what its name resolves to",
    ),
    (
        gaierror,
        RetryLaterError,
        SendFailure.DNS,
        "has no address; check its name and the name servers",
    ),
    (
        ssl.SSLError,
        RetryLaterError,
        SendFailure.TLS,
        "could not be trusted or spoke no TLS; check its certificate and the port",
    ),
    (TimeoutError, RetryLaterError, SendFailure.TIMEOUT, "was not done in time"),
    (
        OSError,
        RetryLaterError,
        SendFailure.CONNECT,
        "refused or closed the connection; check its name and port",
    ),
    (
        aiosmtplib.SMTPException,  # as such, it says that the server lacks an extension
        RefusedError,
        SendFailure.REFUSED,
        "lacks STARTTLS or a way to log in; check security, port and username",
    ),
)
"""Kinds of exceptions, what they mean, and what is said. The first that fits counts."""


def mail_fault(error: aiosmtplib.SMTPException | OSError, server: str) -> HookError:
    """What an exception of aiosmtplib or of a socket means. `server` begins the message."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return refusal(error.code, error.message, server)
    return next(
        fault(reason, f"{server} {said}")
        for kind, fault, reason, said in _FAULTS
        if isinstance(error, kind) or isinstance(error.__cause__, kind)
    )


def refusal(code: int, text: str, server: str) -> HookError:
    """What an answer means that is no success.

    Source: https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1
    """
    msg = f"{server} answered {code}: {excerpt(text)}"
    if code in _PERMANENT:
        return RefusedError(SendFailure.REFUSED, f"{msg}; check the addresses and the password")
    return RetryLaterError(SendFailure.SERVER, msg)
