"""A picture to begin from: brought in, painted over, outpainted, upscaled, and compared with what became of it."""

import asyncio
import random
import re
from io import BytesIO

import pytest
import pytest_asyncio
from PIL import Image, ImageChops
from playwright.async_api import Page, expect

from backends.art.backend import ArtBackend
from backends.base import BackendConfig
from backends.registry import Entry
from generation.request import Mode
from tests.backends.art.fake_child import FakeChild
from tests.studio.marks import studio_tests
from tests.studio.pages import button, drop, finished, generate, holds, keep_screenshot, paste, write
from tests.studio.server import picture

pytestmark = studio_tests(__name__)

SIDE = 128


def colourful() -> bytes:
    """A picture in which every pixel can be told from its neighbour."""
    dots = random.Random(3).randbytes(SIDE * SIDE * 3)
    out = BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), dots).save(out, "PNG")
    return out.getvalue()


def opened(data: bytes, mode: str = "RGB") -> Image.Image:
    return Image.open(BytesIO(data)).convert(mode)


async def bring(page: Page, data: bytes) -> None:
    await expect(button(page, "Generate")).to_be_visible()
    await drop(page, ".create", data)
    await expect(page.locator(".input-card")).to_be_visible()


async def stroke(page: Page, *points: tuple[float, float]) -> None:
    """Draw with the mouse; points are shares of the picture as it lies on the stage."""
    box = await page.locator(".sheet img").bounding_box()
    assert box
    places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
    await page.mouse.move(*places[0])
    await page.mouse.down()
    for place in places[1:]:
        await page.mouse.move(*place, steps=3)
    await page.mouse.up()


async def painted(page: Page) -> float:
    """The share of the picture that is painted over now."""
    script = """node => {
      const copy = Object.assign(document.createElement("canvas"), { width: node.width, height: node.height });
      const pen = copy.getContext("2d", { willReadFrequently: true });
      pen.drawImage(node, 0, 0);
      const { data } = pen.getImageData(0, 0, node.width, node.height);
      let sum = 0;
      for (let at = 3; at < data.length; at += 4) sum += data[at] > 40;
      return sum / (node.width * node.height);
    }"""
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return await page.locator(".mask-shown").evaluate(script)


async def begin_mask(page: Page) -> None:
    await bring(page, colourful())
    await button(page, "Inpaint").click()
    await expect(page.get_by_role("application", name=re.compile("^Mask editor"))).to_be_visible()
    await expect(page.locator(".sheet")).to_have_attribute("style", re.compile("scale"))  # fitted to the stage


@pytest.mark.parametrize("way", ["choose", "drop", "paste"])
async def test_an_input_picture_is_chosen_dropped_or_pasted(create, studio, way):
    data = picture(96, 64)
    if way == "choose":
        await create.get_by_label("Input picture").set_input_files(
            {"name": "a.png", "mimeType": "image/png", "buffer": data}
        )
    elif way == "drop":
        await drop(create, ".create", data)
    else:
        await paste(create, data)
    await expect(create.locator(".input-card")).to_contain_text("96 × 64")
    job = await generate(create, "a red fox --steps 2")
    assert (job["mode"], job["request"]["init_image"]["width"]) == ("img2img", 96)
    assert (job["request"]["width"], job["request"]["height"]) == (96, 64)
    await finished(create)
    await button(create, "Remove the picture").click()
    await expect(create.locator(".input-card")).to_be_hidden()


async def test_what_is_no_picture_is_refused_in_words(create, watch):
    await drop(create, ".create", b"hello", "notes.txt", "text/plain")
    await expect(create.locator(".toast")).to_contain_text("not a picture")
    watch.allow(r"(400|415|422).*/api/(uploads|recall)")
    await drop(create, ".create", b"\x89PNG\r\n\x1a\nbroken", "broken.png")
    await expect(create.locator(".toast-bad").last).to_contain_text(re.compile("picture", re.IGNORECASE))
    await expect(create.locator(".input-card")).to_be_hidden()


