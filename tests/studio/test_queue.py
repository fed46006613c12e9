"""Jobs as they are seen: preview and place, cancel, move up, retry; a reload and a lost server in between."""

import re

from playwright.async_api import expect

from generation.errors import RequestRejected
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate

pytestmark = studio_tests(__name__)

TINY = " --size 64x64 --steps 2"


async def test_a_running_job_shows_its_preview_and_waiting_ones_their_place(create, studio):
    with studio.held() as released:
        first = await generate(create, "a fox" + TINY)
        preview = create.locator(".frame.waiting .frame-picture")
        await expect(preview).to_be_visible()
        assert f"/api/jobs/{first['id']}/preview" in (await preview.get_attribute("src") or "")
        await expect(create.get_by_role("progressbar").first).to_have_attribute("aria-valuenow", "25")
        await expect(create.locator(".stage-line")).to_contain_text("Step 5 of 20")
        for prompt in ("a heron", "a lynx"):
            await generate(create, prompt + TINY)
        await expect(create.locator(".strip-active")).to_have_count(3)
        await expect(create.locator(".stage-line")).to_contain_text("2nd in line")
        await expect(create.locator("#nav").get_by_role("link", name="Create")).to_contain_text("3")
        await button(create.locator(".stage"), "Move up").click()
        await expect(create.locator(".stage-line")).to_contain_text("Next in line")
        await expect(button(create.locator(".stage"), "Move up")).to_have_count(0)
        await button(create.locator(".stage"), "Cancel").click()
        await expect(create.locator(".stage")).to_contain_text("Cancelled")
        released.set()
        await expect(create.locator(".strip-active")).to_have_count(0)
    await button(create, "Try again").click()
    await finished(create)
    states = sorted(job["status"] for job in (await studio.get("api/jobs?limit=4"))["jobs"])
    assert states == ["cancelled", "done", "done", "done"]


async def test_a_running_job_is_cancelled(create, studio):
    with studio.held():
        await generate(create, "a fox" + TINY)
        await expect(create.locator(".frame.waiting .frame-picture")).to_be_visible()
        await button(create.locator(".stage"), "Cancel").click()
        await expect(create.locator(".stage")).to_contain_text("Cancelled")
    assert (await studio.newest())["status"] == "cancelled"


async def test_a_failed_job_says_what_to_do_and_is_tried_again(create, studio):
    with studio.failing(RequestRejected("The engine cannot draw foxes today. Try a heron.")):
        await generate(create, "a fox" + TINY)
        await expect(create.locator(".stage")).to_contain_text("It did not work")
        await expect(create.locator(".stage")).to_contain_text("Try a heron")
    await button(create, "Try again").click()
    await finished(create)


async def test_a_reload_in_mid_job_finds_it_again(create, studio):
    with studio.held() as released:
        await generate(create, "a fox" + TINY)
        await expect(create.locator(".frame.waiting .frame-picture")).to_be_visible()
        await create.reload()
        await expect(create.locator(".frame.waiting .frame-picture")).to_be_visible()
        await expect(create.locator(".stage-line")).to_contain_text("Step 5 of 20")
        released.set()
        await finished(create)


async def test_a_lost_server_is_told_and_its_results_arrive_when_it_is_back(create, studio, watch):
    with studio.held() as released, watch.unreachable():
        job = await generate(create, "a fox" + TINY)
        await expect(create.locator(".frame.waiting .frame-picture")).to_be_visible()
        await studio.cut()
        await expect(create.get_by_text("Reconnecting", exact=True)).to_be_visible()
        released.set()
        await studio.open()
        await finished(create)
        await expect(create.get_by_text("Reconnecting", exact=True)).to_be_hidden()
    assert (await studio.get(f"api/jobs/{job['id']}"))["status"] == "done"


async def test_results_are_rerolled_varied_upscaled_and_kept(create, studio):
    job = await generate(create, "a fox --seed 5" + TINY)
    await finished(create)
    for name, mode in (("Re-roll", "txt2img"), ("Vary", "img2img"), ("Upscale 2x", "upscale")):
        await create.locator(f".strip-done[data-id='{job['id']}'] button").click()
        async with create.expect_response(re.compile("/again$")) as reported:
            await button(create, name).click()
        made = (await (await reported.value).json())["jobs"][0]
        assert (made["mode"], made["parent_id"]) == (mode, job["id"])
        await expect(create.locator(f".strip-done[data-id='{made['id']}']")).to_be_visible()
    await create.locator(f".strip-done[data-id='{job['id']}'] button").click()
    heart = create.get_by_role("toolbar", name="Actions").get_by_role("button", name="Favourite")
    await heart.click()
    await expect(create.get_by_role("button", name="Remove favourite")).to_have_attribute("aria-pressed", "true")
    await studio.counts("api/gallery?favorites=1", 1)  # it is shown at once, and stored a moment later
    assert (await studio.get(f"api/jobs/{job['id']}"))["images"][0]["is_favorite"]
    await button(create, "More actions").click()
    await create.get_by_role("menuitem", name="Copy command").click()
    await expect(create.locator(".toast").last).to_contain_text("Command copied")
    assert "a fox" in await create.evaluate("navigator.clipboard.readText()")
