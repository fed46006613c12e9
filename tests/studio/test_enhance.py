"""The prompt written more fully in Create: shown beside what was written, taken over when that is chosen."""

import re

from playwright.async_api import expect

from tests.engines.text_servers import ENHANCED, AnthropicServer
from tests.engines.text_servers import KEY as TEXT_KEY
from tests.studio.marks import studio_tests
from tests.studio.pages import button, write
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)


async def test_by_rules_it_says_so_and_flags_stay(create):
    await write(create, "a red fox --steps 7")
    await button(create, "Enhance").click()
    dialog = create.get_by_role("dialog")
    await expect(dialog).to_contain_text("No text engine is connected here: the rules wrote this.")
    await expect(dialog.get_by_role("radio")).to_have_count(1)
    await dialog.get_by_role("button", name="Use it").click()
    await expect(create.locator("#prompt")).to_have_value(re.compile(r"^a red fox, .+ --steps 7$"))
    await create.get_by_role("button", name="Undo").click()
    await expect(create.locator("#prompt")).to_have_value("a red fox --steps 7")


async def test_a_dialog_that_is_closed_changes_nothing_and_no_words_ask_for_some(create):
    await write(create, "a red fox")
    await button(create, "Enhance").click()
    await expect(create.get_by_role("dialog")).to_be_visible()
    await create.keyboard.press("Escape")
    await expect(create.get_by_role("dialog")).to_have_count(0)
    await expect(create.locator("#prompt")).to_have_value("a red fox")
    await write(create, "")
    await button(create, "Enhance").click()
    await expect(create.locator(".toast")).to_contain_text("Write a few words first.")


async def test_a_model_offers_several_prompts(browse, tmp_path):
    async with (
        AnthropicServer() as server,
        studio_at(tmp_path, ANTHROPIC_API_KEY=TEXT_KEY, ANTHROPIC_BASE_URL=server.url) as own,
    ):
        page = await browse("#/create", url=own.url)
        await write(page, "a red fox")
        await button(page, "Enhance · $0.0003").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("Written by claude-haiku-5-5.")
        await expect(dialog).to_contain_text(ENHANCED["prompt"])
        await dialog.get_by_text(ENHANCED["alternatives"][1]).click()
        await dialog.get_by_role("button", name="Use it").click()
        await expect(page.locator("#prompt")).to_have_value(ENHANCED["alternatives"][1])
        await page.close()
