"""Draw each kind of message as Discord shows it on a phone, 390 pixels wide, into build/messages/.

    make screenshots ARGS="picture queue"

Runs Easel on the local Discord of the tests, plays the scenes of `message_scenes`, in both card styles where there is a
picture, and has Chromium draw what came. Needs Chromium (`sh scripts/get_chromium`) and an emoji font (Noto Color
Emoji).
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

import nextcord
from playwright.async_api import Browser, async_playwright

from backends import kinds
from cogs import command_sync, pacing, spender
from scripts.discord_page import STYLE
from scripts.message_scenes import SCENES, PaintingEngine, Stage, file
from tests.discord_server import DiscordServer
from tests.e2e.harness import Easel
from tests.kinds import with_backend
from tests.services.wording.rig import FakeTextEngine
from tests.studio import chromium

FOLDER: Final = Path(__file__).parents[1] / "build" / "messages"
WIDTH: Final = 390
ENHANCED: Final = {  # no text: for a model
    "prompt": "a red fox in deep snow between birches, low winter sun, wide shot",
    "alternatives": ["a fox asleep under a pine, ink drawing", "a fox at night, neon rain"],
    "alt": "A red fox stands in deep snow between birches.",
    "tags": ["fox"],
}
IN_BOTH_STYLES: Final = ("picture", "pictures-4", "picture-hidden", "running", "failed-memory", "compare", "versus")


async def main(names: Collection[str]) -> int:
    """Play, draw, write; return how many scenes failed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    classic = await play([name for name in SCENES if not names or name in names], "classic")
    layouts = await play([name for name in IN_BOTH_STYLES if not names or name in names], "v2")
    pages = classic | {f"{name}-v2": page for name, page in layouts.items()}
    async with async_playwright() as playwright:
        browser = await chromium.launch(playwright)
        await draw(browser, pages, FOLDER)
        await browser.close()
    wanted = len([name for name in SCENES if not names or name in names])
    print(f"{FOLDER}: {len(pages)} messages, {WIDTH} pixels wide")
    return wanted - len(classic)


async def draw(browser: Browser, pages: Mapping[str, str], folder: Path) -> None:
    """Write a PNG of each page."""
    tab = await browser.new_page(viewport={"width": WIDTH, "height": 100})
    for name, page in pages.items():
        await tab.set_content(f"<style>{STYLE}</style>{page}")
        await tab.screenshot(path=folder / f"{name}.png", full_page=True)


async def play(names: Collection[str], style: str) -> dict[str, str]:
    """Return what people see in these scenes, as HTML; a scene that fails is named and left out."""
    pages: dict[str, str] = {}
    if not names:
        return pages
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord:
            nextcord.http.Route.BASE = discord.api_url
            slow, broken = PaintingEngine("slow", hold=True, preview=file(512)[1]), PaintingEngine("broken")
            engines = [PaintingEngine("forge"), PaintingEngine("flux"), slow, broken]
            chief = discord.user("chief", permissions=["MANAGE_GUILD"])
            easel = Easel(
                discord,
                Path(folder),
                engines,
                card_style=style,
                admins=(chief.id,),
                text_engine=FakeTextEngine(ENHANCED),
            )
            stage = Stage(easel, broken)
            stage.easel.examine = stage.examine
            await stage.easel.start()
            for name in names:
                try:
                    async with asyncio.timeout(40):
                        pages[name] = await SCENES[name].play(stage)
                except Exception as error:
                    print(f"{name}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
            await stage.easel.stop()
    return pages


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    pacing.SOON_S, spender.GAP_S, command_sync.LOOK_EVERY_S = 0.02, 0.05, 0.05
    kinds._kinds["a1111"] = with_backend("a1111", PaintingEngine.of)
    sys.exit(asyncio.run(main(sys.argv[1:])))
