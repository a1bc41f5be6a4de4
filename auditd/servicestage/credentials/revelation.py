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
        # A secret's own error has no number, but a sentence that names the file.
        why = f"{error.strerror}: {error.filename}" if error.strerror else str(error)
        msg = f"credential {credential!r}: {key} cannot be read: {why}"
        raise PollError(FailureReason.AUTH, msg) from error
    if not text:
        msg = f"credential {credential!r}: {key} is empty"
        raise PollError(FailureReason.AUTH, msg)
    return text


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
        self._sound = ""

    def reveal(self) -> str:
        """The secret as it is now.

        Raises:
            PollError: `auth`; as `reveal`, or it holds anything else, such as a line break.
        """
        text = reveal(self._secret, credential=self._credential, key=self._key)
        if text is not self._sound:
            self._sound = self._checked(text)
        return text

    def _checked(self, text: str) -> str:
        if not _HEADER_TEXT.fullmatch(text):
            msg = (
                f"credential {self._credential!r}: {self._key} holds blanks, line breaks or "
                "non-ASCII characters and cannot be sent; check that its file holds the bare value"
            )
            raise PollError(FailureReason.AUTH, msg)
        return text
