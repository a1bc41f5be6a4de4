from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from auditd.simulator.caller import Caller
from auditd.simulator.keyring import KeyRing
from auditd.simulator.scenario import KeysCredential

FIXED = KeysCredential(type="keys", name="fixed", access_key="AK", secret_key="SK")
ENDING = KeysCredential.model_validate(
    {
        "type": "keys",
        "name": "ending",
        "access_key": "TAK",
        "secret_key": "TSK",
        "security_token": "ST",
        "expires": "+1h",
    }
)
OWNER = Caller("workload", "acme")


@pytest.fixture
def ring(clock: Any) -> KeyRing:
    return KeyRing([FIXED, ENDING], random=Random(1), start=clock.now(), now=clock.now)


def test_permanent_keys_never_end(ring: KeyRing, clock: Any) -> None:
    clock.advance(10**9)
    keys = ring.find("AK")
    assert keys is not None
    assert (keys.secret_key, keys.security_token, keys.owner.scope) == ("SK", None, None)


def test_temporary_keys_are_gone_exactly_at_their_end(ring: KeyRing, clock: Any) -> None:
    clock.advance(3599)
    assert ring.find("TAK") is not None
    clock.advance(1)
    assert ring.find("TAK") is None


def test_issued_keys_are_found_until_they_end(ring: KeyRing, clock: Any) -> None:
    keys = ring.issue(OWNER, timedelta(minutes=15))
    assert ring.find(keys.access_key) == keys
    assert keys.security_token
    assert keys.owner == OWNER
    clock.advance(900)
    assert ring.find(keys.access_key) is None


def test_all_issued_keys_differ(ring: KeyRing) -> None:
    issued = [ring.issue(OWNER, timedelta(minutes=15)) for _ in range(20)]
    assert len({(keys.access_key, keys.secret_key, keys.security_token) for keys in issued}) == 20
    assert len({keys.access_key for keys in issued}) == 20


def test_what_was_never_issued_is_not_found(ring: KeyRing) -> None:
    assert ring.find("other") is None
