"""The gallery: searched, filtered, kept in collections, picked and packed; the lightbox by keyboard."""

import asyncio
import re
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import Page, expect

from tests.studio.marks import studio_tests
from tests.studio.pages import button, close_notices, drop
from utils.picture_texts import read_parameters

pytestmark = studio_tests(__name__)

PROMPTS = ("a red fox", "a heron in reeds", "a lynx at night")  # the newest comes first on the wall


@pytest_asyncio.fixture(loop_scope="package")
async def jobs(studio):
    """Three pictures, seeds 1 to 3, the last one inpainted from the first."""
    made = [await studio.draw(prompt=prompt, seed=seed) for seed, prompt in enumerate(PROMPTS[:2], start=1)]
    source = made[0]["images"][0]["id"]
    return [*made, await studio.draw(prompt=PROMPTS[2], seed=3, init_image=source)]


@pytest_asyncio.fixture(loop_scope="package")
async def gallery(jobs, browse) -> Page:
    page = await browse("#/gallery")
    await expect(page.locator(".tile-open")).to_have_count(3)
    return page


def tile(page: Page, prompt: str):
    return page.locator(".tile", has=page.get_by_role("button", name=re.compile(f"^Open: .*{prompt}")))


async def test_an_empty_gallery_says_what_to_do(browse):
    page = await browse("#/gallery")
    await expect(page.get_by_text("Your pictures will hang here")).to_be_visible()
    await button(page, "Make a picture").click()
    await expect(page).to_have_url(re.compile("#/create"))


async def test_search_and_filters_narrow_the_wall_and_stand_in_the_address(gallery):
    await gallery.get_by_label("Search prompts").fill("heron")
    await expect(gallery.locator(".tile-open")).to_have_count(1)
    await expect(gallery.locator(".gallery-total")).to_have_text("1 picture")
    await expect(gallery).to_have_url(re.compile("q=heron"))
    await gallery.reload()
    await expect(gallery.locator(".tile-open")).to_have_count(1)
    await gallery.get_by_label("Search prompts").fill("nothing like it")
    await expect(gallery.get_by_text("Nothing fits")).to_be_visible()
    await button(gallery, "Clear the filters").click()
    await expect(gallery.locator(".tile-open")).to_have_count(3)
    await gallery.get_by_role("button", name=re.compile("^Filters")).click()
    await gallery.get_by_label("Mode", exact=True).select_option("img2img")
    await expect(gallery.locator(".tile-open")).to_have_count(1)
    await expect(tile(gallery, "a lynx")).to_be_visible()
    await gallery.get_by_label("Mode", exact=True).select_option("")
    await expect(gallery.get_by_label("Engine").get_by_role("option")).to_have_count(2)
    await gallery.get_by_label("Engine").select_option("sketch")
    await expect(gallery.locator(".tile-open")).to_have_count(3)
    await gallery.get_by_label("From").fill("2031-01-01")
    await expect(gallery.get_by_text("Nothing fits")).to_be_visible()
    await button(gallery, "Clear").click()
    await gallery.get_by_label("Order").select_option("old")
    await expect(gallery.locator(".tile-open").first).to_have_attribute("aria-label", re.compile("a red fox"))


async def test_favourites_are_marked_on_the_wall_and_listed(gallery, studio):
    await tile(gallery, "a heron").hover()
    await tile(gallery, "a heron").get_by_role("button", name=re.compile("^Favourite")).click()
    await expect(tile(gallery, "a heron").get_by_role("button", name=re.compile("^Favourite"))).to_have_attribute(
        "aria-pressed", "true"
    )
    await gallery.get_by_role("button", name="Favourites", exact=True).click()
    await expect(gallery.locator(".tile-open")).to_have_count(1)
    await studio.counts("api/gallery?favorites=1", 1)
    await gallery.locator(".tile-open").focus()
    await gallery.keyboard.press("f")
    await expect(gallery.get_by_text("No favourites yet")).to_be_visible()


