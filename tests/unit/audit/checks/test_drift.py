from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from auditd.audit.authorization import Authorization, Status, TimestampFault
from auditd.audit.checks.drift import PLUGIN, Options
from auditd.audit.finding import Severity
from auditd.audit.policy import Observation

Authorize = Callable[..., Authorization]
Observe = Callable[..., Observation]

CHECK = PLUGIN.build(Options())
CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ({"repo_user": "alice"}, {"repo_user": "bob"}, "repo_user was alice, is bob"),
        (
            {"repo_host": "https://a.example"},
            {"repo_host": "https://b.example"},
            "repo_host was https://a.example, is https://b.example",
        ),
        ({"token_type": "oauth"}, {"token_type": ""}, "token_type was oauth, is empty"),
        ({"token_type": ""}, {"token_type": "oauth"}, "token_type was empty, is oauth"),
        (
            {"created_at": CREATED_AT},
            {"created_at": CREATED_AT + timedelta(days=1)},
            "created_at was 2026-01-01T00:00:00Z, is 2026-01-02T00:00:00Z",
        ),
        (
            {"repo_user": "alice", "token_type": "oauth"},
            {"repo_user": "bob", "token_type": "personal"},
            "repo_user was alice, is bob, token_type was oauth, is personal",
        ),
    ],
)
def test_what_should_not_change_under_a_name_is_found_when_it_does(
    authorize: Authorize,
    observe: Observe,
    before: dict[str, object],
    after: dict[str, object],
    text: str,
) -> None:
    (finding,) = CHECK.inspect(observe(authorize(**after), previous=(authorize(**before),)))
    assert finding.summary == f"github authorization gh-main is not what it was: {text}"
    assert (finding.alertname, finding.severity) == ("GitAuthorizationDrift", Severity.WARNING)


def test_a_millisecond_in_the_creation_time_is_drift(
    authorize: Authorize, observe: Observe
) -> None:
    later = authorize(created_at=CREATED_AT + timedelta(milliseconds=1))
    assert [*CHECK.inspect(observe(later, previous=(authorize(created_at=CREATED_AT),)))]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": Status.OVERDUE},
        {"updated_at": CREATED_AT},
        {"tag": "intl"},
        {"created_at": TimestampFault.MISSING},
        {"name": "new-one", "repo_user": "bob"},
    ],
)
def test_a_renewal_an_unknown_time_and_a_new_name_are_no_drift(
    authorize: Authorize, observe: Observe, change: dict[str, object]
) -> None:
    before, after = authorize(), authorize(**change)
    assert [*CHECK.inspect(observe(after, previous=(before,)))] == []
    assert [*CHECK.inspect(observe(before, previous=(after,)))] == []


def test_a_project_that_was_never_seen_has_not_drifted(
    authorize: Authorize, observe: Observe
) -> None:
    assert [*CHECK.inspect(observe(authorize(), previous=None))] == []
