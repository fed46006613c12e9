"""A video in the studio: played on the stage and in the lightbox, a marked still on the wall."""

from dataclasses import replace

import pytest
import pytest_asyncio
from playwright.async_api import expect

from generation.result import GeneratedImage
from tests.studio.marks import studio_tests
from tests.studio.pages import holds
from tests.utils.videos import WEBM

pytestmark = studio_tests(__name__)


@pytest_asyncio.fixture(loop_scope="package")
async def video(studio):
    backend = studio.easel.registry.get("sketch").backend
    generate = backend.generate

    async def other(request, report):
        result = await generate(request, report)
        return replace(result, images=(GeneratedImage(data=WEBM, seed=request.seed),))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(backend, "generate", other)
        return await studio.draw(prompt="a running cat", seed=5)


async def test_the_wall_shows_a_marked_still_and_the_lightbox_plays(video, browse):
    page = await browse("#/gallery")
    await expect(page.locator(".tile-open.is-video img.is-loaded")).to_have_count(1)
    await page.locator(".tile-open").click()
    player = page.locator("dialog.lightbox video")
    await expect(player).to_be_visible()
    await holds(page, "document.querySelector('dialog.lightbox video').videoWidth === 96")
    await expect(page.get_by_role("button", name="Upscale 2x")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(player).to_have_count(0)


async def test_the_stage_plays_what_was_drawn(video, browse):
    page = await browse("#/create")
    await page.locator(".strip-done button").first.click()
    await expect(page.locator(".stage video.frame-picture")).to_be_visible()
    await expect(page.locator(".stage").get_by_role("button", name="Inpaint")).to_have_count(0)


async def test_the_feed_shows_a_marked_still(video, browse):
    page = await browse("#/feed")
    await expect(page.locator(".shot-open.is-video img")).to_be_visible()
