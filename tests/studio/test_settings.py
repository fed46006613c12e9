"""Settings and the dashboard: theme, defaults, keys, styles; figures and charts; and the way in from Discord."""

import re
import tarfile

import httpx
from playwright.async_api import expect

from generation.errors import BackendAuthError, RequestRejected
from services.reports.discord_link import LinkState
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate, unfold
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)


async def test_the_page_is_dark_until_another_theme_is_chosen_which_stays(browse):
    page = await browse("#/settings", theme="light")
    body = page.locator("body")
    await expect(page.get_by_role("radio", name="Dark")).to_have_attribute("aria-checked", "true")
    dark = await body.evaluate("node => getComputedStyle(node).backgroundColor")
    await expect(page.get_by_role("radio", name="Light")).to_be_visible()
    await page.get_by_role("radio", name="System").click()
    await expect(body).not_to_have_css("background-color", dark)
    await page.reload()
    await expect(page.get_by_role("radio", name="System")).to_have_attribute("aria-checked", "true")
    await expect(body).not_to_have_css("background-color", dark)
    await page.get_by_role("radio", name="System").press("ArrowRight")
    await expect(page.get_by_role("radio", name="Dark")).to_have_attribute("aria-checked", "true")
    await expect(body).to_have_css("background-color", dark)


async def test_a_bot_that_waits_for_discord_is_told_to_the_owner(browse, studio):
    studio.easel.web.discord.note(LinkState.WAITING, "Discord cannot be reached.")
    try:
        page = await browse("#/settings")
        await expect(page.locator(".toast")).to_contain_text("Discord cannot be reached.")
        await expect(page.get_by_role("region", name="About")).to_contain_text("Discord cannot be reached.")
    finally:
        studio.easel.web.discord.note(LinkState.OFF)


async def test_create_begins_with_the_defaults_chosen_here(browse, studio):
    page = await browse("#/settings")
    section = page.get_by_role("region", name="Create starts with")
    for label, value in (("Width", "128"), ("Height", "64"), ("Steps", "3")):
        await section.get_by_label(label).fill(value)
        await section.get_by_label(label).blur()
    await page.get_by_role("link", name="Create", exact=True).click()
    request = (await generate(page, "a fox"))["request"]
    assert (request["width"], request["height"], request["steps"]) == (128, 64, 3)
    await finished(page)


async def test_a_key_is_made_copied_used_and_revoked(browse, studio):
    page = await browse("#/settings")
    await button(page, "New key").click()
    form = page.get_by_role("dialog", name="New API key")
    await form.get_by_label("Name").fill("Blog bot")
    await button(form, "Make the key").click()
    shown = page.get_by_role("dialog", name="Your new key")
    token = await shown.get_by_label("The new key").input_value()
    await button(shown, "Copy").click()
    await expect(page.locator(".toast").last).to_contain_text("The key is copied")
    assert await page.evaluate("navigator.clipboard.readText()") == token
    await button(shown, "Done").click()
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=studio.url, headers=headers) as program:
        assert (await program.get("/api/session")).json()["user"]["how"] == "key"
        await expect(page.get_by_text("Blog bot")).to_be_visible()
        await button(page, "Revoke the key Blog bot").click()
        await button(page.get_by_role("dialog"), "Revoke").click()
        await expect(button(page, "Revoke the key Blog bot")).to_have_count(0)
        assert (await program.get("/api/session")).status_code == 401


async def test_an_admin_downloads_a_backup(browse, studio):
    page = await browse("#/settings")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download a backup").click()
    download = await started.value
    assert re.fullmatch(r"easel-\d{8}-\d{6}\.tar\.gz", download.suggested_filename)
    with tarfile.open(await download.path()) as packed:
        assert {"backup.json", "easel.sqlite3", "cache.sqlite3"} <= {*packed.getnames()}


