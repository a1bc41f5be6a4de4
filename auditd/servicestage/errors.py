"""What goes wrong between us and Huawei Cloud.

    PollError (audit)            reason: the closed set, message: fit for people
      RemoteError                status, code and request id, when there was an answer
        RefusedError                  401: the credential itself was not accepted
        ThrottledError                429: retry_after_seconds for the whole credential

Transport faults (dns, connect, tls, timeout, too_large, malformed) are plain PollErrors.
"""

from __future__ import annotations

from auditd.audit.failure import FailureReason, PollError

FOREIGN_TEXT_LIMIT = 256
"""Characters of a foreign body or message that may appear in ours."""


class RemoteError(PollError):
    """There was an answer, and it was no list.

    `code` is the vendor's error code, for example `APIGW.0301`, or empty; `request_id` is what
    the vendor's support asks for, or empty.
    """

    def __init__(
        self,
        reason: FailureReason,
        message: str,
        *,
        status: int,
        code: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(reason, message)
        self.status = status
        self.code = code
        self.request_id = request_id


class RefusedError(RemoteError):
    """The credential was not accepted. Repeating it can lock a key or a user."""


class ThrottledError(RemoteError):
    """Too many requests with this credential."""

    def __init__(
        self, message: str, *, retry_after_seconds: float | None, code: str, request_id: str
    ) -> None:
        super().__init__(
            FailureReason.THROTTLED, message, status=429, code=code, request_id=request_id
        )
        self.retry_after_seconds = retry_after_seconds
        """From Retry-After, else from a `limit:N,time:M unit` hint; None when neither came."""
