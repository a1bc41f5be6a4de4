"""Turning a configured secret into text that can be used, with errors that people can act on."""

from __future__ import annotations

from urllib.parse import urlsplit

from auditd.alerting.events import SendFailure
from auditd.audit.plugin import Secret
from auditd.hooks.port import RetryLaterError


def reveal(secret: Secret, *, hook: str, key: str) -> str:
    """The secret as it is now; never empty.

    Raises:
        RetryLaterError: `failed`; its file cannot be read or is empty.
    """
    try:
        text = secret.reveal()
    except OSError as error:
        msg = f"hook {hook!r}: {key} cannot be read: {error}"
        raise RetryLaterError(SendFailure.FAILED, msg) from error
    if not text:
        msg = f"hook {hook!r}: {key} is empty; write the secret into its file"
        raise RetryLaterError(SendFailure.FAILED, msg)
    return text


def require_web_address(secret: Secret, key: str) -> None:
    """Check the URL that a secret holds, when options are made.

    Raises:
        ValueError: it is no URL of http or https; the message does not quote it.
    """
    try:
        is_fine = is_web_address(secret.reveal())
    except OSError as error:
        msg = f"{key} cannot be read: {error}"
        raise ValueError(msg) from error
    if not is_fine:
        msg = f"{key} must be an address that begins with https:// or http://"
        raise ValueError(msg)


def is_web_address(text: str) -> bool:
    """Whether it is a URL of http or https without blanks."""
    try:
        url = urlsplit(text)
        has_host = bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and has_host and text == "".join(text.split())
