from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.web.address import Address, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9877", Address("127.0.0.1", 9877)),
        ("[::1]:9877", Address("::1", 9877)),
        (":9877", Address("", 9877)),
        ("localhost:0", Address("localhost", 0)),
        ("audit.acme.example:65535", Address("audit.acme.example", 65535)),
    ],
)
def test_an_address_is_read_and_written_alike(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "9877", "localhost", "localhost:", "::1:9877", "[::1]", "[]:1", "http://h:1"),
        *("h:65536", "h:-1", "h:x", "h:\N{ARABIC-INDIC DIGIT ONE}", " h:1", "h:1\n"),
    ],
)
def test_anything_else_is_refused_with_the_form_it_should_have(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT") as refused:
        parse_address(text)
    assert repr(text) in str(refused.value)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except ValueError:
        return
    assert parse_address(str(address)) == address


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"])
def test_a_loopback_address_is_known(host: str) -> None:
    assert Address(host, 1).is_loopback


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "10.0.0.1", "audit.acme.example"])
def test_an_address_that_others_reach_is_known(host: str) -> None:
    assert not Address(host, 1).is_loopback
