"""The request bodies that IAM and STS read; keys that are not needed are ignored."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Reference(BaseModel):
    """Something by its id or by its name."""

    id: str | None = None
    name: str | None = None


class User(BaseModel):
    """An IAM user of a domain."""

    name: str
    password: str
    domain: Reference


class PasswordMethod(BaseModel):
    """`auth.identity.password`."""

    user: User


class PasswordIdentity(BaseModel):
    """`auth.identity` of a login."""

    methods: list[str]
    password: PasswordMethod


class Scope(BaseModel):
    """`auth.scope`: a project, else the domain."""

    project: Reference | None = None
    domain: Reference | None = None


class PasswordAuth(BaseModel):
    """`auth` of a login."""

    identity: PasswordIdentity
    scope: Scope = Scope()


class PasswordLogin(BaseModel):
    """POST /v3/auth/tokens."""

    auth: PasswordAuth


class IdToken(BaseModel):
    """A token of an identity provider."""

    id: str


class IdTokenAuth(BaseModel):
    """`auth` of a federated login."""

    id_token: IdToken


class IdTokenLogin(BaseModel):
    """POST /v3.0/OS-AUTH/id-token/tokens."""

    auth: IdTokenAuth


class TokenMethod(BaseModel):
    """`auth.identity.token`; the duration is 15 minutes to 24 hours."""

    id: str
    duration_seconds: int = Field(default=900, ge=900, le=86400)


class TokenIdentity(BaseModel):
    """`auth.identity` of a request for temporary keys."""

    methods: list[str]
    token: TokenMethod


class TokenAuth(BaseModel):
    """`auth` of a request for temporary keys."""

    identity: TokenIdentity


class TemporaryKeysRequest(BaseModel):
    """POST /v3.0/OS-CREDENTIAL/securitytokens."""

    auth: TokenAuth


class AssumeAgency(BaseModel):
    """POST /v5/agencies/assume-with-oidc."""

    id_token: str
    duration_seconds: int = Field(default=3600, ge=900, le=43200)
