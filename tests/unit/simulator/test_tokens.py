from __future__ import annotations

from random import Random
from typing import Any

import pytest

from auditd.simulator.caller import Caller
from auditd.simulator.scenario import TokenSettings
from auditd.simulator.tokens import TokenStore

ONE, TWO = Caller("u", "acme", "one"), Caller("u", "acme", "two")


@pytest.fixture
def store(clock: Any) -> TokenStore:
    return TokenStore(TokenSettings(), random=Random(1), now=clock.now)


@pytest.mark.parametrize("characters", [64, 9120, 60000])
def test_tokens_have_the_length_that_is_wanted(clock: Any, characters: int) -> None:
    settings = TokenSettings(characters=characters)
    token = TokenStore(settings, random=Random(1), now=clock.now).issue(ONE)
    assert len(token.text) == characters
    assert token.text.startswith("MII")
    assert token.text.isascii()


def test_every_token_is_another(store: TokenStore) -> None:
    assert len({store.issue(ONE).text for _ in range(20)}) == 20


def test_an_expired_token_is_still_known(store: TokenStore, clock: Any) -> None:
    token = store.issue(ONE)
    clock.advance(10**6)
    assert store.find(token.text) == token
    assert store.find("MII") is None


@pytest.mark.parametrize(
    ("scope", "revoked"), [(None, [True, True]), ("one", [True, False]), ("three", [False, False])]
)
def test_one_scope_or_all_are_revoked_once(
    store: TokenStore, scope: str | None, revoked: list[bool]
) -> None:
    texts = [store.issue(owner).text for owner in (ONE, TWO)]
    assert store.revoke(scope) == sum(revoked)
    assert store.revoke(scope) == 0
    assert [getattr(store.find(text), "is_revoked", None) for text in texts] == revoked
