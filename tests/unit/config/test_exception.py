from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from auditd.audit.match import MatchField
from auditd.config.settings import Settings

Load = Callable[..., Settings]

MINIMAL = """\
credentials: [{name: prod, type: sdk_chain}]
discovery: [{type: iam, credential: prod}]
"""


@pytest.mark.parametrize(
    ("until", "ends_at"),
    [
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31 12:00:00+08:00", datetime(2027, 1, 31, 4, tzinfo=UTC)),
        ("2027-01-31T12:00:00", datetime(2027, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_an_exception_holds_through_its_last_day(
    load_text: Load, until: str, ends_at: datetime
) -> None:
    match = "match: {project: pay.*, check: stale}, owner: me, reason: x"
    (exception,) = load_text(f"{MINIMAL}exceptions: [{{{match}, until: '{until}'}}]").exceptions
    assert exception.until == ends_at
    assert [(name, pattern.pattern) for name, pattern in exception.match.items()] == [
        (MatchField.PROJECT, "pay.*")
    ]
    assert exception.check
    assert exception.check.pattern == "stale"
    assert (exception.owner, exception.reason) == ("me", "x")


def test_an_exception_without_a_check_is_about_all(load_text: Load) -> None:
    entry = "{match: {repo_host: x}, owner: me, reason: x, until: 2027-01-31}"
    (exception,) = load_text(f"{MINIMAL}exceptions: [{entry}]").exceptions
    assert exception.check is None


def test_an_exception_may_be_about_blindness(load_text: Load) -> None:
    entry = "{match: {check: blind}, owner: me, reason: x, until: 2027-01-31}"
    assert load_text(f"{MINIMAL}exceptions: [{entry}]").exceptions
