"""SDK-HMAC-SHA256 as the gateway checks it, made from its description and not from the SDK.

Source: API Sign guide, "Signing process": canonical request, string to sign, signature.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_from_bytes, unquote_to_bytes

ALGORITHM = "SDK-HMAC-SHA256"
CLOCK_TOLERANCE = timedelta(minutes=15)
"""Exactly this much apart is still accepted. Source: API Sign FAQ."""

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{{64}})"
)
_UNSIGNED = b"UNSIGNED-PAYLOAD"


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request as it came over the wire. `target` is the raw path with its query.

    Header names are in lower case; values are the bytes between colon and line end, stripped.
    """

    method: str
    target: str
    headers: dict[str, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What an Authorization header says."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def lower_headers(raw_headers: Iterable[tuple[bytes, bytes]]) -> dict[str, bytes]:
    """The headers of a SignedRequest; of several with one name the last counts."""
    return {name.decode("latin-1").lower(): value.strip() for name, value in raw_headers}


def parse_authorization(value: str) -> Claim | None:
    """The claim, or None when it is none of this algorithm."""
    match = _AUTHORIZATION.fullmatch(value.strip())
    return Claim(match[1], tuple(match[2].split(";")), match[3]) if match else None


def canonical_request(request: SignedRequest, signed_headers: Iterable[str]) -> bytes:
    """Six lines: method, path, query, headers, their names, hash of the body.

    Raises:
        KeyError: a header that was signed did not come.
    """
    path, _, query = request.target.partition("?")
    names = tuple(signed_headers)
    headers = b"".join(name.encode() + b":" + request.headers[name] + b"\n" for name in names)
    return b"\n".join(
        [
            request.method.encode(),
            _canonical_path(path),
            _canonical_query(query),
            headers,
            ";".join(names).encode(),
            _body_hash(request),
        ]
    )


def is_genuine(request: SignedRequest, claim: Claim, secret_key: str, now: datetime) -> bool:
    """Whether the holder of the secret key signed this request within the last 15 minutes."""
    date = request.headers.get("x-sdk-date", b"").decode("latin-1")
    if not is_timely(date, now) or not {"host", "x-sdk-date"} <= set(claim.signed_headers):
        return False
    try:
        canonical = canonical_request(request, claim.signed_headers)
    except KeyError:
        return False
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical).hexdigest()}"
    expected = hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, claim.signature)


def is_timely(date: str, now: datetime) -> bool:
    """Whether `date` (`20260115T083000Z`) is at most 15 minutes from now, either way."""
    try:
        signed_at = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(now - signed_at) <= CLOCK_TOLERANCE


def _quote(text: bytes) -> bytes:
    return quote_from_bytes(text, safe="-_.~").encode()


def _canonical_path(path: str) -> bytes:
    segments = unquote_to_bytes(path).split(b"/")
    quoted = b"/".join(_quote(segment) for segment in segments)
    return quoted if quoted.endswith(b"/") else quoted + b"/"


def _canonical_query(query: str) -> bytes:
    """Sorted by decoded name and value, as the official SDK sorts; a plus is a plus."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    decoded = sorted((unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs)
    return b"&".join(_quote(name) + b"=" + _quote(value) for name, value in decoded)


def _body_hash(request: SignedRequest) -> bytes:
    if request.body and request.headers.get("x-sdk-content-sha256") == _UNSIGNED:
        return _UNSIGNED
    return hashlib.sha256(request.body).hexdigest().encode()
