"""What an answer that is no success says of itself, in any of the shapes that are in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from auditd.servicestage.foreign_text import cleaned
from auditd.servicestage.message import Answer

_READ_BYTES = 64 * 1024
"""A longer body is not taken for an error's JSON, so that decoding it stays cheap."""

_CODE_KEYS = ("error_code", "errorCode", "code")
_MESSAGE_KEYS = ("error_msg", "error_message", "errorMessage", "message")
_REQUEST_ID_HEADERS = ("x-request-id", "x-iam-trace-id")

_CONFIDENTIAL = (
    # The canonical request holds the values of the headers that were signed.
    (re.compile(r"canonicalRequest:.*", re.IGNORECASE), "canonicalRequest: not shown"),
    (re.compile(r"\b(ak[:= ]\s*|access=)(?!access\b)[\w-]{6,}", re.IGNORECASE), r"\1***"),
    (re.compile(r"\b[A-Z0-9]{20}\b"), "***"),  # an access key, wherever it stands
    (re.compile(r"://[^\s@]{1,512}@"), "://***@"),  # the user info of a repository's address
    (
        re.compile(r"([?&][\w-]{0,40}(?:token|key|secret|password|sig\w*)=)[^\s&]+", re.IGNORECASE),
        r"\1***",
    ),
    (re.compile(r"[\w+/=-]{64,}"), "***"),  # a token, a signature, a hash
)


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """Each text is clean, cut, and empty when the answer had none. No credential is in it."""

    code: str
    """The vendor's code, for example `APIGW.0301`; IAM also sends numbers, such as `401`."""
    message: str
    request_id: str


def read_error(answer: Answer) -> ErrorBody:
    """The code, the message and the request id of an answer. It never raises.

    Source: ServiceStage API reference, "Error Codes"; API gateway, "Error Codes"; IAM's
    Keystone form `{"error": {"code": 401, "message": ...}}`; the SDK's exception handler.
    """
    described = _described(answer.body)
    request_id = _first(answer.headers, _REQUEST_ID_HEADERS) or _first(described, ("request_id",))
    message = _first(described, _MESSAGE_KEYS) or _plain_text(answer.body)
    return ErrorBody(
        code=_shown(_first(described, _CODE_KEYS), 64),
        message=_shown(message, 256),
        request_id=_shown(request_id, 64),
    )


def _described(body: bytes) -> Mapping[str, Any]:
    """The object that has the code or the message, however deep it is wrapped."""
    try:
        value = msgspec.json.decode(body[:_READ_BYTES])
    except (ValueError, RecursionError):
        return {}
    while isinstance(value, dict | list):
        if isinstance(value, dict) and any(key in value for key in _CODE_KEYS + _MESSAGE_KEYS):
            return value
        inner = value.values() if isinstance(value, dict) else value
        value = next((item for item in inner if isinstance(item, dict | list)), None)
    return {}


def _first(values: Mapping[str, Any], keys: tuple[str, ...]) -> str:
    """The first text or number among `values[key]`, as text."""
    found = (values.get(key) for key in keys)
    return next((str(value) for value in found if isinstance(value, str | int) and value), "")


def _plain_text(body: bytes) -> str:
    """The start of a body that is neither JSON nor a page."""
    text = body[:1024].decode(errors="replace").strip()
    return "" if text[:1] in ("<", "{", "[") else text


def _shown(text: str, limit: int) -> str:
    text = cleaned(text, _READ_BYTES)
    for pattern, replacement in _CONFIDENTIAL:
        text = pattern.sub(replacement, text)
    return text[:limit]
