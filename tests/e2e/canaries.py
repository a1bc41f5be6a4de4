"""Secrets that no test may find anywhere but in the files that hold them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

KINDS = (
    "access-key",
    "secret-key",
    "security-token",
    "password",
    "token",
    "profile-secret",
    "pod-token",
    "proxy-password",
    "storage-password",
    "webhook-secret",
    "webhook-authorization",
    "hook-url",
    "heartbeat-url",
    "mail-password",
    "environment-secret",
    "git-token",
    "web-password",
)
CANARIES = {kind: f"Canary/{kind}+{index:04}==" for index, kind in enumerate(KINDS)}
ISSUED_TOKEN = "MII"
"""How the stand-in cloud's tokens begin, which nobody knows before they are issued."""
_ISSUED_CHARACTERS = 40


def spellings(secret: str) -> Iterable[str]:
    """How a secret may stand in a text: as it is, escaped, or encoded."""
    raw = secret.encode()
    yield secret
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield secret.replace("/", r"\/")
    for offset in range(3):
        # What base64 makes of it inside a longer text, without the characters that mix.
        encoded = base64.b64encode(b"\0" * offset + raw).decode()
        yield encoded[offset + 1 : -4]
        yield base64.urlsafe_b64encode(b"\0" * offset + raw).decode()[offset + 1 : -4]


def assert_clean(text: str, where: str, secrets: Mapping[str, str] = CANARIES) -> None:
    """None of the secrets is in the text, in no spelling."""
    for kind, secret in secrets.items():
        for spelling in spellings(secret):
            assert spelling not in text, f"{kind} in {where}"


def assert_no_issued_token(text: str, where: str) -> None:
    """No token that IAM issued is in the text. They have far more characters than any word."""
    position = text.find(ISSUED_TOKEN)
    while position >= 0:
        word = text[position : position + _ISSUED_CHARACTERS]
        is_token = (
            len(word) == _ISSUED_CHARACTERS and word.replace("+", "").replace("/", "").isalnum()
        )
        assert not is_token, f"an issued token in {where}"
        position = text.find(ISSUED_TOKEN, position + 1)


def assert_files_clean(
    directory: Path, *, but: Iterable[Path], secrets: Mapping[str, str] = CANARIES
) -> list[str]:
    """No file under the directory holds a secret, those that are meant to aside.

    Returns the names of the files that were looked at.
    """
    excepted = {path.resolve() for path in but}
    looked_at = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    looked_at = [path for path in looked_at if path.resolve() not in excepted]
    for path in looked_at:
        text = path.read_bytes().decode("latin-1")
        assert_clean(text, path.name, secrets)
        assert_no_issued_token(text, path.name)
    return [path.name for path in looked_at]
