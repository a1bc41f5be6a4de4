from __future__ import annotations

import html
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.events import SendFailure
from auditd.hooks.kinds.feishu import LARK_MARKDOWN
from auditd.hooks.kinds.slack import MRKDWN
from auditd.hooks.kinds.smtp import HTML
from auditd.hooks.port import HookError, HttpAnswer, HttpRequest, RetryLaterError
from auditd.hooks.robot import LOOKALIKES, Dialect
from auditd.hooks.templates import Target

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
REQUEST = HttpRequest("https://robot.example/send?key=a-secret-key", b"{}")
DIALECT = Dialect(
    code="errcode",
    explanation="errmsg",
    throttled=frozenset({45}),
    busy=frozenset({-1}),
    pause_seconds=60.0,
    advice={93: "copy its url"},
)


def judge(body: bytes, status: int = 200, retry_after: str = "") -> None:
    answer = HttpAnswer(status, {"retry-after": retry_after}, body)
    DIALECT.judge(answer, REQUEST, hook="ops", now=AT)


@given(st.binary(max_size=200), st.integers(min_value=100, max_value=599))
def test_whatever_is_answered_is_success_or_a_hook_error(body: bytes, status: int) -> None:
    try:
        judge(body, status)
    except HookError:
        return
    assert 200 <= status < 300
    assert json.loads(body)["errcode"] == 0


@given(st.integers().filter(bool), st.text(max_size=40))
def test_any_code_but_zero_is_a_failure_that_is_quoted(code: int, said: str) -> None:
    body = json.dumps({"errcode": code, "errmsg": said + " a-secret-key"}).encode()
    with pytest.raises(HookError) as caught:
        judge(body)
    assert f"errcode {code}: " in str(caught.value)
    assert "a-secret-key" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_code_tells_more_than_the_status_beside_it() -> None:
    with pytest.raises(RetryLaterError) as caught:
        judge(b'{"errcode": 45}', status=400)
    assert caught.value.reason is SendFailure.THROTTLED


def test_retry_after_wins_over_the_usual_pause() -> None:
    with pytest.raises(RetryLaterError) as caught:
        judge(b'{"errcode": 45}', retry_after="7")
    assert caught.value.retry_after_seconds == 7


@given(st.text())
@pytest.mark.parametrize("target", [LARK_MARKDOWN, MRKDWN, HTML])
def test_escaped_text_means_just_itself(target: Target, text: str) -> None:
    escaped = target.escape(text)
    assert not set("<>") & set(escaped)
    assert html.unescape(escaped) == text


@given(st.text())
def test_lookalikes_leave_no_sign_of_markdown(text: str) -> None:
    assert not set("<>[]*`#\\") & set(LOOKALIKES.escape(text))
    assert len(LOOKALIKES.escape(text)) == len(text)
