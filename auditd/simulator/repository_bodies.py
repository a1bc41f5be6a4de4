"""The request bodies that make an authorization."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, Field, model_validator

Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{4,63}$")]
"""Source: ServiceStage user guide, creating a repository authorization."""

Text: TypeAlias = Annotated[str, Field(min_length=1)]


class OAuthAccess(BaseModel):
    """CreateOAuth."""

    name: Name
    code: Text
    state: Text


class PersonalAccess(BaseModel):
    """CreatePersonalAuth; without `host` the official one is meant."""

    name: Name
    token: Text
    host: str | None = None


class PasswordAccess(BaseModel):
    """CreatePasswordAuth: user and password, or the older `token`, base64 of `user:password`.

    Source: the API reference has the first, Terraform's client sends the second.
    """

    name: Name
    user: str = ""
    password: str = ""
    token: str = ""

    @model_validator(mode="after")
    def _either(self) -> Self:
        if not self.account:
            msg = "user and password, or token, are needed"
            raise ValueError(msg)
        return self

    @property
    def account(self) -> str:
        """The user, from whichever contract was used; empty when neither is complete."""
        if self.user and self.password:
            return self.user
        try:
            user, colon, password = base64.b64decode(self.token, validate=True).partition(b":")
            return user.decode() if colon and password else ""
        except (binascii.Error, UnicodeDecodeError):
            return ""
