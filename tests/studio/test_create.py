"""The Create view: the prompt and its flags, each setting up to the job it becomes, the price beside the button."""

import re

import pytest
from playwright.async_api import expect

from tests.engines.a1111_server import A1111Server
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate, unfold, write
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)


async def test_a_picture_in_two_clicks(create, studio):
    await create.get_by_role("button", name="a red fox asleep").click()
    job = await generate(create)
    await finished(create)
    done = await studio.get(f"api/jobs/{job['id']}")
    assert (done["status"], done["prompt"]) == ("done", "a red fox asleep in an old library, watercolour")
    picture = create.locator(".frame-picture")
    assert await picture.evaluate("node => node.decode().then(() => node.naturalWidth)") == done["images"][0]["width"]
    await expect(create.locator(".strip-done")).to_have_count(1)


async def test_a_picture_of_a_draft_is_drawn_in_full(create, studio):
    drafts = await generate(create, "a fox --draft --size 512x512 --steps 20 --seed 3")
    await finished(create)
    await create.get_by_role("button", name="Picture 2", exact=True).click()
    await button(create.locator(".stage"), "Finish").click()
    await expect(create.locator(".toast").last).to_contain_text("Drawing it in full: 512×512, 20 steps.")
    await expect(create.locator(".strip-done")).to_have_count(2)
    final = await studio.newest()
    assert (final["parent_id"], final["images"][0]["width"], final["request"]["seed"]) == (drafts["id"], 512, 4)
    await expect(button(create.locator(".stage"), "Re-roll")).to_be_visible()


async def test_flags_are_completed_and_shown_as_understood(create, watch):
    watch.allow(r"400.*/api/(parse|estimate)")  # asked while it is being typed
    prompt = create.locator("#prompt")
    await prompt.press_sequentially("a red fox --st")
    await expect(create.get_by_role("option", name=re.compile("--steps"))).to_be_visible()
    await prompt.press("Tab")
    await expect(prompt).to_have_value(re.compile("a red fox --steps $"))
    await prompt.press_sequentially("7 --ar 3:2 --seed 5")
    chips = create.locator("#prompt-chips")
    await expect(chips).to_contain_text("steps 7")
    await expect(chips).to_contain_text("seed 5")
    await prompt.press("Escape")
    job = await generate(create)
    request = job["request"]
    assert (request["steps"], request["seed"]) == (7, 5)
    assert request["width"] > request["height"]
    await finished(create)
    await write(create, "a red fox --steps many")
    await expect(create.locator(".prompt-note, .refused").first).to_be_visible()


async def test_each_setting_reaches_the_job(create, studio):
    await create.locator("summary", has_text="Negative prompt").click()
    await button(create, "Ready-made").click()
    await create.get_by_role("menuitem", name=re.compile("^People")).click()
    await expect(create.get_by_label("Negative prompt")).to_have_value(re.compile("extra fingers"))
    await create.get_by_label("Negative prompt").fill("snow")
    await create.locator(".style-tile").first.click()
    await create.get_by_label("Width in pixels").fill("128")
    await create.get_by_label("Width in pixels").press("Tab")
    await create.get_by_label("Height in pixels").fill("64")
    await create.get_by_label("Height in pixels").blur()
    await create.get_by_label("Steps, exact").fill("3")
    await create.get_by_label("Prompt strength (CFG), exact").fill("5.5")
    await create.get_by_label("Pictures, exact").fill("2")
    await create.get_by_label("Seed", exact=True).fill("77")
    await create.get_by_label("Seed", exact=True).blur()
    await create.locator("summary", has_text="More settings").click()
    await create.get_by_role("switch", name=re.compile("^Private")).check()
    job = await generate(create, "a red fox")
    request = job["request"]
    reply = {
        name: request[name]
        for name in ("negative_prompt", "width", "height", "steps", "cfg_scale", "seed", "batch_size")
    }
    assert list(reply.values()) == ["snow", 128, 64, 3, 5.5, 77, 2]
    assert job["is_private"]
    assert job["prompt"].startswith("a red fox, ")
    await finished(create)
    await expect(create.get_by_role("group", name="Pictures of this job").get_by_role("button")).to_have_count(2)
    await button(create, "Picture 2").click()
    assert [image["seed"] for image in (await studio.newest())["images"]] == [77, 78]
    await expect(create.locator(".stage-facts")).to_contain_text("seed 78")


