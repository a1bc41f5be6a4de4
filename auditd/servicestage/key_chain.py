"""The places in which the official SDK finds keys, asked one after the other.

The SDK's own chain stops at the first connection error, refreshes keys far too often and reads
their end in local time, so only its single providers and accessors are used. All of it blocks.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.internal import (
    IamHelper,
    MetadataAccessor,
    PodIdentityAccessor,
    StsHelper,
)
from huaweicloudsdkcore.auth.provider import (
    EnvCredentialProvider,
    OidcStsCredentialProvider,
    ProfileCredentialProvider,
)
from huaweicloudsdkcore.exceptions.exception_handler import DefaultExceptionHandler
from huaweicloudsdkcore.exceptions.exceptions import ApiValueError, SdkException
from huaweicloudsdkcore.http.http_client import HttpClient
from huaweicloudsdkcore.http.http_config import HttpConfig

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.errors import FOREIGN_TEXT_LIMIT
from auditd.servicestage.signing import Keys

_TIMEOUTS_SECONDS = (5, 10)
"""To connect and between two reads, where the SDK would wait for one minute and two."""

_ACCESS_KEY = ("access", "accessKeyId", "access_key_id")
_SECRET_KEY = ("secret", "secretAccessKey", "secret_access_key")
_SECURITY_TOKEN = ("securitytoken", "securityToken", "security_token")
_EXPIRES_AT = ("expires_at", "expiration")


@dataclass(frozen=True, slots=True)
class _Provider:
    name: str
    credentials: Callable[[], Any]


def find_keys() -> Keys:
    """The keys of the first provider that has some. Blocks, for seconds where hosts are silent.

    Raises:
        PollError: `auth`; none has. The message tells what each of them said.
    """
    said: list[str] = []
    for provider in _PROVIDERS:
        try:
            return _fetch(provider.credentials())
        except Exception as error:  # noqa: BLE001 # requests', configparser's and the SDK's own
            said.append(f"{provider.name}: {_what_it_said(error)}")
    raise PollError(FailureReason.AUTH, f"no keys were found ({'; '.join(said)})")


def read_keys(content: str | bytes | Mapping[str, Any]) -> Keys:
    """Temporary keys as IAM, STS, the metadata service and pod identity spell them.

    Source: huaweicloudsdkcore, `StsAccessor._process_credential`; `expires_at` is UTC and
    comes with or without a fraction.

    Raises:
        ValueError: something is missing.
    """
    fields = content if isinstance(content, Mapping) else json.loads(content)
    for envelope in ("credential", "credentials"):
        if isinstance(fields, Mapping) and envelope in fields:
            fields = fields[envelope]
    expires_at = datetime.fromisoformat(_first(fields, _EXPIRES_AT))
    return Keys(
        _first(fields, _ACCESS_KEY),
        _first(fields, _SECRET_KEY),
        _first(fields, _SECURITY_TOKEN),
        expires_at if expires_at.tzinfo else expires_at.replace(tzinfo=UTC),
    )


def _first(fields: Any, names: tuple[str, ...]) -> str:
    for name in names if isinstance(fields, Mapping) else ():
        if isinstance(value := fields.get(name), str) and value:
            return value
    msg = f"{names[0]} is missing"
    raise ValueError(msg)


def _fetch(credentials: Any) -> Keys:
    """Do what `credentials.process_sts` does, but all at once and with the end in UTC."""
    accessor = credentials.sts_accessor
    if accessor is None:
        return Keys(credentials.ak, credentials.sk, credentials.security_token)
    # Every accessor hands its answer to this method, which would read the end in local time.
    accessor._process_credential = read_keys  # noqa: SLF001 # there is no public way
    client = HttpClient(
        HttpConfig(timeout=_TIMEOUTS_SECONDS), None, DefaultExceptionHandler(), _silent_logger()
    )
    try:
        keys: Keys = accessor.get_credential(
            iam_endpoint=credentials.iam_endpoint or IamHelper.get_iam_endpoint(),
            sts_endpoint=credentials.sts_endpoint or StsHelper.get_sts_endpoint(),
            http_client=client,
            idp_id=credentials.idp_id,
            id_token_file=credentials.id_token_file,
        )
    finally:
        client.close()
    return keys


def _pod_identity() -> Any:
    uri = os.environ.get("HC_CONTAINER_CREDENTIALS_FULL_URI")
    token_file = os.environ.get("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE")
    if not uri or not token_file:
        msg = (
            "HC_CONTAINER_CREDENTIALS_FULL_URI and HC_CONTAINER_AUTHORIZATION_TOKEN_FILE "
            "are not set"
        )
        raise ApiValueError(msg)
    return _with_accessor(PodIdentityAccessor(uri, token_file))


def _metadata() -> Any:
    return _with_accessor(MetadataAccessor())


def _with_accessor(accessor: Any) -> Any:
    credentials = BasicCredentials()
    credentials.sts_accessor = accessor
    return credentials


def _silent_logger() -> logging.Logger:
    """The SDK logs what it raises as well."""
    logger = logging.Logger("huaweicloudsdkcore")  # noqa: LOG001 # not one that anybody configures
    logger.disabled = True
    return logger


def _what_it_said(error: Exception) -> str:
    """The SDK's own words, but only the kind of any other error: configparser's quote the file."""
    if not isinstance(error, SdkException | ApiValueError):
        return type(error).__name__
    text = str(error)
    return "".join(filter(str.isprintable, text))[: FOREIGN_TEXT_LIMIT // 2]


_PROVIDERS = (
    _Provider("environment", lambda: EnvCredentialProvider.get_basic().get_credentials()),
    _Provider("profile", lambda: ProfileCredentialProvider.get_basic().get_credentials()),
    _Provider("OIDC", lambda: OidcStsCredentialProvider.get_basic().get_credentials()),
    _Provider("pod identity", _pod_identity),
    _Provider("ECS metadata", _metadata),
)
