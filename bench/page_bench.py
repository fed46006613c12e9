"""Measure how soon the studio can be used: from the address to a Generate button to press, in a real Chromium."""

import statistics
import time

from playwright.async_api import Browser, async_playwright

from app.doors import open_web
from bench.report import Figure
from bench.world import running_easel
from tests.studio import chromium

GROUP = "web"
LOADS = 7
READY_S = 1.0
EMPTY = "/healthz"  # the yardstick: the same browser and server, nothing to show


async def page() -> list[Figure]:
    """Load the first view with an empty browser cache, several times; nothing where there is no Chromium."""
    if chromium.driver_fault() or chromium.chromium_fault():
        return []
    async with running_easel(PORT="0", PROBE_LOCAL_PORTS="false") as easel:
        door, (url, *_) = await open_web(easel)
        try:
            async with async_playwright() as playwright:
                browser = await chromium.launch(playwright)
                empty = [await _load(browser, url.rstrip("/") + EMPTY, "body") for _ in range(LOADS)]
                ready = [await _load(browser, url, "button:has-text('Generate')") for _ in range(LOADS)]
                await browser.close()
        finally:
            await door.close()
    value = statistics.median(ready)
    beside = f"{LOADS} loads, {min(ready):.2f} to {max(ready):.2f} s; an empty page: {statistics.median(empty):.2f} s"
    return [
        Figure(
            group=GROUP,
            name="studio ready to draw, empty cache, median",
            value=value,
            unit="s",
            target=f"< {READY_S:g}",
            is_met=value < READY_S,
            beside=beside,
        )
    ]


async def _load(browser: Browser, url: str, wanted: str) -> float:
    """Seconds from going to an address until an element is there, in a profile of its own."""
    context = await browser.new_context()
    tab = await context.new_page()
    began = time.perf_counter()
    await tab.goto(url, wait_until="commit")
    await tab.locator(wanted).first.wait_for(state="visible")
    taken = time.perf_counter() - began
    await context.close()
    return taken
