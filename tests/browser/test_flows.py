from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from auditd.alerting.delivery import DeliveryState
from auditd.audit.authorization import Status
from auditd.web.feed import FLEET
from tests.browser.visit import Visits
from tests.unit.web.pages.examples import NOW, alert_of, delivery_of, listed_as, project_of, seen
from tests.unit.web.pages.scene import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60)]

BOTH = pytest.mark.parametrize("javascript", [True, False])


async def live(page: Page) -> None:
    """Until it is told what changes."""
    await expect(page.locator("#live")).to_have_text("Live")


@BOTH
async def test_an_alert_is_found_and_acknowledged(
    visits: Visits, scene: Scene, *, javascript: bool
) -> None:
    scene.fleet.add(seen(project_of("payments"), listed_as("one")))
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open("/", java_script_enabled=javascript)
    await page.get_by_role("link", name="GitAuthorizationOverdue").click()
    form = page.locator("#acknowledgement")
    await form.get_by_label("Your name").fill("Ann Lee")
    await form.get_by_label("Comment").fill("on it")
    await form.get_by_role("button", name="Acknowledge").click()
    await expect(page.locator(".badge", has_text="acknowledged")).to_be_visible()
    assert scene.alerts.asked == [("acknowledge", id_, "Ann Lee", "on it")]
    await page.get_by_role("link", name="servicestage-auditd", exact=True).click()
    await expect(page.get_by_text("1 kept quiet")).to_be_visible()


@BOTH
async def test_an_alert_is_silenced_and_the_silence_ended(
    visits: Visits, scene: Scene, *, javascript: bool
) -> None:
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open(f"/alert?id={id_}", java_script_enabled=javascript)
    form = page.locator("#silencing")
    await form.get_by_label("For", exact=True).select_option("12h")
    await form.get_by_label("Your name").fill("Ann Lee")
    await form.get_by_role("button", name="Silence").click()
    await expect(page).to_have_url(f"{visits.url}/silences#silence-s1")
    card = page.locator("#silence-s1")
    await expect(card).to_contain_text('authorization="one"')
    await card.locator("summary").click()
    await card.get_by_label("Your name").fill("Bob")
    await card.get_by_role("button", name="End it now").click()
    await expect(card).to_contain_text("over")
    assert scene.alerts.asked[-1] == ("expire_silence", "s1", "Bob")


@BOTH
async def test_a_mistake_is_shown_beside_what_was_typed(
    visits: Visits, scene: Scene, *, javascript: bool
) -> None:
    visits.expected = ["status of 400"]
    page = await visits.open("/silences", java_script_enabled=javascript)
    await page.get_by_label("Matchers").fill("project")
    await page.get_by_label("Your name").fill("Ann Lee")
    await page.get_by_role("button", name="Silence").click()
    await expect(page.get_by_role("alert")).to_contain_text("expected one matcher")
    await expect(page.get_by_label("Your name")).to_have_value("Ann Lee")
    await page.get_by_label("Matchers").fill('project="payments"')
    await page.get_by_role("button", name="Silence").click()
    await expect(page.locator("#silence-s1")).to_contain_text("Ann Lee")


async def test_a_dead_delivery_is_replayed(visits: Visits, scene: Scene) -> None:
    scene.alerts.owed["d1"] = delivery_of("d1", alert_of("one"), state=DeliveryState.DEAD)
    page = await visits.open("/deliveries")
    await page.get_by_role("link", name="1 h ago").click()
    await page.get_by_role("button", name="Replay").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("owed")


@BOTH
async def test_a_search_can_be_sent_to_somebody(
    visits: Visits, scene: Scene, *, javascript: bool
) -> None:
    scene.fleet.add(*(seen(project_of(f"p{number}"), listed_as(f"a{number}")) for number in "123"))
    page = await visits.open("/?lang=zh", java_script_enabled=javascript)
    await page.get_by_role("searchbox").fill("p2")
    await page.get_by_role("button", name="筛选").click()
    await expect(page).to_have_url(f"{visits.url}/?lang=zh&q=p2&condition=")
    other = await visits.open(page.url.removeprefix(visits.url))
    projects = other.get_by_role("group", name="项目", exact=True)
    await expect(projects.get_by_role("row")).to_have_count(2)
    await expect(projects).to_contain_text("p2")


