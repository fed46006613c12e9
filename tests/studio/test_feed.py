"""The feed: prompts and commands typed as in a chat, what others see, and what can be done with a picture in it."""

import re

import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from tests.fakes import FakeBackend
from tests.studio.marks import studio_tests
from tests.studio.pages import button, paste
from tests.studio.server import picture

pytestmark = studio_tests(__name__)

OPEN = re.compile("^Open")
TINY = " --size 64x64 --steps 2"


@pytest_asyncio.fixture(loop_scope="package")
async def feed(browse) -> Page:
    page = await browse("#/feed")
    await expect(page.get_by_text("It is quiet here")).to_be_visible()
    return page


async def say(page: Page, line: str) -> None:
    box = page.get_by_label("Prompt or command")
    await box.fill(line)
    await box.press("Escape")  # suggestions
    await box.press("Enter")
    await expect(box).to_have_value("")


async def act(message: Locator, name: str) -> None:
    """Press what can be done with a picture; what has no room beside it is in the menu."""
    more = button(message, "More actions")
    await expect(more).to_be_visible()
    place = button(message, name)
    if not await place.is_visible():
        await more.click()
        place = message.page.get_by_role("menuitem", name=name)
    await place.click()


def answer(page: Page):
    return page.locator(".msg-easel").last


async def test_a_single_remark_under_a_picture_has_no_dot_before_it(feed, studio):
    await studio.draw()
    remark = feed.locator(".msg-notes li")
    await expect(remark).to_have_count(1)
    assert await remark.evaluate("(one) => getComputedStyle(one, '::before').content") == "none"


