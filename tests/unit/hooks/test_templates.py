from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditd.alerting.alert import EndReason
from auditd.alerting.notification import NotifiedAlert
from auditd.hooks.port import Message
from auditd.hooks.templates import OUTPUT_LIMIT, TITLE_LIMIT, VALUE_LIMIT, Language, Target, Wording
from tests.unit.hooks.fakes import START, notification, notified

ENDED = notified("gone", end=START + timedelta(hours=1))
BRACKETS = Target(
    escape=lambda text: text.replace("[", "(").replace("]", ")"),
    link=lambda url, words: f"[{words}->{url}]",
)


def message(*alerts: NotifiedAlert, truncated: int = 0) -> Message:
    told = notification(*alerts, truncated=truncated)
    return Message("msg_1", told, attempt=1, external_url="")


def _with(alert: NotifiedAlert, **annotations: str) -> NotifiedAlert:
    return replace(alert, annotations={**alert.annotations, **annotations})


def test_a_firing_alert_says_what_where_since_when_and_what_to_do() -> None:
    alert = _with(notified(), exception="it lapsed", flapping="often", runbook_url="https://r/#A")
    assert Wording(Language.EN).alert(alert).splitlines() == [
        "[CRITICAL] authorization gh-main is overdue",
        "Project: payments, authorization: gh-main",
        "Since 2026-11-24T12:00:00Z, for 3d",
        "Renew it.",
        "Exception: it lapsed",
        "Flapping: often",
        "Console: https://console.example.com/?agencyId=1&region=r",
        "Runbook: https://r/#A",
    ]


def test_a_resolved_alert_says_why_it_ended() -> None:
    assert Wording(Language.EN).alert(ENDED).splitlines() == [
        "[RESOLVED] authorization gone is overdue",
        "Project: payments, authorization: gone",
        "Stood since 2026-11-24T12:00:00Z, for 3d; why it ended: cleared",
    ]


def test_chinese_is_built_in() -> None:
    wording = Wording(Language.ZH)
    title = wording.title(notification())
    assert title.startswith("[告警:1] Git 授权已过期")
    assert title.endswith("项目 payments")
    assert "已持续 3d" in wording.alert(notified())
    assert "问题已消失" in wording.alert(ENDED)
    assert wording.more(3, "") == "另有 3 条"


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("reason", EndReason)
def test_every_end_has_words_in_every_language(language: Language, reason: EndReason) -> None:
    text = Wording(language).alert(replace(ENDED, end_reason=reason))
    if language is Language.ZH:
        assert reason not in text
    else:
        assert reason.replace("_", " ") in text


def test_a_title_counts_what_was_cut_off_and_names_what_is_common() -> None:
    wording = Wording(Language.EN)
    assert (
        wording.title(notification(notified("a"), notified("b"), truncated=5))
        == "[FIRING:7] GitAuthorizationOverdue in payments"
    )
    assert wording.title(notification(ENDED)).startswith("[RESOLVED:1] ")
    mixed = replace(notification(notified(), ENDED), common_labels={})
    assert wording.title(mixed) == "[FIRING:1] Several alerts"


BRACKETED = {language: Wording(language, BRACKETS) for language in Language}


@pytest.mark.parametrize("language", Language)
@given(text=st.text())
def test_foreign_text_is_one_escaped_line(language: Language, text: str) -> None:
    plain = BRACKETED[language].alert(_with(notified(), summary="x"))
    hostile = BRACKETED[language].alert(_with(notified(), summary=f"x{text}"))
    assert len(hostile.splitlines()) == len(plain.splitlines())
    assert hostile.count("[") == plain.count("[")
    assert len(hostile) <= len(plain) + VALUE_LIMIT


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://x y", "https://x|y", "https://x>", "http://x\n", "//x"]
)
def test_what_is_no_web_address_becomes_no_link(url: str) -> None:
    text = Wording(Language.EN, BRACKETS).alert(_with(notified(), console_url=url))
    assert "->" not in text


def test_a_web_address_becomes_a_link_of_the_target() -> None:
    text = Wording(Language.EN, BRACKETS).alert(notified())
    assert "[Console->https://console.example.com/?agencyId=1&region=r]" in text


