"""`sdk_chain`: the keys that the machine, the pod or the environment already has."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from auditd.audit.events import CredentialRefreshed, CredentialRejected
from auditd.audit.failure import FailureReason, PollError
from auditd.audit.plugin import Plugin
from auditd.servicestage.credentials.port import Authenticated, Scope, Surroundings
from auditd.servicestage.credentials.single_flight import SingleFlight
from auditd.servicestage.message import Request
from auditd.servicestage.signing import Keys, Signer

REFRESH_AHEAD = timedelta(minutes=10)
"""How long before their end keys are replaced. Source: ECS user guide: the metadata service
offers the next pair ten minutes before, and both are valid meanwhile."""

MINIMUM_INTERVAL = timedelta(seconds=60)
"""Between two attempts to fetch keys."""

FETCH_TIMEOUT_SECONDS = 25.0
"""All providers together; the slowest answer of a silent host is 15 seconds."""


@dataclass(frozen=True, kw_only=True)
class SdkChainOptions:
    """Nothing has to be said: environment, profile file, OIDC, pod identity, ECS metadata."""

    iam_endpoint: str | None = None


class SdkChainCredential:
    """Signs with one immutable set of keys until the next set was fetched completely.

    The SDK replaces key, secret and token one by one; a mixture would count as a bad signature.
    """

    def __init__(
        self,
        name: str,
        options: SdkChainOptions,
        surroundings: Surroundings,
        *,
        find_keys: Callable[[], Awaitable[Keys]],
    ) -> None:
        self.name = name
        self.iam_endpoint = options.iam_endpoint
        self._find_keys = find_keys
        self._surroundings = surroundings
        self._signer = Signer()
        self._fetches = SingleFlight[None]()
        self._keys: Keys | None = None
        self._is_doubted = False
        self._next_try_at = -math.inf
        self._failure = ""

    def revision(self) -> int:
        """Always the same: fresh keys of the same machine are no reason to doubt it."""
        return 0

    async def authenticate(self, request: Request, scope: Scope) -> Authenticated:
        """See Credential. Keys that were just refused are not used while others are looked for."""
        if self._is_doubted or not self._is_usable():
            await self._fetches.run(None, self._fetch)
        keys = self._keys
        if keys is None or not self._is_usable():
            raise PollError(FailureReason.AUTH, f"credential {self.name!r}: {self._failure}")
        signed = self._signer.sign(
            request, keys, project_id=scope.project_id, at=self._surroundings.now()
        )
        return Authenticated(signed, hash(keys))

    async def renew(self, scope: Scope, version: int) -> bool:  # noqa: ARG002 # one key for all
        """Look for other keys, unless somebody has within the last minute."""
        if hash(self._keys) == version:
            self._is_doubted = True
            try:
                await self._fetches.run(None, self._fetch)
            finally:
                self._is_doubted = False
        return hash(self._keys) != version

    def expires_at(self) -> datetime | None:
        """See Credential."""
        return self._keys.expires_at if self._keys else None

    async def keep_fresh(self) -> None:
        """Replace keys ahead of their end; until that succeeds the old ones stay in use."""
        while True:
            await asyncio.sleep(MINIMUM_INTERVAL.total_seconds())
            expires_at = self.expires_at()
            if expires_at is not None and self._surroundings.now() >= expires_at - REFRESH_AHEAD:
                await self._fetches.run(None, self._fetch)

    def _is_usable(self) -> bool:
        if self._keys is None:
            return False
        return self._keys.expires_at is None or self._surroundings.now() < self._keys.expires_at

    async def _fetch(self) -> None:
        """Does nothing when the last attempt is not long enough ago. Raises nothing."""
        time = asyncio.get_running_loop().time
        if time() < self._next_try_at:
            return
        self._next_try_at = time() + MINIMUM_INTERVAL.total_seconds()
        try:
            async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
                keys = await self._find_keys()
        except TimeoutError:
            self._fail(f"no keys came within {FETCH_TIMEOUT_SECONDS:g} s")
        except PollError as error:
            self._fail(str(error))
        else:
            self._publish(keys)

    def _publish(self, keys: Keys) -> None:
        self._failure = f"the keys that were found ended at {keys.expires_at}"
        if keys == self._keys:
            return
        self._keys = keys
        for secret in (keys.secret_key, keys.security_token):
            if secret:
                self._surroundings.on_secret(secret)
        self._surroundings.emit(CredentialRefreshed(self.name, "", keys.expires_at))

    def _fail(self, message: str) -> None:
        self._failure = message
        if not self._is_usable():
            held_until = self._surroundings.now() + MINIMUM_INTERVAL
            self._surroundings.emit(
                CredentialRejected(self.name, "", FailureReason.AUTH, message, held_until)
            )


def build(name: str, options: SdkChainOptions, surroundings: Surroundings) -> SdkChainCredential:
    """Make one. The SDK's providers are imported here and not before; see Signer."""
    from auditd.servicestage.key_chain import find_keys  # noqa: PLC0415 # see above

    in_a_thread = partial(asyncio.to_thread, find_keys)
    return SdkChainCredential(name, options, surroundings, find_keys=in_a_thread)


PLUGIN = Plugin("sdk_chain", SdkChainOptions, build)