async def test_the_mask_is_drawn_erased_undone_inverted_and_feathered(create):
    await begin_mask(create)
    await stroke(create, (0.3, 0.5), (0.7, 0.5))
    line = await painted(create)
    assert 0.02 < line < 0.2
    await create.get_by_role("spinbutton", name="Size, exact").fill("30")
    await create.keyboard.press("Tab")
    await stroke(create, (0.2, 0.2), (0.8, 0.2))
    thick = await painted(create)
    assert thick > line * 1.8
    await button(create, "Eraser").click()
    await stroke(create, (0.2, 0.2), (0.8, 0.2))
    assert await painted(create) == pytest.approx(line, abs=0.01)
    await button(create, "Undo (Ctrl+Z)").click()
    assert await painted(create) == pytest.approx(thick, abs=0.001)
    await button(create, "Redo (Ctrl+Shift+Z)").click()
    assert await painted(create) == pytest.approx(line, abs=0.01)
    await button(create, "Invert the mask").click()
    assert await painted(create) == pytest.approx(1 - line, abs=0.03)
    await button(create, "Clear the mask").click()
    assert await painted(create) == 0
    await button(create, "Brush").click()
    await stroke(create, (0.3, 0.5), (0.7, 0.5))
    hard = await painted(create)
    await create.get_by_role("slider", name="Feather").fill("24")
    assert await painted(create) > hard
    await button(create, "Use this mask").click()
    await expect(create.locator(".toast")).to_contain_text("The mask is set")


async def test_inpainting_keeps_every_pixel_outside_of_the_mask(create, studio):
    await begin_mask(create)
    await stroke(create, (0.35, 0.35), (0.65, 0.65))
    await button(create, "Use this mask").click()
    await expect(create.locator(".toast")).to_contain_text("The mask is set")
    job = await generate(create, "a lighthouse --steps 2")
    await finished(create)
    done = await studio.ended(job["id"])
    assert done["mode"] == "inpaint"
    source, result = opened(colourful()), opened(await studio.file(done["images"][0]["url"]))
    mask = opened(await studio.file(done["request"]["mask_image"]["url"]), "L")
    assert result.size == mask.size == source.size
    changed = ImageChops.difference(source, result).convert("L").point(lambda value: 255 if value else 0)
    outside = mask.point(lambda value: 255 if value == 0 else 0)
    assert ImageChops.multiply(changed, outside).getbbox() is None
    assert changed.getbbox() is not None


async def test_a_size_set_before_is_not_the_pictures(create, studio):
    await create.get_by_label("Width in pixels").fill("256")
    await create.keyboard.press("Tab")
    await bring(create, picture(90, 70))
    await expect(create.get_by_label("Width in pixels")).to_have_attribute("placeholder", "90")
    job = await generate(create, "a red fox --steps 2")
    await finished(create)
    image = (await studio.ended(job["id"]))["images"][0]
    assert (image["width"], image["height"]) == (90, 70)


async def test_the_soft_edge_of_a_mask_goes_with_the_request(create):
    await begin_mask(create)
    await stroke(create, (0.35, 0.35), (0.65, 0.65))
    await button(create, "Use this mask").click()
    await expect(create.locator(".toast")).to_contain_text("The mask is set")
    await create.get_by_role("slider", name="Soft edge").fill("12")
    async with create.expect_request("**/api/jobs") as sent:
        await generate(create, "a lighthouse --steps 2")
    assert (await sent.value).post_data_json["mask_blur"] == 12


