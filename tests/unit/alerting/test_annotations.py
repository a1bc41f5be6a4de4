from dataclasses import replace
from datetime import timedelta

import pytest

from auditd.alerting.annotations import annotate, annotations_of, console_url, describe_flapping
from auditd.alerting.exception import AcceptedFinding
from auditd.alerting.rules import Rules
from tests.unit.alerting.examples import (
    AT,
    DAY,
    HOUR,
    MINUTE,
    PROJECT,
    RULES,
    SECOND,
    firing,
    overdue,
    pending_again,
    resolved,
)

CONSOLE = (
    "https://console.huaweicloud.com/servicestage/"
    "?agencyId=0123456789abcdef0123456789abcdef&region=cn-north-4"
)


def test_annotations_say_what_it_is_and_where_to_go() -> None:
    assert annotations_of(overdue(), PROJECT, RULES, None) == {
        "summary": "github authorization gh-main is overdue",
        "description": "The authorization has expired.",
        "runbook_url": "https://docs.example/alerts#gitauthorizationoverdue",
        "console_url": CONSOLE,
    }


def test_addresses_that_are_not_configured_are_left_out() -> None:
    rules = replace(RULES, runbook_url="", console_url="")
    annotations = annotations_of(overdue(), PROJECT, rules, None)
    assert list(annotations) == ["summary", "description"]


def test_the_console_of_another_site_can_be_named() -> None:
    url = console_url("https://console-intl.huaweicloud.com/servicestage/", PROJECT)
    assert url.startswith("https://console-intl.huaweicloud.com/servicestage/?agencyId=0123")


def test_what_goes_into_the_address_is_encoded() -> None:
    project = replace(PROJECT, region="a&b=c#d")
    assert console_url("https://console.example/", project).endswith("&region=a%26b%3Dc%23d")


def test_an_exception_that_is_over_is_named() -> None:
    lapsed = AcceptedFinding({}, None, "ops@acme.example", "migration PLAT-42", AT)
    assert annotations_of(overdue(), PROJECT, RULES, lapsed)["exception"] == (
        "accepted by ops@acme.example until 2026-06-01T12:00:00Z, which is over;"
        " the reason was: migration PLAT-42"
    )


def test_flapping_is_described_with_its_limits() -> None:
    rules = Rules(checks={}, flap_limit=3, flap_window=30 * MINUTE)
    assert describe_flapping(rules) == (
        "it fired more than 3 times within 30m; it is resolved when it stays away for 30m"
    )


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=59, milliseconds=999), "59s"),
        (MINUTE, "1m"),
        (2 * HOUR + 3 * MINUTE + 4 * SECOND, "2h3m"),
        (91 * DAY + 4 * HOUR, "91d4h"),
        (-HOUR, "0s"),
    ],
)
def test_ages_are_for_people_and_never_negative(age: timedelta, text: str) -> None:
    assert annotate(firing(), AT + age)["age"] == text


def test_the_time_is_added_to_what_an_alert_says_anyway() -> None:
    assert annotate(firing(), AT + HOUR) == {
        "summary": "GitAuthorizationOverdue of gh-main",
        "since": "2026-06-01T12:00:00Z",
        "age": "1h",
    }


def test_the_age_of_what_ended_stands_still() -> None:
    assert annotate(resolved(firing(), AT + HOUR), AT + DAY)["age"] == "1h"


def test_a_former_end_does_not_stop_the_age_of_what_is_there_again() -> None:
    alert = pending_again(resolved(firing(), AT + HOUR), AT + 2 * HOUR)
    assert annotate(alert, AT + 2 * HOUR + MINUTE)["age"] == "1m"
