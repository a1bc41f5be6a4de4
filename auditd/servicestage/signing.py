"""AK/SK signatures, made by the official SDK so that they are the vendor's own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

from auditd.servicestage.message import Request


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key and its secret; temporary ones have a security token and an end."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


class Signer:
    """Adds `X-Sdk-Date`, `X-Project-Id`, `X-Security-Token`, `Host` and `Authorization`.

    Signing takes about 20 microseconds, so it is done on the event loop. The SDK is imported
    when a signer is made and not before: the import takes 90 ms and writes
    `$HOME/.huaweicloud/application_id`.
    """

    def __init__(self) -> None:
        from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415 # see above
        from huaweicloudsdkcore.sdk_request import SdkRequest  # noqa: PLC0415 # see above

        self._credentials = BasicCredentials
        self._request = SdkRequest

    def sign(
        self, request: Request, keys: Keys, *, project_id: str | None, at: datetime
    ) -> Request:
        """The same request, signed as of `at`, with its query in the order that was signed.

        Every header that the request has by now is signed, except names with an underscore.
        `request` stays as it is: each attempt is signed afresh, because the SDK silently
        leaves an old `Authorization` in place.

        Source: Huawei Cloud, "AK/SK Signing and Authentication Algorithm" (SDK-HMAC-SHA256);
        the clock may differ by at most 15 minutes.
        """
        parts = urlsplit(request.origin)
        signed = self._request(
            method=request.method,
            schema=parts.scheme,
            host=parts.netloc,
            resource_path=request.target,
            query_params=list(request.query),
            header_params=dict(request.headers)
            | {"X-Sdk-Date": f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"},
            body=request.body or None,
        )
        credentials = self._credentials(keys.access_key, keys.secret_key, project_id)
        credentials.with_security_token(keys.security_token).sign_request(signed)
        # The SDK leaves UTF-8 bytes viewed as Latin-1, as `requests` wants them.
        headers = {
            name: value.encode("latin-1").decode("utf-8")
            for name, value in signed.header_params.items()
        }
        return replace(request, headers=headers, query=tuple(sorted(request.query)))