async def test_styles_show_what_they_look_like(create):
    tiles = create.locator(".style-tile")
    await expect(tiles.nth(5)).to_be_attached()
    pictures = create.locator(".style-tile img")
    assert await pictures.count() == await tiles.count()
    await pictures.first.evaluate("node => node.decode()")
    await tiles.first.click()
    await expect(tiles.first).to_have_attribute("aria-pressed", "true")
    await tiles.first.click()
    await expect(tiles.first).to_have_attribute("aria-pressed", "false")


async def test_a_locked_seed_stays_and_the_dice_frees_it(create):
    seed, lock = create.get_by_label("Seed", exact=True), button(create, "Keep this seed")
    await lock.click()
    await expect(lock).to_have_attribute("aria-pressed", "true")
    kept = int(await seed.input_value())
    assert (await generate(create, "a fox --size 64x64 --steps 1"))["request"]["seed"] == kept
    await finished(create)
    await button(create, "A new seed each time").click()
    await expect(seed).to_have_value("")
    assert (await generate(create))["request"]["seed"] != kept
    await finished(create)


async def test_shape_and_size_exclude_each_other(create):
    shapes = create.get_by_role("group", name="Shape")
    await shapes.get_by_role("button", name="16:9").click()
    width, height = create.get_by_label("Width in pixels"), create.get_by_label("Height in pixels")
    wide, high = [int(await side.get_attribute("placeholder") or 0) for side in (width, height)]
    assert abs(wide / high - 16 / 9) < 0.1
    await button(create, "Swap width and height").click()
    await expect(shapes.get_by_role("button", name="9:16")).to_have_attribute("aria-pressed", "true")
    await width.fill("192")
    await width.blur()
    await expect(shapes.get_by_role("button", name="9:16")).to_have_attribute("aria-pressed", "false")
    await expect(height).not_to_have_value("")


async def test_price_and_wait_stand_beside_the_button(create, watch):
    watch.allow(r"400.*/api/(parse|estimate)")
    estimate = create.locator(".estimate")
    await write(create, "a red fox")
    await expect(estimate).to_contain_text("sketch", ignore_case=True)
    await expect(estimate).to_contain_text("free", ignore_case=True)
    await write(create, "a red fox --size 99999x99999")
    await expect(estimate.locator(".refused")).to_contain_text(re.compile("size|width|pixels", re.IGNORECASE))


async def test_an_empty_prompt_is_answered_kindly_and_the_form_comes_back(create, studio):
    await button(create, "Generate").click()
    await expect(create.locator(".toast")).to_contain_text("Describe the picture first")
    await write(create, "a lighthouse")
    await create.get_by_label("Steps, exact").fill("9")
    await create.get_by_label("Steps, exact").blur()
    await button(create, "Clear the form").click()
    await expect(create.locator("#prompt")).to_have_value("")
    await create.locator(".toast").get_by_role("button", name="Undo").click()
    await expect(create.locator("#prompt")).to_have_value("a lighthouse")
    await create.get_by_role("link", name="Settings").click()
    await expect(create.get_by_role("heading", name="Settings")).to_be_visible()
    await create.reload()
    await create.get_by_role("link", name="Create", exact=True).click()
    await expect(create.locator("#prompt")).to_have_value("a lighthouse")
    await expect(create.get_by_label("Steps, exact")).to_have_value("9")


async def test_a_template_asks_for_its_gaps(create):
    await write(create, "portrait of {{who}} in oil")
    await button(create, "Templates").click()
    await create.get_by_role("menuitem", name="Save this prompt").click()
    await create.get_by_label("Name").fill("Oil portrait")
    await button(create, "Save").click()
    await expect(create.locator(".toast")).to_contain_text("Template saved")
    await button(create, "Clear the form").click()
    await button(create, "Templates").click()
    await create.get_by_role("menuitem", name="Oil portrait").click()
    await create.get_by_label("who").fill("a heron")
    await button(create, "Use it").click()
    await expect(create.locator("#prompt")).to_have_value("portrait of a heron in oil")
    await button(create, "Templates").click()
    await create.get_by_role("menuitem", name="Remove templates").click()
    await button(create, "Delete Oil portrait").click()
    await expect(button(create, "Delete Oil portrait")).to_have_count(0)