async def test_pictures_are_put_into_a_collection_and_taken_out(gallery, studio):
    await tile(gallery, "a heron").get_by_role("checkbox").check(force=True)
    await tile(gallery, "a red fox").get_by_role("checkbox").check(force=True)
    bar = gallery.get_by_role("toolbar", name="Picked pictures")
    await expect(bar).to_contain_text("2 picked")
    await button(bar, "Add to collection").click()
    await gallery.get_by_label("Name").fill("Animals")
    await button(gallery, "Save").click()
    await expect(gallery.locator(".toast")).to_contain_text("2 pictures added to “Animals”")
    await gallery.keyboard.press("Escape")
    await gallery.get_by_role("button", name=re.compile("^Animals")).click()
    await expect(gallery.locator(".tile-open")).to_have_count(2)
    await tile(gallery, "a red fox").get_by_role("checkbox").check(force=True)
    await button(bar, "Take out").click()
    await expect(gallery.locator(".tile-open")).to_have_count(1)
    (kept,) = (await studio.get("api/collections"))["collections"]
    assert (kept["name"], kept["count"]) == ("Animals", 1)
    await close_notices(gallery)
    await button(gallery, "Edit collection").click()
    await gallery.get_by_role("menuitem", name=re.compile("^Delete collection")).click()
    await button(gallery, "Delete").click()
    await expect(gallery.locator(".tile-open")).to_have_count(3)


async def test_picked_pictures_come_as_one_zip_with_their_parameters(gallery):
    await gallery.locator(".tile-open").first.focus()
    await gallery.keyboard.press("x")
    await gallery.keyboard.press("Shift+ArrowRight")
    await expect(gallery.get_by_role("toolbar", name="Picked pictures")).to_contain_text("2 picked")
    await button(gallery, "Download").click()
    async with gallery.expect_download() as reported:
        await gallery.get_by_role("menuitem", name=re.compile("^ZIP of PNG")).click()
    download = await reported.value
    assert download.suggested_filename == "easel-2-pictures.zip"
    with open(await download.path(), "rb") as file, ZipFile(file) as archive:
        names = archive.namelist()
        pictures = {name: Image.open(BytesIO(archive.read(name))) for name in names if name.endswith(".png")}
    assert len(pictures) == 2
    told_by = sorted(picture.info["parameters"].split("\n")[0] for picture in pictures.values())
    assert told_by == ["a heron in reeds", "a lynx at night"]
    await gallery.keyboard.press("Escape")
    await expect(gallery.get_by_role("toolbar", name="Picked pictures")).to_be_hidden()


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
async def test_a_picture_is_downloaded_with_its_parameters(gallery, kind):
    await tile(gallery, "a heron").locator(".tile-open").click()
    await button(gallery.get_by_role("dialog", name="Picture"), "Download as…").click()
    async with gallery.expect_download() as reported:
        await gallery.get_by_role("menuitem", name=re.compile(f"^{kind}", re.IGNORECASE)).click()
    download = await reported.value
    assert re.fullmatch(rf"[\w-]*a-heron-in-reeds[\w-]*\.{kind.lower()}", download.suggested_filename)
    data = await asyncio.to_thread(Path(await download.path()).read_bytes)
    assert Image.open(BytesIO(data)).format == kind
    assert (read_parameters(data) or "").startswith("a heron in reeds\n")


async def test_pictures_are_deleted_after_asking(gallery, studio):
    await tile(gallery, "a red fox").get_by_role("checkbox").check(force=True)
    await button(gallery, "Select all shown").click()
    await button(gallery.get_by_role("toolbar", name="Picked pictures"), "Delete").click()
    await gallery.get_by_role("dialog").get_by_role("button", name="Delete 3 pictures").click()
    await expect(gallery.get_by_text("Your pictures will hang here")).to_be_visible()
    await studio.counts("api/gallery", 0)


