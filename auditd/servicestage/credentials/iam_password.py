"""`iam_password`: logs an IAM user in, once for each project, and keeps the tokens."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auditd.audit.events import CredentialRefreshed
from auditd.audit.failure import PollError
from auditd.audit.plugin import Plugin, Secret
from auditd.servicestage import operations
from auditd.servicestage.credentials.port import Authenticated, Scope, Surroundings
from auditd.servicestage.credentials.revelation import reveal
from auditd.servicestage.credentials.single_flight import SingleFlight
from auditd.servicestage.errors import RefusedError, ThrottledError
from auditd.servicestage.faults import classify
from auditd.servicestage.gate import Gate
from auditd.servicestage.iam_answers import parse_token
from auditd.servicestage.message import Answer, Request
from auditd.servicestage.regions import iam_endpoint

LOGIN_TIMEOUT_SECONDS = 20.0

PROOF_SECONDS = 60.0
"""How long one log-in vouches for the password, so that the others need not wait for another."""

MINIMUM_LIFE = timedelta(minutes=10)
"""A token that ends sooner by our clock is kept so long all the same: the clock may be wrong."""


@dataclass(frozen=True, kw_only=True)
class IamPasswordOptions:
    """An IAM user: `domain` is the account's name."""

    domain: str
    user: str
    password: Secret
    iam_endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    version: int
    refresh_at: datetime
    expires_at: datetime


class IamPasswordCredential:
    """A token opens one project only, so there is one for each.

    A token is used for its whole life and renewed ahead of its end, at an age between 70 % and
    90 % of it that depends on the project, so that the log-ins of many projects stay spread.
    Log-ins pass a gate of their own: five wrong passwords lock a user.

    Source: IAM API reference, "Obtaining a User Token Through Password Authentication".
    """

    def __init__(self, name: str, options: IamPasswordOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.iam_endpoint = options.iam_endpoint
        self._options = options
        self._surroundings = surroundings
        self._tokens: dict[Scope, _Token] = {}
        self._logins = SingleFlight[_Token]()
        self._login_count = 0
        self._gate = Gate(
            name,
            revision=self.revision,
            now=surroundings.now,
            random=surroundings.random,
            emit=lambda _: None,  # the gate of the requests tells of a refusal
            proof_seconds=PROOF_SECONDS,
        )

    def revision(self) -> int:
        """See Credential."""
        return hash(self._password())

    async def authenticate(self, request: Request, scope: Scope) -> Authenticated:
        """See Credential. Logs in when there is no token for the scope or it is getting old."""
        token = await self._token(scope)
        request = request.with_header("X-Auth-Token", token.text)
        return Authenticated(request, token.version, is_proven=True)

    async def renew(self, scope: Scope, version: int) -> bool:
        """Log in again, unless somebody has since. A token may end before its time.

        Source: IAM API reference: within 30 minutes of a change of password or permissions.
        """
        token = self._tokens.get(scope)
        if token is not None and token.version == version:
            del self._tokens[scope]
        await self._token(scope)
        return True

    def expires_at(self) -> datetime | None:
        """See Credential. Tokens that ended belong to projects that left."""
        now = self._surroundings.now()
        ends = (token.expires_at for token in self._tokens.values())
        return min((end for end in ends if end > now), default=None)

    async def keep_fresh(self) -> None:
        """Nothing to do: a poll that finds its token old renews it."""

    async def _token(self, scope: Scope) -> _Token:
        token, now = self._tokens.get(scope), self._surroundings.now()
        if token is not None and now < token.refresh_at:
            return token
        try:
            return await self._logins.run(scope, lambda: self._log_in(scope))
        except (RefusedError, ThrottledError):
            raise
        except PollError:
            if token is None or token.expires_at <= now:
                raise
            return token

    async def _log_in(self, scope: Scope) -> _Token:
        deadline = asyncio.get_running_loop().time() + LOGIN_TIMEOUT_SECONDS
        ticket = await self._gate.enter(scope.label, deadline=deadline)
        try:
            token = self._read(await self._send_login(scope), scope)
        except RefusedError as error:
            self._gate.refused(ticket, error)
            raise
        except ThrottledError as error:
            self._gate.throttled(error.retry_after_seconds)
            raise
        else:
            self._gate.accepted(ticket)
        finally:
            self._gate.leave(ticket)
        self._tokens[scope] = token
        return token

    async def _send_login(self, scope: Scope) -> Answer:
        endpoint = self.iam_endpoint or iam_endpoint(scope.region)
        request = operations.log_in(
            endpoint,
            domain=self._options.domain,
            user=self._options.user,
            password=self._password(),
            project_id=scope.project_id,
        )
        answer = await self._surroundings.send(
            request, region=scope.region, timeout_seconds=LOGIN_TIMEOUT_SECONDS
        )
        if (error := classify(answer, request.origin)) is not None:
            raise error
        return answer

    def _read(self, answer: Answer, scope: Scope) -> _Token:
        issued, now = parse_token(answer), self._surroundings.now()
        self._surroundings.on_secret(issued.token)
        self._surroundings.emit(
            CredentialRefreshed(self.name, scope.project_id or "", issued.expires_at)
        )
        life = max(issued.expires_at - now, MINIMUM_LIFE)
        self._login_count += 1
        refresh_at = now + life * _share_of_life(scope.label)
        return _Token(issued.token, self._login_count, refresh_at, now + life)

    def _password(self) -> str:
        return reveal(self._options.password, credential=self.name, key="password")


def _share_of_life(label: str) -> float:
    """Between 0.7 and 0.9, always the same for the same project."""
    digest = hashlib.sha256(label.encode()).digest()
    return 0.7 + 0.2 * int.from_bytes(digest[:4]) / 2**32


PLUGIN = Plugin("iam_password", IamPasswordOptions, IamPasswordCredential)
