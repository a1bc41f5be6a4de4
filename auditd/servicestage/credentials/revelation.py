"""Turning a configured secret into text that can be used, with errors that people can act on."""

from __future__ import annotations

import re

from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Secret

_HEADER_TEXT = re.compile(r"[\x21-\x7e]+")


def reveal(secret: Secret, *, credential: str, key: str) -> str:
    """The secret as it is now; never empty.

    Raises:
        PollError: `auth`; its file cannot be read or is empty.
    """
    try:
        text = secret.reveal()
    except OSError as error:
        raise _unreadable(error, credential, key) from error
    return _filled(text, credential, key)


class HeaderSecret:
    """A secret that travels in a header: visible ASCII and no blank. Each value is looked at once.

    Args:
        secret: where it is.
        credential: whose it is, for messages.
        key: its name in the configuration, for messages.
    """

    def __init__(self, secret: Secret, *, credential: str, key: str) -> None:
        self._secret = secret
        self._credential = credential
        self._key = key
        self._sound: str | None = None

    def reveal(self) -> str:
        """The secret as it is now.

        Raises:
            PollError: `auth`; as `reveal`, or it holds anything else, such as a line break.
        """
        try:
            text = self._secret.reveal()
        except OSError as error:
            raise _unreadable(error, self._credential, self._key) from error
        if text is not self._sound:
            self._sound = self._checked(_filled(text, self._credential, self._key))
        return text

    def _checked(self, text: str) -> str:
        if not _HEADER_TEXT.fullmatch(text):
            msg = (
                f"credential {self._credential!r}: {self._key} holds blanks, line breaks or "
                "non-ASCII characters and cannot be sent; check that its file holds the bare value"
            )
            raise PollError(FailureReason.AUTH, msg)
        return text


def _unreadable(error: OSError, credential: str, key: str) -> PollError:
    # A secret's own error has no number, but a sentence that names the file.
    why = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
    msg = f"credential {credential!r}: {key} cannot be read: {why}"
    return PollError(FailureReason.AUTH, msg)


def _filled(text: str, credential: str, key: str) -> str:
    if not text:
        msg = f"credential {credential!r}: {key} is empty"
        raise PollError(FailureReason.AUTH, msg)
    return text
