from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import AlertState, EndReason
from auditd.alerting.delivery import AttemptOutcome, DeliveryState
from auditd.alerting.hush import Suppression
from auditd.alerting.notification import NotificationReason, NotifiedStatus
from auditd.audit.authorization import Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.finding import Severity
from auditd.audit.history import HistoryKind
from auditd.audit.verification import Verdict
from auditd.web.pages.condition import Condition
from auditd.web.pages.foreign_text import foreign, visible
from auditd.web.pages.language import Language, Translation
from auditd.web.pages.period import Period
from auditd.web.pages.site import Site
from auditd.web.pages.wording import Wording
from auditd.web.pages.words import word_of
from tests.unit.web.pages.examples import DAY, HOUR, MINUTE, NOW

SECOND = timedelta(seconds=1)
SAY = Wording(Translation(Language.EN), NOW)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (-HOUR, "0 s"),
        (59.9 * SECOND, "59 s"),
        (MINUTE, "1 min"),
        (HOUR - SECOND, "59 min"),
        (HOUR, "1 h"),
        (2 * DAY - SECOND, "47 h"),
        (2 * DAY, "2 d"),
        (400 * DAY, "400 d"),
    ],
)
def test_a_duration_is_said_in_one_unit(length: timedelta, text: str) -> None:
    assert SAY.duration(length) == text


def test_instants_are_relative_and_exact() -> None:
    assert SAY.ago(NOW - 5 * MINUTE) == (
        '<time datetime="2026-06-01T11:55:00Z" title="2026-06-01 11:55:00 UTC">5 min ago</time>'
    )
    assert SAY.relative(NOW + 3 * DAY) == "in 3 d"
    assert SAY.relative(NOW - 0.9 * SECOND) == "now"
    assert SAY.ago(None) == "—"
    assert "in seconds" in SAY.instant(TimestampFault.IN_SECONDS)


def test_links_are_relative_and_keep_the_language_that_was_asked_for(site: Site) -> None:
    assert SAY.url("project", name="a/b&c", page=None) == "project?name=a%2Fb%26c"
    assert SAY.url("") == "./"
    asked = Wording(site.translations[Language.ZH], NOW, is_language_asked=True)
    assert asked.url("") == "./?lang=zh"
    assert asked.url("project", name="x") == "project?name=x&lang=zh"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", " https://a", "data:text/html,x", "//a", "HTTPS:x", ""]
)
def test_only_web_addresses_become_links(address: str) -> None:
    assert SAY.web_address(address) == ""
    assert SAY.web_address("https://a.example/?x=1") == "https://a.example/?x=1"


@pytest.mark.parametrize(
    "kind",
    [
        AlertState, AttemptOutcome, Condition, DeliveryState, EndReason, FailureReason, HistoryKind,
        NotificationReason, NotifiedStatus, Period, Severity, Status, Suppression,
        TimestampFault, Verdict,
    ],
)  # fmt: skip
def test_every_member_of_every_set_has_a_word(kind: type[StrEnum]) -> None:
    assert all(word_of(member).text for member in kind)


def test_members_of_two_sets_with_one_value_have_words_of_their_own() -> None:
    assert AlertState.PENDING.value == DeliveryState.PENDING.value
    assert word_of(AlertState.PENDING).text == "pending"
    assert word_of(DeliveryState.PENDING).text == "owed"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("日本 é", "日本 é"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\u3164b", "a⟨U+3164⟩b"),
        ("a\x00\tb", "a⟨U+0000⟩⟨U+0009⟩b"),
        ("\ud800", "⟨U+D800⟩"),
        ("a\nb", "a\nb"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text(st.characters(exclude_categories=())))
def test_any_foreign_text_can_be_sent_and_holds_no_markup(text: str) -> None:
    inner = foreign(text).removeprefix("<bdi>").removesuffix("</bdi>")
    inner.encode()
    assert not set(inner) & set("<>\"'")


def test_foreign_text_is_cut() -> None:
    assert len(foreign("x" * 100_000)) < 2020
