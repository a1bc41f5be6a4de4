"""IAM: logging in with a password or another provider's token, and temporary keys."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aiohttp import web

from auditd.simulator.call import Call, Operation, to_answer
from auditd.simulator.caller import Caller
from auditd.simulator.fleet import Fleet, may_use
from auditd.simulator.iam_bodies import (
    AssumeAgency,
    IdTokenLogin,
    PasswordLogin,
    Reference,
    TemporaryKeysRequest,
    User,
)
from auditd.simulator.keyring import KeyRing
from auditd.simulator.ledger import Ledger
from auditd.simulator.lockout import Lockout
from auditd.simulator.moments import to_vendor_text
from auditd.simulator.operations import OperationName
from auditd.simulator.refusal import RefusalError
from auditd.simulator.scenario import AgencyCredential, Credential, UserCredential
from auditd.simulator.tokens import Token, TokenStore


def _bad_body() -> RefusalError:
    return RefusalError.of_iam("IAM.0011", "Request body is invalid.")


class Iam:
    """Issues tokens and keys to whoever proves to be a credential of the scenario.

    Source: by default five wrong passwords within 15 minutes lock an IAM user for as long;
    from memory, like the texts of the refusals.
    """

    def __init__(
        self,
        credentials: Sequence[Credential],
        *,
        keys: KeyRing,
        tokens: TokenStore,
        fleet: Fleet,
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        self._users = {(c.domain, c.user): c for c in credentials if isinstance(c, UserCredential)}
        self._agencies = [c for c in credentials if isinstance(c, AgencyCredential)]
        self._keys = keys
        self._tokens = tokens
        self._fleet = fleet
        self._ledger = ledger
        self._now = now
        quarter = timedelta(minutes=15)
        self._lockout = Lockout(limit=5, lock=quarter, window=quarter)

    def operations(self) -> list[Operation]:
        """What this part answers."""
        names = OperationName
        federation, keys = "/v3.0/OS-AUTH/id-token/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"
        agency = "/v5/agencies/assume-with-oidc"
        return [
            Operation(names.CREATE_TOKEN, "POST", "/v3/auth/tokens", self._log_in, is_open=True),
            Operation(
                names.CREATE_TOKEN_BY_ID_TOKEN, "POST", federation, self._federate, is_open=True
            ),
            Operation(names.CREATE_TEMPORARY_KEYS, "POST", keys, self._issue_keys, is_open=True),
            Operation(names.ASSUME_AGENCY_WITH_OIDC, "POST", agency, self._assume, is_open=True),
        ]

    def locked(self) -> list[str]:
        """The users that are locked now, as `domain/user`."""
        return self._lockout.locked(self._now())

    async def _log_in(self, call: Call) -> web.Response:
        auth = call.read(PasswordLogin, _bad_body()).auth
        owner = self._check_password(auth.identity.password.user)
        token = self._tokens.issue(
            replace(owner, scope=self._find_scope(owner, auth.scope.project))
        )
        return self._to_token_answer(token, "password")

    async def _federate(self, call: Call) -> web.Response:
        login = call.read(IdTokenLogin, _bad_body())
        idp_id = call.request.headers.get("X-Idp-Id", "")
        agency = self._find_agency(login.auth.id_token.id)
        if agency is None or agency.idp_id != idp_id:
            raise RefusalError.of_keystone(401, "The id token is invalid.")
        owner = Caller(agency.name, agency.domain, scope="")
        return self._to_token_answer(self._tokens.issue(owner), "mapped")

    async def _issue_keys(self, call: Call) -> web.Response:
        wanted = call.read(TemporaryKeysRequest, _bad_body()).auth.identity.token
        token = self._tokens.find(wanted.id)
        if token is None or token.is_revoked or token.expires_at <= self._now():
            raise RefusalError.of_keystone(
                401, "The request you have made requires authentication."
            )
        life = timedelta(seconds=wanted.duration_seconds)
        keys = self._keys.issue(replace(token.owner, scope=None), life)
        credential = {
            "access": keys.access_key,
            "secret": keys.secret_key,
            "securitytoken": keys.security_token,
            "expires_at": to_vendor_text(keys.expires_at),
        }
        return to_answer({"credential": credential}, 201)

    async def _assume(self, call: Call) -> web.Response:
        wanted = call.read(AssumeAgency, _bad_body())
        agency = self._find_agency(wanted.id_token)
        if agency is None:
            raise RefusalError.of_keystone(401, "The id token is invalid.")
        life = timedelta(seconds=wanted.duration_seconds)
        keys = self._keys.issue(Caller(agency.name, agency.domain), life)
        credentials = {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "security_token": keys.security_token,
            "expiration": to_vendor_text(keys.expires_at),
        }
        return to_answer({"credentials": credentials})

    def _check_password(self, user: User) -> Caller:
        subject = f"{user.domain.name}/{user.name}"
        if self._lockout.is_locked(subject, self._now()):
            raise RefusalError.of_keystone(401, "The account is locked.")
        known = self._users.get((user.domain.name or "", user.name))
        password = user.password.encode()
        if known is None or not hmac.compare_digest(known.password.encode(), password):
            self._ledger.count_failure(subject)
            self._lockout.fail(subject, self._now())
            message = "The username or password is wrong."
            raise RefusalError.of_keystone(401, message)
        self._lockout.succeed(subject)
        return Caller(known.name, known.domain)

    def _find_scope(self, owner: Caller, wanted: Reference | None) -> str:
        if wanted is None:
            return ""
        project = (
            self._fleet.find(wanted.id)
            if wanted.id
            else self._fleet.find_by_name(wanted.name or "")
        )
        if project is None or not may_use(owner, project):
            message = "The request you have made requires authentication."
            raise RefusalError.of_keystone(401, message)
        if not project.enabled:
            raise RefusalError.of_keystone(403, "The project is disabled.")
        return project.id

    def _find_agency(self, id_token: str) -> AgencyCredential | None:
        return next((a for a in self._agencies if a.id_token == id_token), None)

    def _to_token_answer(self, token: Token, method: str) -> web.Response:
        project = self._fleet.find(token.owner.scope or "")
        self._ledger.count_login(project.name if project else "domain")
        scope = {"project": {"id": project.id, "name": project.name}} if project else {}
        body = {
            "methods": [method],
            "issued_at": to_vendor_text(token.issued_at),
            "expires_at": to_vendor_text(token.expires_at),
            "user": {"name": token.owner.credential, "domain": {"name": token.owner.domain}},
            **scope,
        }
        return to_answer({"token": body}, 201, {"X-Subject-Token": token.text})
