"""One browser and one Easel for all tests of the studio; a fresh profile for each page."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Literal
from zlib import crc32

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.studio import chromium
from tests.studio.pages import SHIFTS, Watch, unfold
from tests.studio.server import Studio, studio_at

WAIT_MS = 15_000  # a busy machine is no fault; nothing waits longer than it must
DESK, TABLET, PHONE = WIDTHS = (1440, 768, 360)
HEIGHTS: Final = {DESK: 900, TABLET: 1024, PHONE: 740}
EVERY_WIDTH: Final = os.environ.get("STUDIO_WIDTHS") == "all"

Browse = Callable[..., Awaitable[Page]]
expect.set_options(timeout=WAIT_MS)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take every test at one of the three widths, in turn; with STUDIO_WIDTHS=all at each of them."""
    marked = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "width" in metafunc.fixturenames and "width" not in marked:
        turn = crc32(metafunc.definition.name.encode()) % len(WIDTHS)
        metafunc.parametrize("width", WIDTHS if EVERY_WIDTH else WIDTHS[turn : turn + 1])


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    await asyncio.to_thread(chromium.need_both)
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
async def browse(browser: Browser, studio: Studio, watch: Watch, width: int) -> AsyncIterator[Browse]:
    """Open a page in a profile of its own, at the test's width: `await browse("#/create", theme="light")`."""
    contexts: list[BrowserContext] = []

    async def go(where: str = "#/create", *, theme: Literal["dark", "light"] = "dark", url: str = "") -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            is_mobile=width == PHONE,
            has_touch=width == PHONE,
            color_scheme=theme,
            reduced_motion="reduce",
        )
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
    """The Create view, ready, with its settings in sight."""
    page = await browse("#/create")
    await unfold(page)
    return page
