"""Nobody is kept out: axe-core finds nothing that matters, and the keyboard reaches all."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.company import STAR, furnish
from tests.browser.visit import Scheme, Visits
from tests.unit.web.pages.examples import alert_of
from tests.unit.web.pages.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

PAGES = [
    "/",
    "/?q=web&condition=flagged",
    "/authorizations?status=overdue",
    f"/project?name={STAR[0]}",
    f"/authorization?project={STAR[0]}&name={STAR[1]}",
    "/alerts",
    "/alert?id=THE_ALERT",
    "/silences",
    "/deliveries",
    "/delivery?id=msg_1",
    "/project?name=gone",
]
_RUN = "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def furnished(scene: Scene) -> list[str]:
    furnish(scene.fleet, scene.alerts)
    id_ = scene.alerts.add(alert_of("one"))
    return [path.replace("THE_ALERT", id_) for path in PAGES]


async def problems(page: Page, axe: str) -> list[str]:
    await page.evaluate(axe)
    found: dict[str, Any] = await page.evaluate(_RUN, _TAGS)
    return [
        f"{page.url}: {violation['impact']} {violation['id']}: {node['html'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"][:2]
        if violation["impact"] in {"serious", "critical", "moderate"}
    ]


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_any_page(
    visits: Visits, scene: Scene, axe: str, locale: str, scheme: Scheme
) -> None:
    visits.expected = ["status of 404"]
    paths = furnished(scene)
    page = await visits.open("/", locale=locale, color_scheme=scheme)
    found = []
    for path in paths:
        await page.goto(f"{visits.url}{path}")
        found += await problems(page, axe)
    assert found == []


async def test_axe_would_find_something(visits: Visits, scene: Scene, axe: str) -> None:
    furnished(scene)
    page = await visits.open("/silences")
    await page.evaluate(
        "document.querySelectorAll('label').forEach("
        "(label) => label.replaceWith(...label.querySelectorAll('input, textarea')))"
    )
    assert any("label" in problem for problem in await problems(page, axe))


@pytest.mark.parametrize("width", [360, 1600])
async def test_no_page_is_wider_than_its_window(visits: Visits, scene: Scene, width: int) -> None:
    visits.expected = ["status of 404"]
    paths = furnished(scene)
    size = {"width": width, "height": 800}
    page = await visits.open("/", viewport=size, java_script_enabled=True)
    for path in paths:
        await page.goto(f"{visits.url}{path}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_the_keyboard_reaches_everything_and_sees_where_it_is(
    visits: Visits, scene: Scene
) -> None:
    furnished(scene)
    page = await visits.open("/")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    wanted = await page.evaluate(
        "[...document.querySelectorAll('a[href], button, input, select, [tabindex=\"0\"]')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    seen = set()
    for _ in range(wanted):
        place = await page.evaluate(
            """() => {
              const one = document.activeElement;
              const style = getComputedStyle(one);
              return [
                [...document.querySelectorAll("*")].indexOf(one),
                style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                one.outerHTML,
              ];
            }"""
        )
        assert place[1], f"no focus is seen on {place[2]}"
        seen.add(place[0])
        await page.keyboard.press("Tab")
    assert len(seen) == wanted > 50


async def test_the_skip_link_leads_past_the_navigation(visits: Visits) -> None:
    page = await visits.open("/alerts")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_an_alert_is_acknowledged_by_keyboard_alone(visits: Visits, scene: Scene) -> None:
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open(f"/alert?id={id_}")
    await page.locator("#acknowledge-author").focus()
    await page.keyboard.type("Ann Lee")
    await page.keyboard.press("Enter")
    await expect(page.locator(".badge", has_text="acknowledged")).to_be_visible()


async def test_who_wants_no_motion_gets_none(visits: Visits) -> None:
    page = await visits.open("/", reduced_motion="reduce")
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert await page.evaluate(behaviour) == "auto"


async def test_paper_has_no_navigation_and_no_forms(visits: Visits, scene: Scene) -> None:
    furnished(scene)
    page = await visits.open("/")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation")).to_have_count(0)
    await expect(page.locator("form")).not_to_be_visible()
    await expect(page.locator("h1")).to_be_visible()
