"""Where the secrets of one configuration are made, so that all of them are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from auditd.audit.plugin import Secret
from auditd.config.node import Text
from auditd.config.problem import Problem
from auditd.config.secret import FileSecret, InlineSecret

_OTHERS_MAY_READ = 0o044


class Keeper:
    """Makes secrets and remembers them, with a warning for each that others can read."""

    def __init__(self, *, monotonic: Callable[[], float], on_value: Callable[[str], None]) -> None:
        self._monotonic = monotonic
        self._on_value = on_value
        self.secrets: list[Secret] = []
        self.warnings: list[Problem] = []

    def keep(self, text: Text) -> Secret:
        """A secret that was written in the configuration."""
        self._on_value(text)
        secret = InlineSecret(str(text))
        self.secrets.append(secret)
        if not text.is_expanded and _others_may_read(text.place.file):
            self.warnings.append(
                Problem(
                    text.place,
                    "",
                    "a secret in a file that others can read; chmod 600 the file, or use the"
                    " key that ends in _file",
                )
            )
        return secret

    def keep_file(self, text: Text) -> Secret:
        """A secret in a file; a relative path starts beside the file that names it.

        Raises:
            OSError: the file gives no secret now.
        """
        secret = FileSecret(beside(text), monotonic=self._monotonic, on_value=self._on_value)
        secret.reveal()
        self.secrets.append(secret)
        return secret

    def keep_url(self, text: Text) -> Secret:
        """An address that was written in the configuration: secret if more than an origin."""
        if is_confidential(urlsplit(text)):
            return self.keep(text)
        return InlineSecret(str(text))


def beside(text: Text) -> Path:
    """A path as written, from the directory of the file that it is written in."""
    return Path(text.place.file).parent / text


def is_confidential(url: SplitResult) -> bool:
    """Whether an address holds user info, or a path or query that may be a capability."""
    has_password = "@" in url.netloc
    return has_password or (
        url.scheme in {"http", "https"} and bool(url.path.strip("/") or url.query)
    )


def _others_may_read(file: str) -> bool:
    try:
        return bool(Path(file).stat().st_mode & _OTHERS_MAY_READ)
    except OSError:
        return False
