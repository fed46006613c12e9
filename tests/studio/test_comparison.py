"""`/compare` in the feed: one prompt on several engines side by side, at an address that finds it again."""

import re
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities
from generation.request import Mode
from tests.fakes import FakeBackend
from tests.studio.marks import studio_tests
from tests.studio.pages import button, keep_screenshot, outside, violations

pytestmark = studio_tests(__name__)

OPEN = re.compile("^Open")
HERE = re.compile("#/comparison/[0-9a-f]+$")
MUTE = Capabilities(modes=frozenset({Mode.UPSCALE}))


@pytest_asyncio.fixture(loop_scope="package")
async def engines(studio) -> AsyncIterator[None]:
    """Two engines beside the sketch: one that draws, one that cannot."""
    backends = FakeBackend("forge"), FakeBackend("mute", capabilities=MUTE)
    for backend in backends:
        studio.easel.registry.add(Entry(config=BackendConfig(name=backend.name, kind="fake"), backend=backend))
        await studio.easel.registry.refresh(backend.name)
    yield
    for backend in backends:
        await studio.easel.registry.remove(backend.name)


async def compare(page: Page, line: str) -> None:
    box = page.get_by_label("Prompt or command")
    await box.fill(line)
    await box.press("Escape")  # suggestions
    await box.press("Enter")


def column(page: Page, engine: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=engine, exact=True))


async def test_a_comparison_stands_side_by_side_and_survives_a_reload(browse, studio, engines, width):
    page = await browse("#/feed")
    with studio.held() as released:
        await compare(page, "/compare a red fox --engines sketch,forge,mute --size 64x64 --steps 2 --seed 7")
        await expect(page).to_have_url(HERE)
        await expect(page.get_by_role("heading", level=1)).to_have_text("a red fox")
        await expect(page.get_by_text("The same seed everywhere: 7")).to_be_visible()
        sketch, forge, mute = (column(page, name) for name in ("sketch", "forge", "mute"))
        await expect(forge.get_by_role("button", name=OPEN)).to_be_visible()
        await expect(mute.locator(".notice-bad")).to_be_visible()
        await expect(sketch.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
        await page.reload()
        await expect(sketch.get_by_role("progressbar")).to_be_visible()
        await expect(mute.locator(".notice-bad")).to_be_visible()
        released.set()
        await expect(sketch.get_by_role("button", name=OPEN)).to_be_visible()
    await page.reload()
    await expect(sketch.get_by_role("button", name=OPEN)).to_be_visible()
    await expect(button(page, "Cancel all")).to_be_hidden()
    await keep_screenshot(page, f"comparison-{width}")
    assert await outside(page) == []
    assert await violations(page) == []
    await forge.get_by_role("button", name=OPEN).click()
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_what_still_waits_of_a_comparison_is_cancelled_together(browse, studio, engines):
    page = await browse("#/feed")
    with studio.held():
        await compare(page, "/compare a fox --engines sketch,forge --size 64x64 --steps 2")
        await expect(column(page, "forge").get_by_role("button", name=OPEN)).to_be_visible()
        await button(page, "Cancel all").click()
        await expect(column(page, "sketch")).to_contain_text("Cancelled")
        await expect(button(page, "Cancel all")).to_be_hidden()
    await page.go_back()
    await expect(page.get_by_label("Prompt or command")).to_be_visible()


async def test_too_few_engines_are_told_and_the_line_comes_back(browse, studio, watch):
    watch.allow(r"400.*/api/comparisons")
    page = await browse("#/feed")
    await compare(page, "/compare a fox")
    await expect(page.locator(".msg-easel").last).to_contain_text("takes two engines")
    await expect(page.get_by_label("Prompt or command")).to_have_value("/compare a fox")


async def test_an_address_that_leads_nowhere_says_so(browse, watch):
    watch.allow(r"404.*/api/comparisons/never|console error")
    page = await browse("#/comparison/never")
    await expect(page.get_by_text("Comparison not found")).to_be_visible()
