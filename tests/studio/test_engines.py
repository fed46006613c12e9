"""The Engines view: what an engine has, connecting one, a wrong address explained, a ComfyUI workflow kept and used."""

import re

from playwright.async_api import expect

from backends.embedded.models.disk import look_for_models
from backends.embedded.models.keeping import ModelKeeper
from backends.embedded.models.machine import OwnMachine
from net.hub import ModelHub
from tests.backends.embedded.hub_server import LocalHub
from tests.backends.embedded.test_keeping import FILES, SD15
from tests.engines.a1111_server import A1111Server
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer
from tests.studio.marks import studio_tests
from tests.studio.pages import button, close_notices, finished, generate, unfold
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)

GRAPH = (DATA / "workflows" / "txt2img_sd15.api.json").read_bytes()


async def test_an_engine_is_connected_tested_shown_and_disconnected(browse, studio, watch):
    page = await browse("#/engines")
    await expect(page.get_by_role("article", name=re.compile("^Engine", re.IGNORECASE))).to_have_count(1)
    async with A1111Server() as server:
        await button(page, "Connect an engine").click()
        form = page.get_by_role("dialog", name="Connect an engine")
        await form.get_by_label("Kind").select_option("forge")
        await form.get_by_label("Name").fill("Attic GPU")
        await form.get_by_label("Address").fill("http://127.0.0.1:9")
        watch.allow(r"(400|50\d).*/api/engines")
        await button(form, "Test and connect").click()
        failed = form.get_by_role("alert")
        await expect(failed).to_be_visible()
        await expect(failed).not_to_contain_text("Traceback")
        await expect(form.locator(".engine-layers")).to_contain_text("no")
        await form.get_by_label("Address").fill(server.url)
        await button(form, "Test and connect").click()
        card = page.get_by_role("article", name="Engine Attic GPU")
        await expect(card).to_contain_text(re.compile("ready", re.IGNORECASE))
        await expect(card.locator(".engine-kind")).to_contain_text("gold support")
        await button(card, "Test").click()
        await expect(card.locator(".engine-passed")).to_be_visible()
        await button(card, "What it has").click()
        await page.get_by_role("button", name=re.compile("^Samplers")).click()
        await expect(page.locator(".engine-grid")).to_contain_text("Euler a")
        await close_notices(page)
        await button(page, "Refresh").click()
        await expect(page.locator(".toast").last).to_contain_text("Every engine was asked again")
        await button(card, "Disconnect").click()
        await button(page.get_by_role("dialog"), "Disconnect").click()
        await expect(card).to_have_count(0)
    assert [engine["name"] for engine in (await studio.get("api/engines"))["engines"]] == ["sketch"]


async def test_a_workflow_is_kept_corrected_and_drawn_with(browse, tmp_path, watch):
    settings = {"BACKENDS": "comfy", "COMFY_KIND": "comfyui"}
    async with ComfyUIServer() as server, studio_at(tmp_path, COMFY_URL=server.url, **settings) as studio:
        page = await browse("#/engines", url=studio.url)
        watch.allow(r"(400|422).*/api/workflows")
        choose = page.get_by_label("Workflow file")
        await choose.set_input_files({"name": "x.json", "mimeType": "application/json", "buffer": b'{"nodes": []}'})
        await expect(page.locator(".workflows .notice-bad")).to_contain_text("Export", ignore_case=True)
        await choose.set_input_files({"name": "portrait.json", "mimeType": "application/json", "buffer": GRAPH})
        editor = page.locator(".wf-editor")
        await expect(editor.get_by_label("Prompt", exact=True)).to_have_value("6.text")
        await editor.get_by_label("Name").fill("portrait")
        await button(editor, "Keep this workflow").click()
        await expect(page.locator(".toast").last).to_contain_text("is kept")
        await expect(page.get_by_role("region", name="Workflow portrait")).to_be_visible()
        await editor.get_by_label("Prompt", exact=True).select_option("7.text")
        await expect(page.locator(".toast").last).to_contain_text("Prompt is changed")
        answer = await studio.client.patch(
            f"{studio.url}api/workflows/portrait",
            json={"field": "option detail", "value": "3.denoise --range 0..2"},
        )
        assert answer.status_code == 200, answer.text
        await button(editor, "Use in Create").click()
        await expect(page).to_have_url(re.compile("#/create"))
        await unfold(page)
        option = page.get_by_label("detail", exact=True)
        await expect(option).to_have_attribute("placeholder", "1")
        await option.fill("0.25")
        await option.press("Tab")
        await generate(page, "a lighthouse --workflow portrait --size 64x64 --steps 2")
        await finished(page)
        assert server.engine.submitted[-1].graph["7"]["inputs"]["text"] == "a lighthouse"
        assert server.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 0.25
        await page.context.close()


async def test_a_model_is_fetched_after_its_licence_was_agreed_to_and_deleted(browse, tmp_path):
    async with LocalHub(FILES).run() as hub, studio_at(tmp_path) as studio:
        cache = tmp_path / "hub"
        keeper = ModelKeeper(ModelHub(hub.url), cache, lambda: look_for_models((), cache), lambda: OwnMachine())
        studio.easel.services.models._make_keeper = lambda: keeper
        page = await browse("#/engines", url=studio.url)
        row = page.get_by_role("article", name="Stable Diffusion 1.5")
        await expect(row).to_contain_text("2.8 GB")
        await expect(row.get_by_role("link")).to_have_text(SD15.licence)
        await button(row, "Fetch").click()
        dialog = page.get_by_role("dialog", name="Stable Diffusion 1.5")
        await expect(dialog).to_contain_text("GB are to be fetched")
        await button(dialog, "Cancel").click()
        await expect(dialog).to_have_count(0)
        assert len(hub.requests) == 1
        await button(row, "Fetch").click()
        await button(dialog, "I agree: fetch it").click()
        await button(row, "Delete").click()
        await button(page.get_by_role("dialog"), "Delete").click()
        await expect(button(row, "Fetch")).to_be_visible()
        await page.context.close()
