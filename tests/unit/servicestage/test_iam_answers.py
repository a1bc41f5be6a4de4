from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.audit.failure import FailureReason, PollError
from auditd.servicestage.iam_answers import IamProject, ProjectPage, parse_projects, parse_token
from auditd.servicestage.message import Answer

TOKEN = "MIIat" * 1824


def answer(expires_at: Any = "2026-01-16T08:30:00.701000Z", token: str = TOKEN) -> Answer:
    body = json.dumps({"token": {"catalog": [], "expires_at": expires_at}}).encode()
    return Answer(201, {"x-subject-token": token}, body)


@pytest.mark.parametrize(
    ("sent", "expires_at"),
    [
        ("2026-01-16T08:30:00.701000Z", datetime(2026, 1, 16, 8, 30, 0, 701_000, tzinfo=UTC)),
        ("2026-01-16T08:30:00.701Z", datetime(2026, 1, 16, 8, 30, 0, 701_000, tzinfo=UTC)),
        ("2026-01-16T08:30:00Z", datetime(2026, 1, 16, 8, 30, tzinfo=UTC)),
        ("2026-01-16T08:30:00", datetime(2026, 1, 16, 8, 30, tzinfo=UTC)),
        (
            "2026-01-16T16:30:00+08:00",
            datetime(2026, 1, 16, 16, 30, tzinfo=timezone(timedelta(hours=8))),
        ),
    ],
)
def test_the_end_of_a_token_is_an_instant_in_utc(sent: str, expires_at: datetime) -> None:
    issued = parse_token(answer(sent))
    assert issued.token == TOKEN
    assert issued.expires_at == expires_at
    assert issued.expires_at.tzinfo is UTC


def test_a_token_is_not_shown() -> None:
    assert TOKEN not in repr(parse_token(answer()))


@pytest.mark.parametrize(
    "bad",
    [
        answer(token=""),
        answer(token="a b"),
        answer(token="a\r\nX-Evil: 1"),
        answer(token="ü"),
        answer(token="\udcff"),
        Answer(201, {}, answer().body),
        answer("tomorrow"),
        answer(""),
        answer(None),
        answer(1768552200),
        answer("0001-01-01T00:00:00+23:00"),
        Answer(201, {"x-subject-token": TOKEN}, b'{"token": {}}'),
        Answer(201, {"x-subject-token": TOKEN}, b"{}"),
        Answer(201, {"x-subject-token": TOKEN}, b""),
        Answer(201, {"x-subject-token": TOKEN}, b"<html>"),
    ],
)
def test_a_token_that_cannot_be_used_is_malformed(bad: Answer) -> None:
    with pytest.raises(PollError) as caught:
        parse_token(bad)
    assert caught.value.reason is FailureReason.MALFORMED
    assert TOKEN not in str(caught.value)


def test_projects_keep_their_order_and_the_link_to_the_next_page() -> None:
    page = parse_projects(
        b'{"projects": [{"id": "2", "name": "cn-north-4_b", "enabled": false, "domain_id": "d"},'
        b'{"id": "1", "name": "cn-north-4"}], "links": {"self": "s", "next": "https://iam/2"}}'
    )
    assert page == ProjectPage(
        (
            IamProject("2", "cn-north-4_b", enabled=False),
            IamProject("1", "cn-north-4", enabled=True),
        ),
        "https://iam/2",
    )


@pytest.mark.parametrize("links", ["", ', "links": null', ', "links": {"next": null}'])
def test_the_last_page_has_no_next(links: str) -> None:
    assert parse_projects(f'{{"projects": []{links}}}'.encode()) == ProjectPage((), None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"projects": null}',
        b'{"projects": [{"id": "1"}]}',
        b'{"projects": [{"id": "", "name": "cn-north-4"}]}',
        b'{"projects": [{"id": "1", "name": ""}]}',
        b'{"projects": [{"id": "../..", "name": "cn-north-4"}]}',
        b'{"projects": [{"id": "1\\n", "name": "cn-north-4"}]}',
        b'{"projects": [{"id": 1, "name": "cn-north-4"}]}',
        b'{"projects": [{"id": "1", "name": "cn-north-4", "enabled": "yes"}]}',
        b'{"projects": [null]}',
        b"<html>login</html>",
    ],
)
def test_a_page_that_would_hide_a_project_is_malformed(body: bytes) -> None:
    with pytest.raises(PollError) as caught:
        parse_projects(body)
    assert caught.value.reason is FailureReason.MALFORMED


@given(st.binary(), st.text())
def test_any_answer_is_a_value_or_malformed(body: bytes, token: str) -> None:
    for parse in (
        lambda: parse_projects(body),
        lambda: parse_token(Answer(201, {"x-subject-token": token}, body)),
    ):
        with pytest.raises(PollError) as caught:
            parse()
        assert caught.value.reason is FailureReason.MALFORMED


@given(st.text())
def test_any_end_of_a_token_is_an_instant_or_malformed(expires_at: str) -> None:
    outcome: object
    try:
        outcome = parse_token(answer(expires_at)).expires_at.tzinfo
    except PollError as error:
        outcome = error.reason
    assert outcome in (UTC, FailureReason.MALFORMED)