async def test_a_typed_command_becomes_a_picture_in_the_stream(feed, studio):
    await say(feed, "/style")
    await answer(feed).get_by_role("button", name="low-poly").click()
    await expect(feed.get_by_label("Prompt or command")).to_have_value("/style low-poly ")
    with studio.held() as released:
        await say(feed, "/style Low poly a red fox" + TINY)
        message = feed.locator(".msg", has_text="a red fox").last
        await expect(message.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
        released.set()
        await expect(message.get_by_role("button", name=OPEN)).to_be_visible()
        assert (await studio.newest())["prompt"].startswith("a red fox, low poly")
    await say(feed, "a heron --private" + TINY)
    private = feed.locator(".msg", has_text="a heron").last
    await expect(private.get_by_role("button", name=OPEN)).to_be_visible()
    await expect(private).to_contain_text("Only you")
    await feed.reload()
    await expect(feed.locator(".msg").get_by_role("button", name=OPEN)).to_have_count(2)


async def test_help_lists_the_commands_and_fills_the_box(feed):
    await say(feed, "/help")
    await expect(answer(feed)).to_contain_text("/generate")
    await expect(answer(feed)).to_contain_text("All options")
    await answer(feed).get_by_role("button", name="a red fox in the snow").click()
    await expect(feed.get_by_label("Prompt or command")).to_have_value("a red fox in the snow")


async def test_an_unknown_command_is_answered_with_the_nearest(feed):
    await say(feed, "/genrate a fox")
    await expect(answer(feed)).to_contain_text("Did you mean /generate?")
    await answer(feed).get_by_role("button", name="/generate a fox").click()
    await expect(feed.get_by_label("Prompt or command")).to_have_value("/generate a fox")
    await say(feed, "/xyzzyx")
    await expect(answer(feed)).to_contain_text("There is no command /xyzzyx")


async def test_commands_and_options_are_suggested(feed):
    box = feed.get_by_label("Prompt or command")
    await box.press_sequentially("/up")
    await expect(feed.get_by_role("option", name="/upscale")).to_be_visible()
    await box.press("Tab")
    await expect(box).to_have_value("/upscale ")
    await box.fill("")
    await box.press_sequentially("a fox --st")
    await expect(feed.get_by_role("option", name=re.compile("--steps")).first).to_be_visible()


async def test_queue_status_models_stats_and_cancel_answer(feed, studio):
    with studio.held():
        job = await studio.ask(prompt="a slow fox")
        await say(feed, "/queue")
        await expect(answer(feed)).to_contain_text(job["short_id"])
        await say(feed, "/cancel all")
        await expect(answer(feed)).to_contain_text("Cancelled")
    await say(feed, "/status")
    await expect(answer(feed)).to_contain_text(re.compile("sketch", re.IGNORECASE))
    await say(feed, "/models")
    await expect(answer(feed)).to_contain_text("/sdconnect")
    await say(feed, "/stats")
    await expect(answer(feed)).to_contain_text("1 cancelled")
    assert (await studio.get(f"api/jobs/{job['id']}"))["status"] == "cancelled"


async def test_models_lists_everything_else_an_engine_has(browse, studio):
    can = Capabilities(
        modes=frozenset(Mode), models=(ModelInfo(name="xl", title="xl"),), vaes=("kl-f8.pt",), embeddings=("hands",),
        control_kinds=("canny",), control_models=("control_canny",),
    )  # fmt: skip
    backend = FakeBackend("forge", capabilities=can)
    studio.easel.registry.add(Entry(config=BackendConfig(name="forge", kind="fake"), backend=backend))
    await studio.easel.registry.refresh("forge")
    try:
        feed = await browse("#/feed")
        await say(feed, "/models")
        await answer(feed).get_by_text("VAEs (1)").click()
        await expect(answer(feed).get_by_text("kl-f8.pt")).to_be_visible()
        await answer(feed).get_by_text("ControlNets (2)").click()
        await expect(answer(feed).get_by_text("canny, control_canny")).to_be_visible()
        await expect(answer(feed)).to_contain_text("Embeddings (1)")
        await expect(answer(feed).get_by_text("Samplers")).to_have_count(0)
    finally:
        await studio.easel.registry.remove("forge")


async def test_a_bad_value_is_told_and_the_line_comes_back(feed, watch):
    watch.allow(r"400.*/api/(jobs|parse)")
    box = feed.get_by_label("Prompt or command")
    await box.fill("a fox --steps many")
    await box.press("Escape")
    await box.press("Enter")
    await expect(feed.locator(".notice-bad, .toast-bad").first).to_contain_text("steps")


async def test_a_pasted_picture_is_drawn_from_and_a_reply_too(feed, studio):
    await paste(feed, picture(96, 64), target=".composer-box")
    await expect(feed.locator(".composer-extras")).to_contain_text("Drawn from this picture")
    await say(feed, "a fox --steps 2")
    await expect(feed.locator(".msg").get_by_role("button", name=OPEN)).to_be_visible()
    assert (await studio.newest())["mode"] == "img2img"
    await button(feed, "Reply with this picture").click()
    await expect(feed.locator(".composer-extras")).to_contain_text("Replying to")
    await say(feed, "a lynx --steps 2")
    await expect(feed.locator(".msg").get_by_role("button", name=OPEN)).to_have_count(2)
    await say(feed, "/pnginfo")
    await expect(answer(feed)).to_contain_text("Steps: 2")
    await button(answer(feed), "Put into the box").click()
    await expect(feed.get_by_label("Prompt or command")).to_have_value(re.compile("^a lynx .*--steps 2"))
    await paste(feed, picture(96, 64), target=".composer-box")
    await expect(feed.locator(".composer-extras")).to_contain_text("Drawn from this picture")
    await say(feed, "/pnginfo")
    await expect(answer(feed)).to_contain_text("does not say how it was made")


async def test_a_picture_in_the_feed_is_rerolled_starred_and_opened(feed, studio):
    await say(feed, "a red fox" + TINY)
    message = feed.locator(".msg", has_text="a red fox").first
    await button(message, "Re-roll").click()
    await expect(feed.locator(".msg").get_by_role("button", name=OPEN)).to_have_count(2)
    await button(message, "Favourite").click()
    await expect(message.get_by_role("button", name="Remove favourite")).to_be_visible()
    await studio.counts("api/gallery?favorites=1", 1)
    await message.get_by_role("button", name=OPEN).click()
    await expect(feed.get_by_role("dialog", name="Picture").locator(".lb-count")).to_have_text("1 of 2")
    await feed.keyboard.press("Escape")
    await button(message, "More actions").click()
    await feed.get_by_role("menuitem", name="Inpaint").click()
    await expect(feed.get_by_role("application", name=re.compile("^Mask editor"))).to_be_visible()


async def test_what_others_draw_comes_in_and_is_taken_further(feed, studio):
    job = await studio.draw_as("7", "Mia", prompt="a heron in reeds", seed=5)
    message = feed.locator(".msg", has_text="a heron in reeds").first
    await expect(message).to_contain_text("Mia")
    for name, mode in (("Vary", "img2img"), ("Upscale 2x", "upscale")):
        async with feed.expect_response(re.compile("/again$")) as reported:
            await act(message, name)
        made = (await (await reported.value).json())["jobs"][0]
        assert (made["mode"], made["parent_id"]) == (mode, job["id"])
        await expect(feed.locator(f".msg[data-id='{made['id']}']").get_by_role("button", name=OPEN)).to_be_visible()
    await act(message, "Remix")
    await expect(feed).to_have_url(re.compile("#/create"))
    await expect(feed.locator("#prompt")).to_have_value(re.compile("a heron in reeds"))
