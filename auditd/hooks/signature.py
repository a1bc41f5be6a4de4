"""The signature of Standard Webhooks, by which a receiver knows who sent a message, and when.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping

_PREFIX = "whsec_"


def signing_key(secret: str) -> bytes:
    """What signs: after `whsec_` the decoded base64, else the secret's own bytes in UTF-8.

    Raises:
        ValueError: it is empty, or what follows `whsec_` is no base64; it is not quoted.
    """
    msg = f"a webhook's secret is text of any kind, or {_PREFIX} and its base64"
    if not secret.startswith(_PREFIX):
        key = secret.encode()
    else:
        encoded = secret.removeprefix(_PREFIX)
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except ValueError:
            raise ValueError(msg) from None
    if not key:
        raise ValueError(msg)
    return key


def signature_headers(
    message_id: str, timestamp: int, body: bytes, keys: Iterable[bytes]
) -> Mapping[str, str]:
    """The three headers, with one signature a key; without keys the message is just identified.

    `timestamp` is that of the attempt, in seconds since the epoch.
    """
    identity = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = " ".join(
        f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys
    )
    return {**identity, "webhook-signature": signatures} if signatures else identity
