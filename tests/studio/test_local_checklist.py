"""The eight checks of the Flux service's own list, on the engine inside: a start, the studio, the API, the log."""

import asyncio
import logging
import re
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import expect

from tests.backends.embedded.inside import let_be_installed, put_two_models, settings_with
from tests.studio.marks import studio_tests
from tests.studio.pages import button, finished, generate, unfold
from tests.studio.server import studio_at

pytestmark = studio_tests(__name__)

SCRIPT = Path(__file__).parents[2] / "scripts" / "test_image_gen.py"


async def run(*arguments: str, folder: Path) -> str:
    program, ends = (
        (sys.executable, str(SCRIPT)),
        {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT},
    )
    process = await asyncio.create_subprocess_exec(*program, *arguments, cwd=folder, **ends)
    async with asyncio.timeout(30):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_the_eight_checks_of_a_local_flux_service(browse, tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "backends.embedded")
    let_be_installed(monkeypatch, FAKE_KIND="cuda")
    folder = settings_with(put_two_models(tmp_path)).pop("DATA_DIR")
    settings = {name: value for name, value in settings_with(tmp_path).items() if name != "DATA_DIR"}
    async with studio_at(Path(folder), **settings) as studio:
        # 1. the service starts, and 7. says what would draw
        assert (await studio.get("/healthz"))["status"] == "ok"
        assert "flux-schnell" in str(await studio.get("/v1/model-info"))
        # 2. what leads to drawing is in sight, and 3. its form opens, with size, model and steps
        page = await browse("#/gallery", url=studio.url)
        await expect(page.get_by_role("navigation", name="Main").get_by_role("link", name="Create")).to_be_visible()
        await page.keyboard.press("Alt+Space")
        await expect(page.locator("#prompt")).to_be_focused()
        await unfold(page)
        await page.get_by_role("combobox", name="Engine").select_option("embedded")
        await expect(page.get_by_role("combobox", name="Model", exact=True)).to_be_visible()
        # 4. FLUX.1 schnell draws
        job = await generate(page, "a majestic dragon --model flux-schnell --size 64x64 --steps 4 --seed 812")
        await finished(page)
        drawn = await studio.get(f"api/jobs/{job['id']}")
        assert (drawn["status"], drawn["engine"]) == ("done", "embedded")
        # 5. the picture is saved, under a name that says what it shows
        await button(page, "Open large").click()
        await button(page.get_by_role("dialog", name="Picture"), "Download as…").click()
        async with page.expect_download() as reported:
            await page.get_by_role("menuitem", name=re.compile("^PNG")).click()
        saved = await reported.value
        assert re.fullmatch(r"[\w-]*a-majestic-dragon[\w-]*812[\w-]*\.png", saved.suggested_filename)
        data = await asyncio.to_thread(Path(await saved.path()).read_bytes)
        assert Image.open(BytesIO(data)).size == (64, 64)
        # 6. the script draws
        small = ("--width", "64", "--height", "64", "--url", studio.url)
        printed = await run("A cute cat sitting on a windowsill", *small, "--model", "flux-schnell", folder=tmp_path)
        assert "64x64, FLUX.1 schnell" in printed
        assert (tmp_path / "test_output.png").exists()
        # 7. what draws is told with its device, and 8. the log names it
        info = await studio.get("/v1/model-info")
        assert (info["current_model"], info["device"]) == ("flux-schnell", "a fake cuda")
        (line,) = [record for record in caplog.records if "in memory" in record.message]
        assert (line.model, line.device, line.message) == (
            "flux-schnell",
            "cuda",
            "a model is in memory, on a fake cuda",
        )
        await page.context.close()