@pytest.mark.parametrize("file", ["picture", "mask"])
async def test_generate_waits_for_a_file_that_is_still_on_its_way(create, file):
    if file == "mask":
        await begin_mask(create)
        await stroke(create, (0.35, 0.35), (0.65, 0.65))
    arrived, held = asyncio.Event(), asyncio.Event()

    async def hold(route):
        held.set()
        await arrived.wait()
        await route.continue_()

    await create.route("**/api/uploads", hold)
    await write(create, "a lighthouse --steps 2")
    if file == "mask":
        await button(create, "Use this mask").click()
    else:
        await drop(create, ".create", colourful())
    await held.wait()
    go = button(create, "Generate")
    async with create.expect_request("**/api/jobs") as sent:
        await create.keyboard.press("Control+Enter")  # on a phone the editor lies over the button
        await expect(go).to_be_disabled()
        arrived.set()
    body = (await sent.value).post_data_json
    assert body["init_image"]
    assert bool(body.get("mask_image")) == (file == "mask")
    await finished(create)


@pytest.mark.parametrize("width", [360])
async def test_a_finger_paints_on_a_phone(browse, studio):
    page = await browse("#/create")
    await begin_mask(page)
    await page.locator(".editor-area").scroll_into_view_if_needed()
    box = await page.locator(".sheet img").bounding_box()
    assert box
    session = await page.context.new_cdp_session(page)
    middle = box["y"] + box["height"] / 2
    at = [{"x": box["x"] + box["width"] * share, "y": middle} for share in (0.3, 0.4, 0.5, 0.6)]
    await session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at[0]]})
    for point in at[1:]:
        await session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    line = await painted(page)
    assert line > 0.02
    await page.touchscreen.tap(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.2)
    assert await painted(page) > line


async def test_a_picture_is_outpainted_past_its_edges(create, studio):
    await bring(create, colourful())
    await button(create.locator(".input-card"), "Outpaint").click()
    await create.locator(".edge-right").press("ArrowRight")
    await create.locator(".edge-down").press("ArrowDown")
    size = await create.get_by_role("toolbar", name="Tools").get_by_role("status").inner_text()
    width, height = (int(item) for item in size.split(" × "))
    assert width > SIDE
    assert height > SIDE
    await button(create, "Use this frame").click()
    await expect(create.locator(".toast")).to_contain_text("The frame is set")
    job = await generate(create, "a lighthouse --steps 2")
    await finished(create)
    result = opened(await studio.file((await studio.ended(job["id"]))["images"][0]["url"]))
    assert result.size == (width, height)
    corner = (0, 0, SIDE, SIDE)
    assert ImageChops.difference(opened(colourful()).crop(corner), result.crop(corner)).getbbox() is None