async def test_what_changes_is_seen_without_loading_the_page(visits: Visits, scene: Scene) -> None:
    scene.fleet.add(seen(project_of("payments"), listed_as("one")))
    page = await visits.open("/")
    await live(page)
    await page.evaluate("window.isSame = true")
    overdue = page.locator('a[href="authorizations?status=overdue"] .big')
    await expect(overdue).to_have_text("0")
    for name in ("one", "two"):
        former = (scene.fleet.known["payments"].authorizations or {}).values()
        changed = [*former, listed_as(name, status=Status.OVERDUE)]
        scene.fleet.add(seen(project_of("payments"), *changed))
        scene.feed.touch(FLEET)
        await expect(overdue).to_have_text("1" if name == "one" else "2")
    assert await page.evaluate("window.isSame")


async def test_an_update_disturbs_nobody_at_work(visits: Visits, scene: Scene) -> None:
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open(
        f"/alert?id={id_}", viewport={"width": 800, "height": 300}, reduced_motion="reduce"
    )
    await live(page)
    author = page.locator("#acknowledge-author")
    await author.fill("Ann Lee")
    await page.locator("#silence-span").select_option("7d")
    await author.focus()
    await author.evaluate("(field) => field.setSelectionRange(2, 5)")
    before = await page.evaluate("scrollY")
    assert before > 0
    scene.alerts.add(scene.alerts.told[id_][0], "silenced")
    scene.feed.touch("alerts")
    await expect(page.locator("main .badge", has_text="silenced")).to_have_count(1)
    await expect(author).to_have_value("Ann Lee")
    await expect(author).to_be_focused()
    assert await author.evaluate("(field) => [field.selectionStart, field.selectionEnd]") == [2, 5]
    await expect(page.locator("#silence-span")).to_have_value("7d")
    assert await page.evaluate("scrollY") == before


async def test_marked_text_and_open_parts_stay(visits: Visits, scene: Scene) -> None:
    scene.alerts.add(alert_of("one"))
    page = await visits.open("/silences")
    await page.get_by_label("Matchers").fill("project=a")
    await page.get_by_label("Your name").fill("Ann")
    await page.get_by_role("button", name="Silence").click()
    await live(page)
    details = page.locator("#end-s1")
    await details.locator("summary").click()
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    scene.alerts.kept["s2"] = scene.alerts.kept["s1"]
    scene.feed.touch("alerts")
    await page.wait_for_timeout(1500)
    assert await page.evaluate("String(getSelection())") == "Silences"
    await expect(page.locator(".card")).to_have_count(1)
    await page.evaluate("getSelection().removeAllRanges()")
    await expect(page.locator(".card")).to_have_count(2)
    assert await details.first.evaluate("(box) => box.open")


async def test_updates_can_be_paused(visits: Visits, scene: Scene) -> None:
    page = await visits.open("/alerts")
    await live(page)
    await page.get_by_role("button", name="Pause updates").click()
    await expect(page.locator("#live")).to_have_text("Paused")
    scene.alerts.add(alert_of("one"))
    scene.feed.touch("alerts")
    await page.wait_for_timeout(1500)
    await expect(page.get_by_text("No alert fits.")).to_be_visible()
    await page.get_by_role("button", name="Resume updates").click()
    await expect(page.get_by_role("row")).to_have_count(2)
    await live(page)


async def test_a_page_whose_subject_is_gone_says_so(visits: Visits, scene: Scene) -> None:
    visits.expected = ["status of 404"]
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open(f"/alert?id={id_}")
    await live(page)
    scene.alerts.told.clear()
    scene.feed.touch("alerts")
    await expect(page.get_by_role("alert")).to_contain_text("there is no such alert any more")


async def test_a_form_of_another_site_does_nothing(visits: Visits, scene: Scene) -> None:
    visits.expected = ["status of 403"]
    id_ = scene.alerts.add(alert_of("one"))
    page = await visits.open(f"/alert?id={id_}")
    token = await page.locator("#acknowledgement [name=token]").input_value()
    await page.goto("about:blank")
    await page.set_content(
        f'<form method="post" action="{visits.url}/alert?id={id_}">'
        f'<input name="token" value="{token}"><input name="author" value="x"></form>'
    )
    async with page.expect_navigation() as navigation:
        await page.evaluate("document.forms[0].submit()")
    assert (await navigation.value).status == 403
    assert scene.alerts.asked == []


async def test_the_time_of_the_data_is_shown(visits: Visits) -> None:
    page = await visits.open("/")
    shown = page.locator(".asof time")
    assert await shown.get_attribute("datetime") == NOW.isoformat(timespec="seconds")
