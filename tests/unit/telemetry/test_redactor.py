from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditd.telemetry.redactor import REDACTED, Redactor

SECRET = "pä'ss\"w\\ord/+ %"
TOKEN = "MIIE" + "q83vEjRWeJC7".join("abcdefghij") * 90

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=60)


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        repr(SECRET)[1:-1],
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        b64encode(SECRET.encode()).decode(),
        urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_a_secret_is_replaced_in_every_spelling(redactor: Redactor, spelling: str) -> None:
    redactor.register(SECRET)
    assert redactor.redact(f"GET /?key={spelling}&x=1") == f"GET /?key={REDACTED}&x=1"


@pytest.mark.parametrize("user", ["", "a", "ab", "abc", "tom:"])
def test_a_secret_is_found_in_the_base64_of_something_longer(redactor: Redactor, user: str) -> None:
    redactor.register("correct-horse-battery")
    header = b64encode(f"{user}correct-horse-battery@example".encode()).decode()
    cleaned = redactor.redact(f"Basic {header}")
    assert REDACTED in cleaned
    assert len(cleaned) < len(header) - 15


@given(secret=secrets, before=texts, after=texts)
def test_a_registered_value_never_comes_through(secret: str, before: str, after: str) -> None:
    redactor = Redactor()
    redactor.register(secret)
    assume(secret not in REDACTED + after)
    cleaned = redactor.redact(before + secret + after)
    assert REDACTED in cleaned
    assert secret not in cleaned or secret in before


@given(text=texts)
def test_a_text_without_secrets_is_left_alone(text: str) -> None:
    redactor = Redactor()
    redactor.register("correct-horse-battery")
    assert redactor.redact(text) == text


def test_the_head_of_a_token_that_was_cut_is_replaced(redactor: Redactor) -> None:
    redactor.register_issued(TOKEN)
    assert redactor.redact(f"bad token {TOKEN[:200]}... sent") == f"bad token {REDACTED} sent"
    assert redactor.redact(f"bad token {TOKEN} sent") == f"bad token {REDACTED} sent"


def test_all_of_a_long_secret_with_spaces_is_replaced(redactor: Redactor) -> None:
    phrase = "the quick brown fox jumps over the lazy dog"
    redactor.register(phrase)
    assert redactor.redact(f"<{phrase}>") == f"<{REDACTED}>"
    assert redactor.redact(f"<{phrase[:34]}") == f"<{REDACTED}"


def test_the_longest_secret_wins_where_several_begin(redactor: Redactor) -> None:
    redactor.register("password")
    redactor.register("password-and-more")
    assert redactor.redact("password-and-more password") == f"{REDACTED} {REDACTED}"


@pytest.mark.parametrize("value", ["", "a", "abc"])
def test_a_value_of_less_than_four_characters_is_not_registered(
    redactor: Redactor, value: str
) -> None:
    redactor.register(value)
    redactor.register_issued(value)
    assert redactor.redact("abc abc") == "abc abc"


def test_only_the_newest_issued_values_are_remembered_and_configured_ones_always() -> None:
    redactor = Redactor(issued_capacity=2)
    redactor.register("configured-for-ever")
    for value in ("issued-one", "issued-two", "issued-one", "issued-three"):
        redactor.register_issued(value)
    text = "configured-for-ever issued-one issued-two issued-three"
    assert redactor.redact(text) == f"{REDACTED} {REDACTED} issued-two {REDACTED}"


def test_a_value_that_was_configured_too_outlives_its_issue() -> None:
    redactor = Redactor(issued_capacity=1)
    for _ in range(2):
        redactor.register("both-of-them")
    redactor.register_issued("both-of-them")
    redactor.register_issued("another-one")
    redactor.register_issued("a-third-one")
    assert redactor.redact("both-of-them another-one a-third-one") == f"*** another-one {REDACTED}"


def test_values_are_cleaned_at_any_depth(redactor: Redactor) -> None:
    redactor.register("s3cr3t")
    event = {"a": {"b": [("x s3cr3t",), {"s3cr3t"}]}, "count": 3, "nothing": None}
    assert redactor(None, "info", event) == {
        "a": {"b": [["x ***"], ["***"]]},
        "count": 3,
        "nothing": None,
    }


@pytest.mark.parametrize(
    "key",
    [
        *("token", "X-Auth-Token", "x_subject_token", "security_token", "secret", "client_secret"),
        *("password", "SK", "ak", "secret_access_key", "access-key", "signature", "Set-Cookie"),
        "api_key",
    ],
)
def test_whatever_stands_under_a_confidential_key_is_replaced(redactor: Redactor, key: str) -> None:
    event = {"headers": {key: "anything"}, key: ["any", "thing"]}
    assert redactor(None, "info", event) == {"headers": {key: REDACTED}, key: REDACTED}


@pytest.mark.parametrize(
    "key",
    ["authorization", "authorizations", "token_type", "token_file", "task", "project", "tokens"],
)
def test_our_own_fields_are_kept(redactor: Redactor, key: str) -> None:
    assert redactor(None, "info", {key: "oauth"}) == {key: "oauth"}


@pytest.mark.parametrize("key", ["Authorization", "authorization", "Proxy-Authorization"])
@pytest.mark.parametrize(
    "value", ["Basic dG9tOng=", "bearer abc", "SDK-HMAC-SHA256 Access=AK, Signature=ab"]
)
def test_the_header_authorization_is_replaced(redactor: Redactor, key: str, value: str) -> None:
    assert redactor(None, "info", {key: value}) == {key: REDACTED}


@pytest.mark.parametrize("others", [0, 1, 100])
def test_a_secret_is_found_among_few_and_among_many(redactor: Redactor, others: int) -> None:
    for number in range(others):
        redactor.register(f"{number:04}-another-secret")
    redactor.register("correct-horse")
    assert redactor.redact("with correct-horse in it") == f"with {REDACTED} in it"
    assert redactor.redact("with nothing in it") == "with nothing in it"
