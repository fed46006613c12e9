"""Every view at three widths: nothing outside, nothing that moves; what a screen reader and a keyboard need."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.studio.marks import studio_tests
from tests.studio.pages import (
    MAX_SHIFT,
    VIEWS,
    button,
    finished,
    generate,
    holds,
    keep_screenshot,
    outside,
    shift_of,
    violations,
    write,
)

pytestmark = studio_tests(__name__)

AT_A_DESK = pytest.mark.parametrize("width", [1440])
FIRST_VIEW_BYTES = 150_000
OWN = re.compile(r"/(static/(?!styles/|vendor/).*)?(\?.*)?$")
LOADED = """() => [...document.querySelectorAll("img:not([loading=lazy]), .tile-open img, .shot-open img")]
  .every((one) => one.complete)"""
STRIP = """() => import("/static/js/shell/events.js").then(({ events }) => events.isLoaded
  && document.querySelectorAll(".strip li").length >= [...events.jobs.values()].filter((job) => job.is_mine).length)"""
MARKS = {  # what is there when a view is: its own part that comes last
    "create": ".go", "feed": ".shot-open", "gallery": ".tile-open", "engines": ".engine-name",
    "dashboard": ".chart canvas", "settings": ".about-links",
}  # fmt: skip


async def settled(page: Page, view: str) -> None:
    """Wait until a view stands as it will be read: lists filled, pictures there."""
    await expect(page.locator(MARKS[view]).first).to_be_visible()
    await expect(page.locator(".skeleton, [aria-busy=true]")).to_have_count(0)
    if view == "create":  # its form is filled once the engines are known; the strip comes last, below
        await expect(page.locator("#view [data-known=true] .aspect").first).to_be_attached()
        await holds(page, STRIP)
    await holds(page, LOADED)


async def pictures(studio) -> None:
    """Something to look at, of several shapes."""
    for prompt, width, height in (("a red fox", 96, 64), ("a heron in reeds", 64, 96), ("a lynx", 64, 64)):
        await studio.draw(prompt=prompt, width=width, height=height, seed=1)


async def test_every_view_fits_and_holds_still(browse, studio, width):
    await pictures(studio)
    page = await browse("#/create")
    found = []
    for view in VIEWS:
        await page.evaluate("view => { location.hash = `#/${view}`; }", view)
        await settled(page, view)
        found += [f"{view}: {what}" for what in await outside(page)]
        await keep_screenshot(page, f"{view}-{width}")
        if (shift := await shift_of(page)) >= MAX_SHIFT:
            found.append(f"{view} moved by {shift:.3f}")
        await page.evaluate("window.shifts = []")
    assert found == []


@AT_A_DESK
async def test_every_view_opened_by_its_address_keeps_the_rules_of_wcag_in_both_themes(browse, studio):
    await pictures(studio)
    page = await browse("#/create")
    found = []
    for view in VIEWS:
        await page.goto("about:blank")
        await page.goto(f"{studio.url}#/{view}")
        await settled(page, view)
        if (shift := await shift_of(page)) >= MAX_SHIFT:
            found.append(f"{view} moved by {shift:.3f}: {await page.evaluate('window.shifts')}")
        found += [f"{view}, dark: {what}" for what in await violations(page)]
        ground = await page.locator("body").evaluate("node => getComputedStyle(node).backgroundColor")
        await page.evaluate("document.documentElement.dataset.theme = 'light'")  # as choosing it does
        await expect(page.locator("body")).not_to_have_css("background-color", ground)
        found += [f"{view}, light: {what}" for what in await violations(page, only="color-contrast")]
        if view == "create":
            await keep_screenshot(page, "create-1440-light")
    assert found == []


async def test_dialogs_menus_editors_and_the_lightbox_keep_them_too(browse, studio, width):
    await pictures(studio)
    page = await browse("#/gallery")
    await page.locator(".tile-open").first.click()
    await page.keyboard.press("i")
    await expect(page.get_by_text("About this picture")).to_be_visible()
    found = await violations(page)
    await keep_screenshot(page, f"lightbox-{width}")
    await page.keyboard.press("i")
    await button(page.get_by_role("dialog", name="Picture"), "More actions").click()
    found += await violations(page)
    await page.get_by_role("menuitem", name="Inpaint").click()
    await expect(page.get_by_role("application", name=re.compile("^Mask editor"))).to_be_visible()
    found += await violations(page)
    await keep_screenshot(page, f"mask-{width}")
    await page.goto(studio.url + "#/engines")
    await button(page, "Connect an engine").click()
    found += await violations(page)
    assert found == []


async def test_a_job_comes_without_moving_the_page(browse, studio):
    page = await browse("#/create")
    await settled(page, "create")
    await write(page, "a red fox --size 96x64 --steps 2")
    await expect(page.locator("#prompt-chips")).to_contain_text("96")
    assert await shift_of(page) < MAX_SHIFT, await page.evaluate("window.shifts")
    await page.evaluate("window.shifts = []")  # what comes with the words is one thing, what comes with a job another
    with studio.held() as released:
        await generate(page)
        await expect(page.locator(".frame.waiting .frame-picture")).to_be_visible()
        released.set()
        await finished(page)
    assert await shift_of(page) < MAX_SHIFT, await page.evaluate("window.shifts")
    assert await outside(page) == []


@AT_A_DESK
async def test_the_first_view_is_small(browse, studio):
    page = await browse("#/create")
    await settled(page, "create")
    script = """() => ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind))
      .map(({ name, decodedBodySize }) => [name.split("#")[0], decodedBodySize])"""
    own = {url: size for url, size in await page.evaluate(script) if OWN.search(url)}
    assert len(own) > 10
    assert min(own.values()) > 0
    assert sum(own.values()) < FIRST_VIEW_BYTES


@AT_A_DESK
async def test_by_keyboard_alone_from_the_address_to_a_picture(browse, studio):
    page = await browse("#/create")
    await expect(button(page, "Generate")).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#view")).to_be_focused()
    await expect(page).to_have_url(re.compile("#/create$"))  # and not mounted again while one types
    focused = "() => document.activeElement.id || document.activeElement.getAttribute('aria-label') || ''"
    for _ in range(20):
        if await page.evaluate(focused) == "prompt":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.type("a red fox --size 64x64 --steps 2")
    await page.keyboard.press("Escape")
    for _ in range(20):
        if await page.evaluate("() => document.activeElement.classList.contains('go')"):
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await finished(page)
    for _ in range(60):
        if await page.evaluate(focused) == "Open large":
            break
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Picture")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Picture")).to_have_count(0)
    assert (await studio.newest())["prompt"] == "a red fox"
