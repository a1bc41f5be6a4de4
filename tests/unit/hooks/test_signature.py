from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from auditd.hooks.signature import signature_headers, signing_key

OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
BODY = b'{"type":"alerts.firing"}'


def _now() -> int:
    return int(datetime.now(UTC).timestamp())  # the verifier has no clock of its own to set


def _headers(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    return dict(signature_headers("msg_1", _now(), body, map(signing_key, secrets)))


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_an_independent_verifier_accepts_the_old_and_the_new_secret(secret: str) -> None:
    verified = standardwebhooks.Webhook(secret).verify(BODY.decode(), _headers(OLD, NEW))
    assert verified == json.loads(BODY)


@given(st.integers(0, len(BODY) - 1), st.integers(0, 6))
def test_an_independent_verifier_refuses_any_flipped_bit(position: int, bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[position] ^= 1 << bit
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(OLD).verify(flipped.decode(), _headers(OLD, NEW))


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp"])
def test_an_independent_verifier_refuses_another_id_or_time(header: str) -> None:
    headers = _headers(OLD)
    headers[header] = str(_now() + 1)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(OLD).verify(BODY.decode(), headers)


def test_a_strangers_secret_is_refused() -> None:
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(NEW).verify(BODY.decode(), _headers(OLD))


def test_a_raw_secret_signs_with_its_own_bytes() -> None:
    raw = "not base64: päss"
    encoded = base64.b64encode(raw.encode()).decode()
    assert standardwebhooks.Webhook(encoded).verify(BODY.decode(), _headers(raw))


def test_without_a_secret_the_message_is_identified_but_not_signed() -> None:
    assert signature_headers("msg_1", 7, BODY, ()) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "7",
    }


def test_padding_may_be_left_out() -> None:
    assert signing_key(OLD.rstrip("=")) == b"o" * 24


@pytest.mark.parametrize("secret", ["whsec_", "whsec_***", "whsec_a", ""])
def test_a_secret_that_cannot_sign_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="text of any kind, or whsec_ and its base64"):
        signing_key(secret)