async def test_zooming_out_shows_more_around_the_picture(create, studio):
    await bring(create, colourful())
    await button(create.locator(".input-card"), "Outpaint").click()
    await button(create, "Zoom out 1.5×").click()
    await button(create, "Use this frame").click()
    job = await generate(create, "a lighthouse --steps 2")
    await finished(create)
    done = await studio.ended(job["id"])
    mask = opened(await studio.file(done["request"]["mask_image"]["url"]), "L")
    assert (done["mode"], mask.size) == ("inpaint", (SIDE, SIDE))
    assert mask.getpixel((2, 2)) == 255
    assert mask.getpixel((SIDE // 2, SIDE // 2)) == 0


async def test_a_picture_is_upscaled_and_compared(create, studio):
    await bring(create, colourful())
    await button(create.locator(".input-card"), "Upscale").click()
    for factor in ("2×", "4×"):
        await expect(button(create, factor)).to_be_visible()
    await button(create, "3×").click()
    await write(create, "")
    job = await generate(create)
    await finished(create)
    image = (await studio.ended(job["id"]))["images"][0]
    assert (image["width"], image["height"]) == (SIDE * 3, SIDE * 3)
    await button(create, "Compare").click()
    slider = create.get_by_role("slider", name="Share of the picture before")
    await slider.press("ArrowRight")
    await expect(slider).to_have_value("51")
    box = await create.locator("figure.compare").bounding_box()
    assert box
    await create.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.5)
    await expect(slider).to_have_value(re.compile("^2[456]$"))
    await button(create, "Compare").click()
    await expect(slider).to_have_count(0)


async def test_a_picture_made_here_brings_its_settings_back(create, studio):
    job = await studio.draw(prompt="a heron in reeds", negative_prompt="fog", seed=4711, steps=3)
    await drop(create, ".create", await studio.file(job["images"][0]["url"]))
    await button(create, "Recall settings").click()
    await expect(create.locator("#prompt")).to_have_value("a heron in reeds")
    await expect(create.get_by_label("Seed", exact=True)).to_have_value("4711")
    await expect(create.get_by_label("Steps, exact")).to_have_value("3")
    await expect(create.locator("#negative")).to_have_value("fog")


async def test_the_mask_is_led_by_keys(create):
    await begin_mask(create)
    size = create.get_by_role("spinbutton", name="Size, exact")
    before = float(await size.input_value())
    await stroke(create, (0.3, 0.5), (0.7, 0.5))
    async with asyncio.timeout(10):
        while not (line := await painted(create)):  # it is painted with the next frame
            await asyncio.sleep(0.02)
    await create.keyboard.press("]")
    larger = float(await size.input_value())
    assert larger > before
    await create.keyboard.press("[")
    assert float(await size.input_value()) < larger
    await create.keyboard.press("e")
    await stroke(create, (0.3, 0.5), (0.7, 0.5))
    assert await painted(create) < line / 2
    await create.keyboard.press("Control+z")
    assert await painted(create) == pytest.approx(line, abs=0.001)
    await create.keyboard.press("Control+Shift+z")
    assert await painted(create) < line / 2
    await create.keyboard.press("b")
    await stroke(create, (0.3, 0.5), (0.7, 0.5))
    assert await painted(create) > line / 2


@pytest_asyncio.fixture(loop_scope="package")
async def painter(studio, monkeypatch):
    """An engine that restyles is there, as one that fills a gap."""
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)
    child = FakeChild()
    fills = frozenset({Mode.UPSCALE, Mode.RESTYLE})
    registry = studio.easel.registry
    config = BackendConfig(name="art", kind="art")
    registry.add(Entry(config=config, backend=ArtBackend(child=child), is_fallback=True, fills=fills))
    await registry.refresh_all()
    yield child
    await registry.remove("art")


async def test_a_picture_is_painted_in_a_style_that_a_tile_shows(browse, studio, painter):
    create = await browse("#/create")
    await bring(create, colourful())
    card = create.locator(".input-card")
    await button(card, "Restyle").click()
    tiles = card.get_by_role("group", name="Styles to paint in").get_by_role("button")
    await expect(tiles).to_have_count(26)
    tile = button(card, "painting 5")
    await tile.click()
    await expect(tile).to_have_attribute("aria-pressed", "true")
    shown = tile.locator("img")
    await expect(shown).to_have_attribute("src", "/static/styles/painting-5.webp")
    await keep_screenshot(create, "restyle")
    await holds(create, "() => document.querySelector('[data-id=\"painting 5\"] img').naturalWidth === 144")
    await write(create, "")
    await generate(create)
    await finished(create)
    order = painter.orders[-1]
    assert (order["do"], order["style"], order["strength"]) == ("restyle", "painting 5", 1.0)
    async with create.expect_file_chooser() as choosing:
        await button(card, "Like another picture").click()
    await (await choosing.value).set_files({"name": "sea.png", "mimeType": "image/png", "buffer": picture(96, 64)})
    await expect(card.get_by_text("In the style of the picture you chose.")).to_be_visible()
    await expect(tile).to_have_attribute("aria-pressed", "false")
    await generate(create)
    await finished(create)
    assert len(painter.blobs[-1]) == 2


async def test_where_nothing_restyles_it_is_not_offered(create, studio):
    await bring(create, colourful())
    await expect(button(create.locator(".input-card"), "Upscale")).to_be_visible()
    await expect(button(create.locator(".input-card"), "Restyle")).to_be_hidden()
