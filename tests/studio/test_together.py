"""Views and tabs side by side: what one has loaded changes nothing in another, and many tabs share one stream."""

import itertools
import re

import pytest
from playwright.async_api import Page, expect

from tests.studio.marks import studio_tests
from tests.studio.pages import VIEWS, button, finished, generate, keep_screenshot, outside, violations
from tests.studio.test_layout import pictures, settled

pytestmark = studio_tests(__name__)

TABS = 9
# Where everything of a view stands, in whole pixels, and how it is written; words that count time are left out.
SHAPE = """() => [...document.querySelectorAll("#view, #view *")].filter((one) =>
  !one.closest("svg, canvas") && one.checkVisibility()).map((one) => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one);
  const where = [box.left, box.top + scrollY, box.width, box.height].map(Math.round).join(" ");
  return `${one.tagName}.${one.className} ${where} ${style.display} ${style.color} ${style.fontSize}`;
})"""


def tour(names: tuple[str, ...]) -> list[str]:
    """A way through the views on which each follows each other one."""
    left = set(itertools.permutations(names, 2))
    way = [names[0]]
    while left:
        ahead = [pair for pair in left if pair[0] == way[-1]] or [(way[-1], min(left)[0])]
        pair = min(ahead, key=lambda pair: (-sum(item[0] == pair[1] for item in left), pair))
        left.discard(pair)
        way.append(pair[1])
    return way


async def show(page: Page, view: str) -> None:
    await page.evaluate("view => { location.hash = `#/${view}`; }", view)
    await expect(page.locator(f"#view[data-view={view}]")).to_be_attached()
    await settled(page, view)
    await page.evaluate("window.scrollTo(0, 0)")


async def shape_of(page: Page) -> list[str]:
    return await page.evaluate(SHAPE)


async def test_a_view_looks_the_same_whatever_was_open_before(browse, studio, width):
    await pictures(studio)
    alone = {}
    for view in VIEWS:
        page = await browse(f"#/{view}")
        await settled(page, view)
        alone[view] = await shape_of(page)
        await page.context.close()
    page = await browse(f"#/{VIEWS[0]}")
    await settled(page, VIEWS[0])
    found = []
    way = tour(VIEWS)
    for before, view in itertools.pairwise(way):
        await show(page, view)
        now = await shape_of(page)
        if changed := [*(set(now) - set(alone[view])), *(set(alone[view]) - set(now))]:
            found.append(f"{view} after {before}: {len(now)} {len(alone[view])} {sorted(changed)[:6]}")
    assert found == []


@pytest.mark.parametrize("width", [768])
async def test_a_view_looks_the_same_before_the_stream_has_said_anything(browse, studio, monkeypatch):
    await pictures(studio)
    page = await browse(f"#/{VIEWS[0]}")
    shapes = {}
    for view in VIEWS:
        await show(page, view)
        shapes[view] = {*await shape_of(page)}
    monkeypatch.setattr(studio.hub, "queue_event", lambda _: b": late\n\n")
    for view in VIEWS:
        page = await browse(f"#/{view}")
        await settled(page, view)
        assert {*await shape_of(page)} ^ shapes[view] == set(), view
        await page.context.close()


async def test_a_notice_is_as_high_as_its_words(browse, studio):
    await pictures(studio)
    for view in VIEWS:
        page = await browse(f"#/{view}")
        await settled(page, view)
        if view == "gallery":  # while pictures are picked, their bar takes room below
            await page.locator(".tile-check").first.click(force=True)
            await expect(page.get_by_role("toolbar", name="Picked pictures")).to_be_visible()
        for words in ("Deleted.", "Another one."):
            await page.evaluate(
                "words => import('/static/js/ui/toast.js').then(({ toast }) => { toast(words); })", words
            )
        await expect(page.locator(".toast")).to_have_count(2)
        heights = await page.locator(".toast").evaluate_all("all => all.map((one) => one.offsetHeight)")
        assert max(heights) < 90, (view, heights)
        await page.context.close()


async def test_nine_tabs_all_load_and_hear_of_jobs(browse, studio, watch):
    first = await browse("#/create")
    await expect(button(first, "Generate")).to_be_visible()
    tabs = [first]
    for _ in range(TABS - 1):
        tab = await first.context.new_page()
        watch.follow(tab)
        await tab.goto(studio.url + "#/feed")
        await expect(tab.locator("#view[data-view=feed]")).to_be_attached()
        tabs.append(tab)
    await first.bring_to_front()
    await generate(first, "a fox seen in nine tabs --size 64x64 --steps 2")
    for tab in tabs[1:]:
        await expect(tab.locator(".msg").get_by_text("a fox seen in nine tabs").first).to_be_visible()


async def test_the_last_tab_keeps_the_stream_when_others_are_closed(browse, studio, watch):
    first = await browse("#/create")
    await expect(button(first, "Generate")).to_be_visible()
    last = await first.context.new_page()
    watch.follow(last)
    await last.goto(studio.url + "#/create")
    await expect(button(last, "Generate")).to_be_visible()
    await first.close()
    await generate(last, "a fox in the last tab --size 64x64 --steps 2")
    await finished(last)


@pytest.mark.parametrize("way", ["key", "heart"])
async def test_a_favourite_of_the_large_view_is_one_everywhere(browse, studio, way):
    page = await browse("#/create")
    await generate(page, "a fox --size 64x64 --steps 2")
    await finished(page)
    await button(page, "Open large").click()
    large = page.get_by_role("dialog", name="Picture")
    heart = large.get_by_role("button", name="Favourite (F)")
    await expect(heart).to_have_attribute("aria-pressed", "false")
    if way == "key":
        await page.keyboard.press("f")
    else:
        await heart.click()
    await expect(heart).to_have_attribute("aria-pressed", "true")
    await studio.counts("api/gallery?favorites=1", 1)
    await page.keyboard.press("Escape")
    bar = page.get_by_role("toolbar", name="Actions")
    await expect(bar.get_by_role("button", name="Remove favourite")).to_have_attribute("aria-pressed", "true")
    await page.get_by_role("link", name="Feed", exact=True).click()
    message = page.locator(".msg", has_text="a fox").first
    await expect(message.get_by_role("button", name="Remove favourite")).to_be_visible()
    await page.get_by_role("link", name=re.compile("^Create")).click()
    await page.locator(".strip-done button").first.click()
    await bar.get_by_role("button", name="Remove favourite").click()
    await expect(bar.get_by_role("button", name="Favourite", exact=True)).to_have_attribute("aria-pressed", "false")
    await studio.counts("api/gallery?favorites=1", 0)


@pytest.mark.parametrize("address", ["auth/login", "auth/callback", "open?t=old"])
async def test_pages_about_signing_in_stand_together_and_keep_the_rules(browse, studio, watch, address, width):
    watch.allow(r"\b(400|404|410)\b")
    page = await browse(address)
    heading, link = page.get_by_role("heading"), page.get_by_role("link")
    above, below = await heading.bounding_box(), await link.bounding_box()
    assert below["y"] - above["y"] < 260, "a heading, a sentence and a link belong together"
    assert await outside(page) == []
    assert await violations(page) == []
    await keep_screenshot(page, f"sign-in-{address.partition('?')[0].replace('/', '-')}-{width}")
