"""Confidential values: in the configuration itself or, better, in a file of their own."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

from auditd.audit.plugin import Secret

SECRET_LIMIT_BYTES = 64 * 1024
"""The longest tokens of Huawei Cloud have some ten thousand characters."""

LOOK_INTERVAL_SECONDS = 1.0
"""A secret's file is looked at no more often than this."""

_Stamp: TypeAlias = tuple[int, int, int]


class SecretFileError(OSError):
    """A secret's file gives no secret. The message names the file and the remedy."""


class InlineSecret:
    """A value that was written in the configuration or came from the environment."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InlineSecret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def reveal(self) -> str:
        """The value; it never changes."""
        return self._value


class FileSecret:
    """A value in a file that may be replaced at any time.

    The file is read again when its modification time, inode or size is another one. One
    newline at its end does not belong to the value. Each new value is told to `on_value`
    before anyone else sees it. `monotonic` is in seconds. Two of the same path are equal.
    """

    def __init__(
        self, path: Path, *, monotonic: Callable[[], float], on_value: Callable[[str], None]
    ) -> None:
        self.path = path
        self._monotonic = monotonic
        self._on_value = on_value
        self._looked_at: float | None = None
        self._stamp: _Stamp | None = None
        self._value = ""
        self._is_looked_after = False
        self._fault = ""

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileSecret) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def look(self) -> None:
        """Read the file if it changed, in any thread. Blocks, and raises nothing.

        Whoever calls this goes on calling it: from now on `reveal` gives what the last look found
        and does not touch the file, so that a slow disk holds up no event loop.
        """
        try:
            self._look()
        except SecretFileError as error:
            self._fault = str(error)
        else:
            self._fault = ""
        self._is_looked_after = True

    def reveal(self) -> str:
        """The value as it is now, at most a second old.

        Raises:
            SecretFileError: the file cannot be read, is empty, is too long or is not UTF-8.
        """
        if self._is_looked_after:
            if self._fault:
                raise SecretFileError(self._fault)
            return self._value
        now = self._monotonic()
        if self._looked_at is None or now - self._looked_at >= LOOK_INTERVAL_SECONDS:
            self._look()
            self._looked_at = now  # only now: a file that cannot be read is looked at each time
        return self._value

    def _look(self) -> None:
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp != self._stamp:
                self._value = self._read(status.st_mode)
                self._on_value(self._value)
                self._stamp = stamp
        except OSError as error:
            self._stamp = None
            self._looked_at = None
            msg = f"the secret file {self.path} {_reason(error)}"
            raise SecretFileError(msg) from error

    def _read(self, mode: int) -> str:
        if not stat.S_ISREG(mode):
            msg = "is not a regular file"
            raise SecretFileError(msg)
        with self.path.open("rb") as file:
            content = file.read(SECRET_LIMIT_BYTES + 1)
        if len(content) > SECRET_LIMIT_BYTES:
            msg = f"is larger than {SECRET_LIMIT_BYTES // 1024} KiB; is it the right file?"
            raise SecretFileError(msg)
        try:
            value = content.decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            msg = "is not UTF-8 text; is it the right file?"
            raise SecretFileError(msg) from None  # the cause holds the content
        if not value:
            msg = "is empty; write the secret into it"
            raise SecretFileError(msg)
        return value


def _reason(error: OSError) -> str:
    return str(error) if error.strerror is None else f"cannot be read: {error.strerror}"


def parts_of(value: str) -> Iterable[str]:
    """All that must not be told of a secret: itself and, if it is an address, its password.

    A driver that cannot use an address may quote the password alone.
    """
    try:
        url = urlsplit(value)
        passwords = [url.password or "", *parse_qs(url.query).get("password", ())]
    except ValueError:
        passwords = []
    return filter(None, dict.fromkeys([value, *passwords, *map(unquote, passwords)]))


class Keeper:
    """Makes the secrets of one configuration, so that all of them are known.

    `on_value` is told of each value, and of each of `parts_of` it, before anyone else sees it.
    """

    def __init__(self, *, monotonic: Callable[[], float], on_value: Callable[[str], None]) -> None:
        self._monotonic = monotonic
        self._tell = on_value
        self.secrets: list[Secret] = []

    def keep(self, value: str) -> Secret:
        """A secret that was written in the configuration."""
        self._on_value(value)
        self.secrets.append(secret := InlineSecret(value))
        return secret

    def _on_value(self, value: str) -> None:
        for part in parts_of(value):
            self._tell(part)

    def keep_file(self, path: Path) -> Secret:
        """A secret in a file.

        Raises:
            SecretFileError: the file gives no secret now.
        """
        secret = FileSecret(path, monotonic=self._monotonic, on_value=self._on_value)
        secret.reveal()
        self.secrets.append(secret)
        return secret
