from __future__ import annotations

from dataclasses import replace

import pytest

from auditd.alerting.alert import AlertState
from auditd.audit.authorization import Status
from auditd.audit.blind import blind_finding
from auditd.audit.failure import FailureReason
from tests.unit.web.pages.examples import (
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


async def test_when_all_is_well_it_says_so_with_the_age_of_the_data(
    browser: Browser, fleet: Fleet
) -> None:
    fleet.add(seen(project_of("a"), listed_as("one")), seen(project_of("b")))
    fleet.known["b"] = replace(fleet.known["b"], succeeded_at=NOW - 4 * MINUTE)
    text = text_of(await browser.get("/"))
    assert "All is well. Every project was listed within the last 4 min." in text


async def test_a_list_that_is_late_is_told(browser: Browser, fleet: Fleet) -> None:
    fleet.add(seen(project_of("a")))
    fleet.known["a"] = replace(fleet.known["a"], succeeded_at=NOW - 11 * MINUTE)
    text = text_of(await browser.get("/"))
    assert "That is late for some: the oldest such list is from 2026-06-01 11:49:00 UTC" in text
    assert "All is well" not in text


async def test_findings_keep_it_from_being_well_even_without_an_alert(
    browser: Browser, fleet: Fleet
) -> None:
    fleet.add(seen(project_of("a"), listed_as("one"), findings=(finding_of("one"),)))
    text = text_of(await browser.get("/"))
    assert "All is well" not in text
    assert "Nothing fires that nobody knows of." in text


async def test_blind_projects_come_before_everything_else(browser: Browser, fleet: Fleet) -> None:
    fleet.add(seen(project_of("well"), listed_as("one")))
    since = NOW - HOUR
    fleet.add(
        replace(
            seen(project_of("dark")),
            succeeded_at=since,
            failure=FailureReason.FORBIDDEN,
            failure_message="HTTP 403 <b>",
            failures_in_a_row=7,
            findings=(blind_finding("dark", FailureReason.FORBIDDEN, since),),
        )
    )
    page = await browser.get("/")
    text = text_of(page)
    assert text.index("Blind: nothing is seen") < text.index("In numbers")
    assert "dark 1 h ago the credential may not list authorizations HTTP 403 <b> 7" in text
    assert "Every project that is not blind was listed within the last 1 min." in text
    rows = page[page.index('id="projects"') :]
    assert rows.index("name=dark") < rows.index("name=well")


async def test_what_the_daemon_waits_for_is_said_plainly(browser: Browser, fleet: Fleet) -> None:
    fleet.missing = ("3 of 9 projects were not tried yet",)
    fleet.config_error = "auditd.yaml:3:1: unknown key <poll>"
    text = text_of(await browser.get("/"))
    assert "Not ready: 3 of 9 projects were not tried yet" in text
    assert "The last change of the configuration was refused" in text
    assert "unknown key <poll>" in text
    assert "No projects are known yet." in text


async def test_counts_lead_to_what_they_count(browser: Browser, fleet: Fleet) -> None:
    bad = listed_as("bad", status=Status.OVERDUE)
    fleet.add(seen(project_of("a"), listed_as("good"), bad), seen(project_of("b"), bad))
    page = await browser.get("/")
    assert '<a href="authorizations?status=overdue"><span class="big">2</span> overdue' in page
    text = text_of(await browser.get("/authorizations?status=overdue"))
    assert text.count("bad") == 2
    assert "good" not in text


async def test_what_fires_leaves_out_what_is_kept_quiet(
    browser: Browser, fleet: Fleet, alerts: Alerts
) -> None:
    fleet.add(seen(project_of("payments"), listed_as("one")))
    alerts.add(alert_of("loud"))
    alerts.add(alert_of("hushed"), "acknowledged")
    alerts.add(alert_of("coming", state=AlertState.PENDING))
    text = text_of(await browser.get("/"))
    assert "2 alerts fire 1 kept quiet" in text
    assert "loud" in text
    assert "hushed" not in text
    assert "coming" not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "c"]),
        ("q=NORTH", ["a"]),
        ("q=team-x", ["b"]),
        ("q=nothing-like-it", []),
        ("condition=flagged", ["c"]),
        ("condition=fine&q=cn", ["a", "b"]),
    ],
)
async def test_projects_are_filtered_by_what_the_address_says(
    browser: Browser, fleet: Fleet, query: str, names: list[str]
) -> None:
    fleet.add(
        seen(project_of("a")),
        seen(project_of("b", region="cn-east-3", labels=(("team", "team-x"),))),
        seen(project_of("c", region="ap-southeast-1"), findings=(finding_of("x"),)),
    )
    page = await browser.get(f"/?{query}")
    rows = page[page.index('id="projects"') :]
    assert [name for name in "abc" if f'project?name={name}"' in rows] == names
    assert ("No project fits." in rows) is not bool(names)


async def test_a_long_list_has_pages_that_keep_the_filter(browser: Browser, fleet: Fleet) -> None:
    fleet.add(*(seen(project_of(f"p{number:03}")) for number in range(120)))
    page = await browser.get("/?q=p&lang=en&page=2")
    rows = page[page.index('id="projects"') :]
    assert "name=p050&" in rows
    assert "name=p099&" in rows
    assert "name=p049&" not in rows
    assert "name=p100&" not in rows
    assert 'rel="prev" href="./?page=1&amp;q=p&amp;lang=en"' in rows
    assert 'rel="next" href="./?page=3&amp;q=p&amp;lang=en"' in rows
    assert 'rel="next"' not in await browser.get("/?page=3")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/?page=0", "page: must be a whole number from 1"),
        ("/?page=²", "page: must be a whole number from 1"),
        ("/?page=99999999999999999999", "page: must be a whole number from 1"),
        ("/?condition=bad", "condition: must be one of blind, failing"),
        ("/authorizations?status=2", "status: must be one of normal, overdue"),
        (f"/?q={'x' * 301}", "q: must not be longer than 300 characters"),
        ("/alerts?severity=bad", "severity: must be one of"),
    ],
)
async def test_a_wrong_parameter_is_told_on_the_page(
    browser: Browser, path: str, told: str
) -> None:
    assert told in text_of(await browser.get(path, status=400))


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/project?name=gone", "there is no project of this name"),
        ("/authorization?project=payments&name=gone", "lists no authorization of this name"),
        ("/authorization?project=gone&name=x", "there is no project of this name"),
        ("/alert?id=gone", "there is no such alert any more"),
        ("/delivery?id=gone", "there is no such delivery"),
    ],
)
async def test_what_is_not_there_is_told_on_a_page(
    browser: Browser, fleet: Fleet, path: str, told: str
) -> None:
    fleet.add(seen(project_of("payments")))
    page = await browser.get(path, status=404)
    assert told in text_of(page)
    assert '<nav aria-label="Pages">' in page
