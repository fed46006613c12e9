"""The studio on real tiny models of both makers: previews, cancel in a step, a picture."""

# ruff: noqa: F811  # fixtures of others, which tests name

import io

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import expect

from tests.local.product import MAKERS, SIDES, put_model, settings_on
from tests.studio.conftest import browse, browser, watch  # noqa: F401  # fixtures
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)
LOADED_MS = 120_000  # libraries are loaded first


@pytest.fixture
def width():
    return 1440


@pytest_asyncio.fixture(loop_scope="package")
async def studio(maker, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the other processor is for Easel and the browser
    put_model(maker, tmp_path / "models")
    async with studio_at(tmp_path / "data", **settings_on(tmp_path / "models")) as opened:
        yield opened


@pytest.mark.parametrize("maker", MAKERS)
async def test_a_page_shows_previews_cancels_in_a_step_and_draws(browse, maker, studio):
    page = await browse("#/create")
    long = await generate(page, f"a red fox --size {SIDES[maker]}x{SIDES[maker]} --steps 150 --seed 812")
    preview = page.locator(".frame.waiting .frame-picture")
    await expect(preview).to_be_visible(timeout=LOADED_MS)
    first = await preview.get_attribute("src")
    assert f"/api/jobs/{long['id']}/preview" in first
    await expect(preview).not_to_have_attribute("src", first)
    await expect(page.locator(".stage-line")).to_contain_text("of 150")
    await button(page.locator(".stage"), "Cancel").click()
    await expect(page.locator(".stage")).to_contain_text("Cancelled")
    assert (await studio.get(f"api/jobs/{long['id']}"))["status"] == "cancelled"
    job = await generate(page, "a red fox --size 64x64 --steps 4 --seed 812")
    await finished(page)
    drawn = await studio.get(f"api/jobs/{job['id']}")
    assert (drawn["status"], drawn["engine"]) == ("done", "embedded")
    picture = drawn["images"][0]["url"]
    with Image.open(io.BytesIO(await studio.file(picture))) as opened:
        assert opened.size == (64, 64)
    await page.context.close()
