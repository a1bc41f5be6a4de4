"""`aksk`: a permanent or temporary access key, signed for each request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from auditd.audit.plugin import Plugin, Secret
from auditd.servicestage.credentials.port import Authenticated, Scope, Surroundings
from auditd.servicestage.credentials.revelation import HeaderSecret, reveal
from auditd.servicestage.message import Request
from auditd.servicestage.signing import Keys, Signer


@dataclass(frozen=True, kw_only=True)
class AkSkOptions:
    """An access key. `security_token` belongs to temporary keys."""

    access_key: Secret
    secret_key: Secret
    security_token: Secret | None = None
    iam_endpoint: str | None = None


class AkSkCredential:
    """Signs with the keys as they are at that moment, so rotated files need no reload."""

    def __init__(self, name: str, options: AkSkOptions, surroundings: Surroundings) -> None:
        self.name = name
        self.iam_endpoint = options.iam_endpoint
        self._secret_key = options.secret_key
        self._access_key = HeaderSecret(options.access_key, credential=name, key="access_key")
        self._security_token = options.security_token and HeaderSecret(
            options.security_token, credential=name, key="security_token"
        )
        self._now = surroundings.now
        self._signer = Signer()

    def revision(self) -> int:
        """See Credential."""
        return hash(self._keys())

    async def authenticate(self, request: Request, scope: Scope) -> Authenticated:
        """See Credential."""
        keys = self._keys()
        signed = self._signer.sign(request, keys, project_id=scope.project_id, at=self._now())
        return Authenticated(signed, hash(keys))

    async def renew(self, scope: Scope, version: int) -> bool:  # noqa: ARG002 # one key for all
        """True when the files were rotated after the refused request was signed."""
        return self.revision() != version

    def expires_at(self) -> datetime | None:
        """None: the end of configured keys is not known."""
        return None

    async def keep_fresh(self) -> None:
        """Nothing to do."""

    def _keys(self) -> Keys:
        return Keys(
            self._access_key.reveal(),
            reveal(self._secret_key, credential=self.name, key="secret_key"),
            self._security_token.reveal() if self._security_token else None,
        )


PLUGIN = Plugin("aksk", AkSkOptions, AkSkCredential)
