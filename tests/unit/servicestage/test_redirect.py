from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.operations import show_redirect_url
from auditd.servicestage.redirect import parse_redirect

URL = (
    "https://github.com/login/oauth/authorize?client_id=1&redirect_uri=https://console.example"
    "/servicestage/oauth?repo_type=github&state=$2a$10$abc&scope=read:user%20repo"
)


def test_the_address_is_taken_as_it_is() -> None:
    assert parse_redirect(json.dumps({"url": URL, "more": 1}).encode()) == URL


@pytest.mark.parametrize(
    "url",
    ["", "javascript:alert(1)", "http://github.com/", "https://x/ y", "https://x/\x1b", None, 7],
)
def test_what_a_browser_should_not_be_given_is_refused_and_not_quoted(url: object) -> None:
    with pytest.raises(PollError) as caught:
        parse_redirect(json.dumps({"url": url}).encode())
    assert caught.value.reason is FailureReason.MALFORMED
    assert "alert" not in str(caught.value)


@given(st.binary())
def test_any_body_is_an_address_or_malformed(body: bytes) -> None:
    with suppress(PollError):
        assert parse_redirect(body).startswith("https://")


def test_the_request_is_what_the_vendor_documents() -> None:
    request = show_redirect_url("https://gateway.example/stage/", "0123", "github", "intl")
    assert request.target == "/stage/v1/0123/git/auths/github/redirect"
    assert request.query == (("tag", "intl"),)
    assert show_redirect_url("https://gateway.example", "0123", "a/b", "").query == ()
    assert "a%2Fb" in show_redirect_url("https://gateway.example", "0123", "a/b", "").target
