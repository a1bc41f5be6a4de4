"""The X-Auth-Tokens that were issued."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from auditd.simulator.caller import Caller
from auditd.simulator.scenario import TokenSettings


@dataclass(frozen=True, slots=True)
class Token:
    """One token; the owner's scope is its project."""

    text: str
    owner: Caller
    issued_at: datetime
    expires_at: datetime
    is_revoked: bool = False


class TokenStore:
    """Issues tokens as long as real ones, and remembers them, expired and revoked ones too."""

    def __init__(
        self, settings: TokenSettings, *, random: Random, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._random = random
        self._now = now
        self._tokens: dict[str, Token] = {}

    def issue(self, owner: Caller) -> Token:
        """A new token; older ones of the same owner stay good."""
        length = self._settings.characters
        text = "MII" + base64.b64encode(self._random.randbytes(length)).decode()
        issued_at = self._now()
        token = Token(text[:length], owner, issued_at, issued_at + self._settings.life)
        self._tokens[token.text] = token
        return token

    def find(self, text: str) -> Token | None:
        """The token in whatever state, or None when it was never issued."""
        return self._tokens.get(text)

    def revoke(self, project_id: str | None) -> int:
        """Revoke the tokens of one project, or with None all; says how many that were."""
        revoked = {
            text: dataclasses.replace(token, is_revoked=True)
            for text, token in self._tokens.items()
            if not token.is_revoked and project_id in {None, token.owner.scope}
        }
        self._tokens |= revoked
        return len(revoked)