async def test_the_lightbox_is_led_by_the_keyboard(gallery, studio):
    await gallery.locator(".tile-open").first.focus()
    await gallery.keyboard.press("Enter")
    box = gallery.get_by_role("dialog", name="Picture")
    await expect(box.locator(".lb-count")).to_have_text("1 of 3")
    await expect(box.locator(".lb-photo")).to_have_attribute("alt", re.compile("a lynx"))
    await gallery.keyboard.press("ArrowRight")
    await expect(box.locator(".lb-count")).to_have_text("2 of 3")
    await gallery.keyboard.press("End")
    await expect(box.locator(".lb-count")).to_have_text("3 of 3")
    await gallery.keyboard.press("i")
    await expect(box.get_by_text("About this picture")).to_be_visible()
    await expect(box.locator(".facts")).to_contain_text("64 × 64")
    await button(box, "Copy parameters").click()
    assert "Seed: 1" in await gallery.evaluate("navigator.clipboard.readText()")
    await gallery.keyboard.press("+")
    await expect(box.locator(".lb-scale")).to_have_text("140 %")
    await gallery.keyboard.press("0")
    await expect(box.locator(".lb-scale")).to_have_text("Fit")
    await gallery.keyboard.press("f")
    await expect(box.get_by_role("button", name="Favourite (F)")).to_have_attribute("aria-pressed", "true")
    await gallery.keyboard.press("Home")
    await expect(box.locator(".lb-count")).to_have_text("1 of 3")
    await gallery.keyboard.press("c")
    await expect(box.get_by_role("slider", name="Share of the picture before")).to_be_visible()
    await gallery.keyboard.press("c")
    async with gallery.expect_download() as reported:
        await gallery.keyboard.press("d")
        await gallery.get_by_role("menuitem", name=re.compile("^JPEG")).click()
    assert (await reported.value).suggested_filename.endswith(".jpg")
    await gallery.keyboard.press("Delete")
    await gallery.get_by_role("dialog", name="Delete this picture?").get_by_role("button", name="Delete").click()
    await expect(box.locator(".lb-count")).to_have_text("1 of 2")
    await gallery.keyboard.press("Escape")
    await expect(box).to_have_count(0)
    await expect(gallery.locator(".tile-open")).to_have_count(2)
    await studio.counts("api/gallery?favorites=1", 1)


async def test_a_dropped_picture_opens_in_create_with_what_made_it(gallery, jobs, studio):
    await drop(gallery, ".gallery", await studio.file(jobs[1]["images"][0]["url"]))
    await expect(gallery).to_have_url(re.compile("#/create"))
    await expect(gallery.locator("#prompt")).to_have_value(re.compile("a heron in reeds"))
    await expect(gallery.get_by_label("Seed", exact=True)).to_have_value("2")


async def test_remix_opens_create_with_the_same_settings(gallery, jobs, watch):
    job = jobs[1]
    job["request"]["workflow"] = "portrait"  # as its job tells; a row of the gallery does not
    await gallery.route(f"**/api/jobs/{job['id']}", lambda route: route.fulfill(json=job))
    watch.allow(r"40[04].*/api/(estimate|workflows/portrait)")  # nobody has that workflow here
    await tile(gallery, "a heron").locator(".tile-open").click()
    await button(gallery.get_by_role("dialog", name="Picture"), "Remix").click()
    await expect(gallery).to_have_url(re.compile("#/create"))
    await expect(gallery.locator("#prompt")).to_have_value(re.compile("a heron in reeds"))
    await expect(gallery.get_by_text("Workflow: portrait")).to_be_visible()
    await expect(gallery.get_by_role("dialog")).to_have_count(0)


async def test_an_expired_picture_keeps_its_place_and_is_run_again(studio, jobs, browse):
    lost = jobs[0]["images"][0]["id"]
    gallery_of_studio = studio.easel.services.records.gallery
    await gallery_of_studio._store.lose([lost], studio.easel.clock.now())
    await studio.easel.services.media.forget([lost])
    page = await browse("#/gallery")
    gone = page.locator(".tile.is-gone")
    await expect(gone).to_contain_text("Expired")
    await expect(gone).to_contain_text("a red fox")
    async with page.expect_response(re.compile("/again$")) as reported:
        await gone.get_by_role("button", name=re.compile("^Run it again")).click()
    assert (await reported.value).status == 202
    await button(page, "Show new pictures").click()
    await expect(page.locator(".tile:not(.is-gone) .tile-open")).to_have_count(3)