def test_a_body_ends_with_how_many_whole_alerts_did_not_fit() -> None:
    wording = Wording(Language.EN)
    told = message(*(notified(f"gh-{number}") for number in range(9)), truncated=2)
    one = wording.alert(notified("gh-0"))
    body = wording.body(told, limit=3 * len(one))
    assert body.count("[CRITICAL]") == 2
    assert body.startswith(one)
    assert body.endswith("\n\nand 9 more")
    assert wording.body(told, limit=10**6).endswith("and 2 more")
    assert wording.body(told, limit=0) == "and 11 more"


def test_of_a_first_alert_that_does_not_fit_there_are_as_many_lines_as_do() -> None:
    wording = Wording(Language.EN)
    first, *_ = wording.alert(notified()).splitlines()
    body = wording.body(message(notified(), notified("b")), limit=len(first) + 20)
    assert body == f"{first}\n…\n\nand 1 more"


def test_what_is_left_out_is_linked_to_where_all_is_seen() -> None:
    wording = Wording(Language.EN)
    told = replace(message(notified(), truncated=2), external_url="https://auditd.example")
    assert wording.body(told, limit=999).endswith("and 2 more, see all: https://auditd.example")
    hidden = replace(told, external_url="/only/a/path")
    assert wording.body(hidden, limit=999).endswith("and 2 more")


@given(limit=st.integers(15, 3000), count=st.integers(1, 12))
def test_a_body_is_never_larger_than_its_limit_in_the_targets_own_measure(
    limit: int, count: int
) -> None:
    told = message(*(notified(f"授权-{number}") for number in range(count)))
    body = BRACKETED[Language.ZH].body(told, limit=limit, size=lambda text: len(text.encode()))
    assert len(body.encode()) <= limit


def test_configured_templates_replace_the_built_in_texts_and_are_escaped() -> None:
    wording = Wording(
        Language.EN,
        BRACKETS,
        title="{{ notification.common_labels.project }}\n{{ notification.count }}",
        text="{{ alert.labels.authorization }}: {{ link(alert.annotations.console_url, 'go') }}",
    )
    assert wording.title(notification()) == "payments 1"
    told = wording.alert(notified("[x]"))
    assert told == "(x): [go->https://console.example.com/?agencyId=1&region=r]"


@pytest.mark.parametrize(
    "template",
    [
        "{{ '[x]' | safe }}",
        "{{ '[x]' | e }}",
        "{{ link('https://x', '') | replace('->', '[') }}",
        "{% filter upper %}{{ '[x]' }}{% endfilter %}",
    ],
)
def test_no_filter_gets_around_the_escaping(template: str) -> None:
    text = Wording(Language.EN, BRACKETS, text=template).alert(notified())
    assert "[" not in text


@pytest.mark.parametrize(
    "template",
    [
        "{{ alert.nothing.at_all }}",
        "{{ 1 / 0 }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ alert.__init__.__globals__ }}",
        "{{ alert.labels.clear() }}",
        "{{ alert.labels.update({'a': 'b'}) }}",
        "{% for n in range(99999) %}{{ alert.labels }}{% endfor %}",
        "{% for n in range(999999999) %}x{% endfor %}",
        "   ",
    ],
)
def test_a_template_that_fails_or_is_too_long_is_replaced_by_the_built_in_text(
    template: str,
) -> None:
    built_in = Wording(Language.EN).alert(notified())
    assert Wording(Language.EN, text=template).alert(notified()) == built_in
    assert len(built_in) < OUTPUT_LIMIT


def test_a_title_is_short_whatever_it_is_made_of() -> None:
    labels = {"alertname": "A" * 999, "project": "界" * 999}
    told = replace(notification(), common_labels=labels)
    built_in = Wording(Language.EN).title(told)
    assert built_in == f"[FIRING:1] {'A' * 127}… in {'界' * 127}…"
    longer = "x" * (TITLE_LIMIT + 1)
    assert Wording(Language.EN, title=longer).title(told) == built_in
    assert Wording(Language.EN, title=longer[1:]).title(told) == longer[1:]


def test_a_template_that_is_no_template_is_refused() -> None:
    with pytest.raises(ValueError, match="text is not a valid Jinja2 template"):
        Wording(Language.EN, text="{{ alert.")
    with pytest.raises(ValueError, match="title is not a valid Jinja2 template"):
        Wording(Language.EN, title="{% for %}")
