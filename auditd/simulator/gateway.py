"""The API gateway: who is calling, and may they use this project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from auditd.simulator.caller import Caller
from auditd.simulator.fleet import Fleet, may_use
from auditd.simulator.keyring import KeyRing
from auditd.simulator.ledger import Ledger
from auditd.simulator.lockout import Lockout
from auditd.simulator.moments import to_vendor_text
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.signature import (
    Claim,
    SignedRequest,
    canonical_request,
    is_genuine,
    is_timely,
    parse_authorization,
)
from auditd.simulator.tokens import TokenStore

_BAD_SIGNATURE = "verify aksk signature fail"
_LOCKED = "AK access failed to reach the limit,forbidden."


class Gateway:
    """Checks tokens and signatures, and counts what fails.

    Source: API Sign FAQ: more than five failures of an AK in a row lock it for five minutes,
    and every request with it is rejected meanwhile.
    """

    def __init__(
        self,
        *,
        keys: KeyRing,
        tokens: TokenStore,
        fleet: Fleet,
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._fleet = fleet
        self._ledger = ledger
        self._now = now
        self._lockout = Lockout(limit=6, lock=timedelta(seconds=300))

    def authenticate(self, request: SignedRequest) -> Caller:
        """Who signed this request, else whose token it shows. Raises RefusalError, always 401."""
        authorization = request.headers.get("authorization", b"").decode("latin-1")
        if (claim := parse_authorization(authorization)) is not None:
            return self._check_claim(request, claim)
        if (token := request.headers.get("x-auth-token")) is not None:
            return self._check_token(token.decode("latin-1"))
        reason = _BAD_SIGNATURE if authorization else "x-auth-token not found"
        raise RefusalError.of_authentication(reason)

    def admit(self, caller: Caller, project_id: str, operation: OperationName) -> None:
        """Let the caller into the project. Raises RefusalError: 401 for another project's token."""
        if caller.scope not in {None, project_id}:
            raise RefusalError.of_gateway(401, "0307", "The token must be updated.")
        project = self._fleet.find(project_id)
        if project is None or not may_use(caller, project):
            message = "The IAM user is not authorized to access the API."
            raise RefusalError.of_gateway(403, "0302", message)
        if not project.enabled:
            raise RefusalError.of_gateway(403, "0310", "The project is unavailable.")
        if operation in project.denied:
            message = f"Policy doesn't allow {operation.value} to be performed."
            raise RefusalError.of_gateway(403, "0302", message)

    def locked(self) -> list[str]:
        """The AKs that are locked now."""
        return self._lockout.locked(self._now())

    def _check_token(self, text: str) -> Caller:
        token = self._tokens.find(text)
        if token is None:
            reason = "decrypt token fail"
            raise RefusalError.of_authentication(reason)
        if token.is_revoked:
            raise RefusalError.of_gateway(401, "0307", "The token must be updated.")
        if token.expires_at <= self._now():
            reason = f"token expires, expires_at: {to_vendor_text(token.expires_at)}"
            raise RefusalError.of_authentication(reason)
        return token.owner

    def _check_claim(self, request: SignedRequest, claim: Claim) -> Caller:
        now = self._now()
        if self._lockout.is_locked(claim.access_key, now):
            raise RefusalError.of_authentication(_LOCKED)
        keys = self._keys.find(claim.access_key)
        if keys is None:
            raise self._fail(claim, f"ak {claim.access_key} not exist")
        shown = request.headers.get("x-security-token")
        if (shown.decode("latin-1") if shown is not None else None) != keys.security_token:
            reason = f"Get secretKey failed,ak:{claim.access_key},err:ak not exist"
            raise self._fail(claim, reason)
        if not is_genuine(request, claim, keys.secret_key, now):
            raise self._fail(claim, _describe_bad_signature(request, claim, now))
        self._lockout.succeed(claim.access_key)
        return keys.owner

    def _fail(self, claim: Claim, reason: str) -> RefusalError:
        now = self._now()
        self._ledger.count_failure(claim.access_key)
        self._lockout.fail(claim.access_key, now)
        is_locked = self._lockout.is_locked(claim.access_key, now)
        return RefusalError.of_authentication(_LOCKED if is_locked else reason)


def _describe_bad_signature(request: SignedRequest, claim: Claim, now: datetime) -> str:
    """With the canonical request, as some regions send it: it holds header values."""
    date = request.headers.get("x-sdk-date", b"").decode("latin-1")
    if not is_timely(date, now) or not set(claim.signed_headers) <= request.headers.keys():
        return _BAD_SIGNATURE
    canonical = canonical_request(request, claim.signed_headers).decode("utf-8", "replace")
    return f"{_BAD_SIGNATURE},canonicalRequest:{canonical.replace(chr(10), '|')}"
