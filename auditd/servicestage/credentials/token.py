"""`token`: an IAM token that somebody else fetches and renews."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auditd.audit.plugin import Plugin, Secret
from auditd.servicestage.credentials.port import Authenticated, Scope, Surroundings
from auditd.servicestage.credentials.revelation import HeaderSecret
from auditd.servicestage.message import Request


@dataclass(frozen=True, kw_only=True)
class TokenOptions:
    """A token that is scoped to the projects it is used for."""

    token: Secret
    iam_endpoint: str | None = None


class TokenCredential:
    """Sends the token as it is at that moment, so a renewed file needs no reload."""

    def __init__(
        self,
        name: str,
        options: TokenOptions,
        surroundings: Surroundings,  # noqa: ARG002 # every kind is built alike
    ) -> None:
        self.name = name
        self.iam_endpoint = options.iam_endpoint
        self._token = HeaderSecret(options.token, credential=name, key="token")

    def revision(self) -> int:
        """See Credential."""
        return hash(self._token.reveal())

    async def authenticate(self, request: Request, scope: Scope) -> Authenticated:  # noqa: ARG002 # one token for all
        """See Credential."""
        token = self._token.reveal()
        return Authenticated(request.with_header("X-Auth-Token", token), hash(token))

    async def renew(self, scope: Scope, version: int) -> bool:  # noqa: ARG002 # one token for all
        """True when the file was replaced after the refused request was made."""
        return self.revision() != version

    def expires_at(self) -> datetime | None:
        """None: a token does not say when it ends."""
        return None

    async def keep_fresh(self) -> None:
        """Nothing to do."""


PLUGIN = Plugin("token", TokenOptions, TokenCredential)
