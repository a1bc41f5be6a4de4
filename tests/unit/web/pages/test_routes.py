"""What all pages have in common."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from aiohttp import ClientSession
from yarl import URL

from auditd.alerting.delivery import Attempt, AttemptOutcome, DeliveryState
from auditd.alerting.matcher import Matcher, Operator
from auditd.alerting.silence import Silence
from auditd.audit.failure import FailureReason
from auditd.audit.history import HistoryEntry, HistoryKind
from auditd.web.address import Address
from auditd.web.listener import listen
from auditd.web.office import HookStanding
from auditd.web.pages.press import PAGES_CSP
from tests.unit.web.pages.examples import (
    HOUR,
    NOW,
    alert_of,
    delivery_of,
    finding_of,
    listed_as,
    project_of,
    seen,
)
from tests.unit.web.pages.fakes import Alerts, Fleet
from tests.unit.web.pages.scene import Browser, Scene

EVIL = "</title></textarea><script>evil()</script><img src=x onerror=evil()>\"'`{{7777*7777}}"
EVIL_LINK = "javascript:evil()"


class Tags(HTMLParser):
    """The tags of a page with their attributes; all must be closed in order."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def spoil(fleet: Fleet, alerts: Alerts) -> list[str]:
    """Put hostile text wherever others may write, and say which pages show it."""
    listed = listed_as(
        EVIL, repo_type=EVIL, repo_host=EVIL_LINK, repo_user=EVIL, token_type=EVIL, tag=EVIL,
        raw_status=EVIL,
    )  # fmt: skip
    finding = finding_of(EVIL, check=EVIL, alertname=EVIL, summary=EVIL)
    project = project_of(
        EVIL, project_id=EVIL, region=EVIL, credential=EVIL, endpoint=EVIL_LINK,
        labels=((EVIL, EVIL),),
    )  # fmt: skip
    fleet.add(
        replace(
            seen(project, listed, findings=(finding, replace(finding, authorization=""))),
            failure=FailureReason.SERVER,
            failure_message=EVIL,
        )
    )
    fleet.add(replace(fleet.known[EVIL], project=replace(project, name="blind")))
    blind = finding_of("", check="blind", summary=EVIL)
    fleet.known["blind"] = replace(fleet.known["blind"], findings=(blind,))
    fleet.missing, fleet.config_error = (EVIL,), EVIL
    fleet.polls[EVIL] = NOW
    fleet.entries = [
        HistoryEntry(NOW, EVIL, HistoryKind.AUTHORIZATION_CHANGED, EVIL, listed=listed,
                     fields=("repo_host", "repo_user", "tag"), seq=1),
        HistoryEntry(NOW, EVIL, HistoryKind.FINDING_FLAGGED, EVIL, finding=finding, seq=2),
    ]  # fmt: skip
    alert = replace(
        alert_of(EVIL, EVIL, alertname=EVIL, team=EVIL),
        annotations={
            "summary": EVIL, "description": EVIL, "exception": EVIL, "flapping": EVIL,
            "console_url": EVIL_LINK, "runbook_url": EVIL_LINK,
        },
    )  # fmt: skip
    alerts.add(alert)
    matchers = (Matcher("project", Operator.EQUAL, EVIL),)
    alerts.kept["s"] = Silence("s", matchers, NOW - HOUR, NOW + HOUR, EVIL, EVIL)
    alerts.standing[EVIL] = HookStanding(EVIL, EVIL, EVIL, 1, 1)
    alerts.owed["d"] = delivery_of(
        "d", alert, state=DeliveryState.DEAD, hook=EVIL, group_key=EVIL, last_error=EVIL,
        tried=(Attempt(NOW, AttemptOutcome.FAILED, EVIL),),
    )  # fmt: skip
    query = f"name={quoted(EVIL)}"
    return [
        "/",
        f"/?q={quoted(EVIL)}",
        f"/?lang={quoted(EVIL)}",
        f"/?{quoted(EVIL)}={quoted(EVIL)}",
        "/authorizations",
        f"/authorizations?q={quoted(EVIL[:20])}",
        f"/project?{query}",
        f"/authorization?project={quoted(EVIL)}&{query}",
        "/alerts",
        f"/alerts?q={quoted(EVIL)}&project={quoted(EVIL)}",
        f"/alert?id={alert.fingerprint}",
        "/silences",
        "/deliveries",
        f"/deliveries?hook={quoted(EVIL)}",
        "/delivery?id=d",
    ]


def quoted(text: str) -> str:
    return "".join(f"%{octet:02x}" for octet in text.encode())