async def test_an_engine_brings_its_own_settings(browse, tmp_path):
    async with (
        A1111Server() as server,
        studio_at(tmp_path, BACKENDS="gpu", GPU_KIND="a1111", GPU_URL=server.url) as studio,
    ):
        page = await browse("#/create", url=studio.url)
        await unfold(page)
        await page.locator("summary", has_text="More settings").click()
        chosen = {}
        for name in ("Model", "Sampler"):
            box = page.get_by_role("combobox", name=name, exact=True)
            await box.click()
            option = page.get_by_role("listbox", name=name).get_by_role("option").nth(1)
            chosen[name] = (await option.locator("span").first.inner_text()).strip()
            await option.click()
            await expect(box).to_have_value(chosen[name])
        await page.get_by_role("combobox", name="Add a LoRA").click()
        await page.get_by_role("listbox", name="Add a LoRA").get_by_role("option").first.click()
        await expect(page.get_by_role("slider", name=re.compile("^Weight of"))).to_have_count(1)
        job = await generate(page, "a red fox --size 64x64 --steps 2")
        await finished(page)
        (sent,) = server.submitted
        assert sent["sampler_name"] == chosen["Sampler"]
        assert "<lora:" in sent["prompt"]
        assert job["request"]["model"]
        await page.get_by_role("combobox", name="Engine").select_option("sketch")
        for name in ("Model", "Sampler", "Add a LoRA"):
            await expect(page.get_by_role("combobox", name=name, exact=True)).to_be_hidden()
        assert (await generate(page))["engine"] != job["engine"]
        await finished(page)
        await page.context.close()


@pytest.mark.parametrize(
    ("typed", "shown", "sent"),
    [
        ("18446744073709551615", "18446744073709551615", 2**64 - 1),
        ("9007199254740993", "9007199254740993", 2**53 + 1),
        ("99999999999999999999999", "18446744073709551615", 2**64 - 1),
        ("1 234 567", "1234567", 1234567),
    ],
)
async def test_a_seed_is_kept_to_its_last_digit(create, studio, typed, shown, sent):
    seed = create.get_by_label("Seed", exact=True)
    await seed.fill(typed)
    await seed.blur()
    await expect(seed).to_have_value(shown)
    job = await generate(create, "a red fox")
    await finished(create)
    assert (await studio.newest())["request"]["seed"] == sent
    await expect(create.locator(".stage-facts")).to_contain_text(f"seed {sent}")
    assert job["id"] == (await studio.newest())["id"]


@pytest.mark.parametrize("name", ["Seed", "Width in pixels", "Height in pixels", "Steps, exact", "Negative prompt"])
async def test_what_is_being_typed_stays_when_something_else_changes(create, name):
    if name == "Negative prompt":
        await create.get_by_text("Negative prompt").first.click()
    field = create.get_by_label(name, exact=True).and_(create.locator("input, textarea"))
    await field.press_sequentially("96")
    await create.evaluate("""() => {
      const prompt = document.querySelector("#prompt");
      prompt.value = "a red fox";
      prompt.dispatchEvent(new Event("input"));
    }""")
    await expect(field).to_have_value("96")


@pytest.mark.parametrize("typed", ["-1", "", "random", "-5"])
async def test_an_empty_seed_and_minus_one_are_left_to_chance(create, studio, typed):
    seed = create.get_by_label("Seed", exact=True)
    await seed.fill("7")
    await seed.blur()
    await seed.fill(typed)
    await seed.blur()
    await expect(seed).to_have_value("")
    await expect(create.get_by_role("button", name="Keep this seed")).to_have_attribute("aria-pressed", "false")
    await generate(create, "a red fox")
    await finished(create)
    assert (await studio.newest())["request"]["seed"] not in (1, 5, 7)


async def test_a_flag_wins_over_its_control_and_keys_lead_to_the_prompt_and_draw(create):
    steps = create.get_by_label("Steps, exact")
    await steps.fill("9")
    await steps.press("Tab")
    await create.keyboard.press("Alt+Space")
    await expect(create.locator("#prompt")).to_be_focused()
    await write(create, "a red fox --size 64x64 --steps 2 ")
    async with create.expect_response("**/api/jobs") as reported:
        await create.keyboard.press("Control+Enter")
    assert (await (await reported.value).json())["jobs"][0]["request"]["steps"] == 2
    await finished(create)


async def test_what_was_loaded_already_is_not_drawn_again_under_a_finger(create, studio):
    await studio.draw(prompt="a red fox")
    await create.reload()
    strip = create.locator(".strip-done")
    await expect(strip).to_have_count(1)
    await strip.evaluate("node => { window.seen = node; }")
    await create.evaluate("import('/static/js/shell/events.js').then(({ events }) => events.load())")
    assert await strip.evaluate("node => node === window.seen")
