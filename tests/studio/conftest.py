"""One browser and one Easel for all tests of the studio; a fresh profile for each page."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.studio import chromium
from tests.studio.pages import SHIFTS, Watch
from tests.studio.server import Studio, studio_at

WAIT_MS = 15_000  # a busy machine is no fault; nothing waits longer than it must
HEIGHT = 900

Browse = Callable[..., Awaitable[Page]]
expect.set_options(timeout=WAIT_MS)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await chromium.launch(playwright)
        yield started
        await started.close()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def house(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Studio]:
    """The Easel that the tests share; asked for through `studio`."""
    async with studio_at(tmp_path_factory.mktemp("studio")) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="package")
async def studio(house: Studio) -> AsyncIterator[Studio]:
    """The shared Easel, empty again after the test."""
    yield house
    await house.clear()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest_asyncio.fixture(loop_scope="package")
async def browse(browser: Browser, studio: Studio, watch: Watch) -> AsyncIterator[Browse]:
    """Open a page in a profile of its own: `await browse("#/create", width=360, theme="light")`."""
    contexts: list[BrowserContext] = []

    async def go(
        where: str = "#/create", *, width: int = 1440, theme: str = "dark", url: str = "", **more: Any
    ) -> Page:
        options = {"viewport": {"width": width, "height": HEIGHT}, "color_scheme": theme, "reduced_motion": "reduce"}
        context = await browser.new_context(**options | more)
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = await context.new_page()
        await page.add_init_script(SHIFTS)
        watch.follow(page)
        await page.goto((url or studio.url) + where)
        return page

    yield go
    for context in contexts:
        await context.close()
    assert watch.problems == []


@pytest_asyncio.fixture(loop_scope="package")
async def create(browse: Browse) -> Page:
    """The Create view, ready."""
    page = await browse("#/create")
    await expect(page.get_by_role("button", name="Generate", exact=True)).to_be_visible()
    return page