@pytest.mark.parametrize("lang", ["en", "zh"])
async def test_hostile_text_stays_text_on_every_page(
    browser: Browser, fleet: Fleet, alerts: Alerts, lang: str
) -> None:
    shown = 0
    for path in spoil(fleet, alerts):
        page = await browser.get(path, language=lang)
        shown += page.count("&lt;script&gt;evil")
        assert "60481729" not in page
        for tag, attributes in Tags(page).seen:
            assert tag not in {"img", "iframe", "object", "embed", "base", "style"}
            assert tag != "script" or attributes.keys() == {"src", "defer"}
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            for name in ("href", "src", "action"):
                assert not (attributes.get(name) or "").lstrip().lower().startswith("javascript")
    assert shown > 100, "the text was there"


async def test_every_page_has_its_landmarks_headings_and_labels(
    browser: Browser, fleet: Fleet, alerts: Alerts
) -> None:
    for path in spoil(fleet, alerts):
        tags = Tags(await browser.get(path)).seen
        names = [tag for tag, _ in tags]
        assert [names.count(name) for name in ("main", "h1", "header", "footer")] == [1, 1, 1, 1]
        ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        for tag, attributes in tags:
            if tag == "th":
                assert attributes.get("scope") in {"col", "row"}
        assert names.count("table") == names.count("caption")
        links = [attributes["href"] or "" for tag, attributes in tags if tag == "a"]
        assert links[0] == "#main"
        assert all(not link.startswith("/") for link in links), "relative, for any prefix"


@pytest.mark.parametrize("path", ["/", "/alerts", "/project?name=gone", "/?page=x"])
async def test_pages_allow_themselves_nothing_inline_and_are_not_kept(
    browser: Browser, path: str
) -> None:
    async with browser.session.get(path) as response:
        assert response.headers["Content-Security-Policy"] == PAGES_CSP
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"
        assert response.headers["Vary"] == "Accept-Language"
        assert response.headers["Content-Language"] == "en"
    assert "unsafe" not in PAGES_CSP
    assert "default-src 'none'" in PAGES_CSP


async def test_what_pages_are_made_with_is_kept_for_ever_under_its_own_name(
    browser: Browser,
) -> None:
    page = await browser.get("/")
    urls = re.findall(r'"(static/[^"]+)"', page)
    assert len(urls) == 3
    for url in urls:
        async with browser.session.get(f"/{url}") as response:
            assert response.status == 200
            assert "immutable" in response.headers["Cache-Control"]
            assert response.content_type in {"text/css", "text/javascript", "image/svg+xml"}
    for name in ("page.css", "live.js", "..%2fsite.py", "page-0123456789abcdef.css"):
        await browser.get(f"/static/{name}", status=404)


async def test_the_language_is_the_preferred_one_or_that_of_the_link(browser: Browser) -> None:
    chinese = await browser.get("/", language="zh-CN,zh;q=0.9")
    assert '<html lang="zh-Hans">' in chinese
    assert "<h1>总览</h1>" in chinese
    assert 'href="?lang=en"' in chinese
    english = await browser.get("/alerts?q=x&lang=en", language="zh")
    assert "<h1>Alerts</h1>" in english
    assert 'href="?q=x&amp;lang=zh"' in english
    assert 'href="silences?lang=en"' in english
    assert '<input type="hidden" name="lang" value="en">' in english


async def test_a_page_says_what_it_follows_and_which_version_it_shows(
    browser: Browser, scene: Scene, fleet: Fleet
) -> None:
    fleet.add(seen(project_of("a b")))
    scene.feed.touch("project/a b")
    page = await browser.get("/project?name=a+b")
    assert '<body data-events="events?topic=project%2Fa+b&amp;topic=alerts">' in page
    assert 'data-version="epoch.1"' in page
    assert '<body data-events="">' in await browser.get("/project?name=gone", status=404)


async def test_pages_work_behind_any_prefix(scene: Scene, fleet: Fleet) -> None:
    fleet.add(seen(project_of("payments"), listed_as("one")))
    async with (
        listen(scene.app("https://acme.example/x/y/"), [Address("127.0.0.1", 0)]) as (bound,),
        ClientSession(f"http://{bound}") as session,
    ):
        seen_urls, to_see = set[str](), ["/x/y/"]
        while to_see:
            path = to_see.pop()
            async with session.get(path) as response:
                assert response.status == 200, path
                assert response.url.path.startswith("/x/y/")
                if response.content_type != "text/html":
                    continue
                for tag, attributes in Tags(await response.text()).seen:
                    link = attributes.get("src" if tag == "script" else "href") or ""
                    url = str(response.url.join(URL(link))) if link else ""
                    is_ours = url.startswith(f"http://{bound}") and "metrics" not in url
                    if is_ours and (url := url.partition("#")[0]) not in seen_urls:
                        seen_urls.add(url)
                        to_see.append(url.removeprefix(f"http://{bound}"))
        assert len(seen_urls) > 15
