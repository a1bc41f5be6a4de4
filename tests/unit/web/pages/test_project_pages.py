from __future__ import annotations

from dataclasses import replace

import pytest

from auditd.audit.authorization import Status, TimestampFault
from auditd.audit.failure import FailureReason
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.audit.verification import Verdict, Verification
from auditd.web.office import UnavailableError
from tests.unit.web.pages.examples import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    alert_of,
    finding_of,
    listed_as,
    project_of,
    seen,
)
from tests.unit.web.pages.fakes import Alerts, Fleet
from tests.unit.web.pages.scene import Browser, text_of


async def test_a_project_has_its_facts_findings_authorizations_and_history(
    browser: Browser, fleet: Fleet, alerts: Alerts
) -> None:
    fleet.add(
        replace(
            seen(project_of("payments"), listed_as("one"), findings=(finding_of("one"),)),
            failure=FailureReason.TIMEOUT,
            failure_message="no answer within 30 s",
            failures_in_a_row=2,
        )
    )
    fleet.polls["payments"] = NOW + 4 * MINUTE
    fleet.entries = [
        HistoryEntry(
            NOW - DAY,
            "payments",
            HistoryKind.AUTHORIZATION_CHANGED,
            "one",
            listed=listed_as("one", status=Status.OVERDUE, repo_user="new<user>"),
            fields=("repo_user", "status"),
            seq=1,
        ),
        HistoryEntry(
            NOW, "payments", HistoryKind.POLLS_FAILED, reason=FailureReason.TIMEOUT, seq=2
        ),
    ]
    alerts.add(alert_of("one"))
    page = await browser.get("/project?name=payments")
    text = text_of(page)
    assert "The last poll failed: no answer in time. no answer within 30 s" in text
    assert "2 polls failed in a row. What is shown is from 2026-06-01 11:59:00 UTC" in text
    assert "Next poll 2026-06-01 12:04:00 UTC (in 4 min)" in text
    assert "one normal critical overdue" in text
    assert "Firing alerts of this project" in text
    assert "authorization changed one 2026-05-31 12:00:00 UTC" in text
    assert "User new<user> Status overdue" in text
    assert "polls fail no answer in time" in text
    assert (
        "https://console.huaweicloud.com/servicestage/"
        "?agencyId=0123456789abcdef0123456789abcdef&amp;region=cn-north-4" in page
    )


async def test_an_authorization_has_its_age_its_limit_and_what_each_check_says(
    browser: Browser, fleet: Fleet
) -> None:
    stale = finding_of("one", check="stale", alertname="GitAuthorizationStale")
    snapshot = seen(
        project_of("payments", verify=True),
        listed_as("one", updated_at=NOW - 98 * DAY),
        findings=(stale,),
    )
    fleet.add(replace(snapshot, verifications={"one": Verification(Verdict.BROKEN, NOW - HOUR)}))
    page = await browser.get("/authorization?project=payments&name=one")
    text = text_of(page)
    assert "It was renewed 98 d ago. It is stale above 90 d, that is since" in text
    assert "The authorization was not renewed for longer than allowed;" in text
    assert "Verified by use broken 2026-06-01 11:00:00 UTC (1 h ago)" in text
    assert "overdue nothing" in text
    assert "stale critical 8 d ago" in text
    assert 'role="img" aria-labelledby="plot-title plot-text"' in page
    assert 'href="https://runbooks.acme.example/auditd#gitauthorizationstale"' in page


async def test_an_authorization_without_a_usable_time_has_no_plot(
    browser: Browser, fleet: Fleet
) -> None:
    fleet.add(seen(project_of("payments"), listed_as("one", updated_at=TimestampFault.IN_SECONDS)))
    page = await browser.get("/authorization?project=payments&name=one")
    assert "Its age is not known" in text_of(page)
    assert "Renewed given in seconds" in text_of(page)
    assert "<svg" not in page


async def test_a_history_that_cannot_be_read_costs_only_itself(
    browser: Browser, fleet: Fleet
) -> None:
    fleet.add(seen(project_of("payments"), listed_as("one")))
    fleet.fault = UnavailableError("the disk is full")
    for path in ("/project?name=payments", "/authorization?project=payments&name=one"):
        text = text_of(await browser.get(path))
        assert "The history cannot be read now: the disk is full" in text
        assert "one" in text


async def test_a_long_history_is_read_page_by_page(browser: Browser, fleet: Fleet) -> None:
    fleet.add(seen(project_of("payments")))
    fleet.entries = [
        HistoryEntry(NOW, "payments", HistoryKind.POLLS_RECOVERED, seq=seq) for seq in range(1, 61)
    ]
    page = await browser.get("/project?name=payments")
    assert page.count("polls succeed again") == 50
    assert 'href="project?before=11&amp;name=payments#history"' in page
    older = await browser.get("/project?before=11&name=payments")
    assert older.count("polls succeed again") == 10
    assert "Older entries" not in older


@pytest.mark.parametrize("name", ["..", ".", "a/b", "%2e%2e", "a?b#c", "a b+c&d", "日本", "\u202e"])
async def test_any_name_can_be_followed_from_page_to_page(
    browser: Browser, fleet: Fleet, name: str
) -> None:
    fleet.add(seen(project_of(name), listed_as(name, repo_user="the-user")))
    page = await browser.get("/")
    links = {part.split('"')[0] for part in page.split('href="') if part.startswith("project?")}
    (link,) = {link.replace("&amp;", "&") for link in links}
    page = await browser.get(f"/{link}")
    links = {
        part.split('"')[0] for part in page.split('href="') if part.startswith("authorization?")
    }
    (link,) = {link.replace("&amp;", "&") for link in links}
    assert "the-user" in await browser.get(f"/{link}")