async def test_a_style_of_ones_own_is_added_used_and_deleted(browse, studio):
    page = await browse("#/settings")
    await button(page, "New style").click()
    form = page.get_by_role("dialog", name="New style")
    await form.get_by_label("Name").fill("Lino print")
    await form.get_by_label("Words to add after the prompt").fill("linocut, two inks")
    await button(form, "Add the style").click()
    await expect(page.get_by_role("region", name="Styles")).to_contain_text("linocut, two inks")
    await page.get_by_role("link", name="Create", exact=True).click()
    await unfold(page)
    await page.locator(".style-tile", has_text="Lino print").click()
    job = await generate(page, "a fox --size 64x64 --steps 2")
    assert job["prompt"] == "a fox, linocut, two inks"
    await page.get_by_role("link", name="Settings", exact=True).click()
    await button(page, "Delete the style Lino print").click()
    await button(page.get_by_role("dialog"), "Delete").click()
    await expect(button(page, "Delete the style Lino print")).to_have_count(0)


async def test_the_dashboard_speaks_of_a_single_picture(browse, studio):
    await studio.draw()
    page = await browse("#/dashboard")
    await expect(page.locator(".glance")).to_contain_text("1 picture, today")


async def test_the_dashboard_counts_what_was_drawn_and_what_failed(browse, studio):
    await studio.draw(prompt="a red fox")
    with studio.failing(RequestRejected("The engine cannot draw foxes today.")):
        await studio.ended((await studio.ask(prompt="a fox"))["id"])
    page = await browse("#/dashboard")
    glance = page.locator(".glance")
    await expect(glance).to_contain_text("1 failed")
    await expect(glance).to_contain_text("50 %")
    chart = page.get_by_role("region", name="Jobs per hour")
    await expect(chart.locator("canvas")).to_be_visible()
    await expect(chart).to_contain_text("1 done and 1 failed in 24 hours")
    await button(chart, "Show as table").click()
    await expect(chart.get_by_role("table")).to_be_visible()
    await expect(page.get_by_role("region", name="Engines").get_by_role("table")).to_contain_text("sketch")
    await expect(page.get_by_role("region", name="Errors").get_by_role("table")).to_contain_text("cannot draw foxes")
    await expect(page.get_by_role("region", name="Queue now")).to_contain_text("0 waiting")
    await button(page, "7 days").click()
    await expect(chart).to_contain_text("in 7 days")
    await button(page, "Pictures").click()
    await expect(page.get_by_role("region", name="Per person and day")).to_contain_text("1 picture since")


async def test_an_alert_is_seen_as_it_comes(browse, tmp_path):
    async with studio_at(tmp_path) as studio:
        page = await browse("#/dashboard", url=studio.url)
        alerts = page.get_by_role("region", name="Alerts")
        await expect(alerts).to_contain_text("No alerts")
        with studio.failing(BackendAuthError("The engine refused its key.")):
            await studio.ended((await studio.ask(prompt="a fox"))["id"])
        await expect(alerts).to_contain_text("refuses its key")
        await page.context.close()


async def test_an_alert_is_seen_that_came_before_the_stream_was_open(browse, watch, tmp_path, monkeypatch):
    watch.allow(r"429.*/events|\b429\b")
    async with studio_at(tmp_path) as studio:
        opened = studio.hub.open
        monkeypatch.setattr(studio.hub, "open", lambda _: None)  # too many streams
        page = await browse("#/dashboard", url=studio.url)
        alerts = page.get_by_role("region", name="Alerts")
        await expect(alerts).to_contain_text("No alerts")
        with studio.failing(BackendAuthError("The engine refused its key.")):
            await studio.ended((await studio.ask(prompt="a fox"))["id"])
        monkeypatch.setattr(studio.hub, "open", opened)
        await expect(alerts).to_contain_text("refuses its key")
        await page.context.close()


async def test_a_link_from_discord_opens_its_picture_with_the_brush_ready(browse, studio):
    job = await studio.draw(prompt="a red fox")
    link = studio.easel.web.studio.link("discord:7", "Mia", job["id"])
    page = await browse(link.split("/", 3)[3] if "://" in link else link.lstrip("/"))
    await expect(page).to_have_url(re.compile(r"#/job/"))
    await expect(page.get_by_role("application", name=re.compile("^Mask editor"))).to_be_visible()
    await button(page, "Cancel").click()  # a phone's editor covers all
    await page.get_by_role("button", name="Account: Mia").click()
    await expect(page.get_by_role("menuitem", name="Mia")).to_be_visible()
