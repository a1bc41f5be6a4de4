"""The AK/SK pairs that are good now: those of the scenario and those handed out since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from auditd.simulator.caller import Caller
from auditd.simulator.moments import to_instant
from auditd.simulator.scenario import Credential, KeysCredential


@dataclass(frozen=True, slots=True)
class Keys:
    """One pair and whose it is. Temporary ones have a security token and an end."""

    access_key: str
    secret_key: str
    security_token: str | None
    expires_at: datetime
    owner: Caller


_NEVER = datetime.max.replace(tzinfo=UTC)


class KeyRing:
    """Finds keys by AK and issues temporary ones."""

    def __init__(
        self,
        credentials: Sequence[Credential],
        *,
        random: Random,
        start: datetime,
        now: Callable[[], datetime],
    ) -> None:
        self._random = random
        self._now = now
        self._keys = {
            credential.access_key: Keys(
                access_key=credential.access_key,
                secret_key=credential.secret_key,
                security_token=credential.security_token,
                expires_at=to_instant(credential.expires, start) or _NEVER,
                owner=Caller(credential.name, credential.domain),
            )
            for credential in credentials
            if isinstance(credential, KeysCredential)
        }

    def find(self, access_key: str) -> Keys | None:
        """The pair, unless it never was or has ended."""
        keys = self._keys.get(access_key)
        return keys if keys is not None and self._now() < keys.expires_at else None

    def issue(self, owner: Caller, life: timedelta) -> Keys:
        """A new temporary pair, good until `life` from now."""
        keys = Keys(
            access_key=f"TAK{self._random.randbytes(9).hex().upper()}",
            secret_key=self._random.randbytes(20).hex(),
            security_token=self._random.randbytes(128).hex(),
            expires_at=self._now() + life,
            owner=owner,
        )
        self._keys[keys.access_key] = keys
        return keys
