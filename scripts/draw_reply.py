"""Draw docs/images/reply.webp: what a person sees in Discord from `!dream` to the picture with its buttons.

    python -m scripts.draw_reply

Runs Easel with the engine `sketch` on the local Discord of the tests, takes down each state of the answer, and has
Chromium draw it as Discord would. Needs Chromium (`sh scripts/get_chromium`) and an emoji font (Noto Color Emoji).
"""

import asyncio
import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import nextcord
from PIL import Image
from playwright.async_api import async_playwright

from app.build import build
from cogs.sharding import SingleBot
from config import read_settings
from scripts.discord_page import STYLE, message_html
from tests.discord_server import DiscordServer, Message
from tests.studio import chromium

TARGET: Final = Path(__file__).parents[1] / "docs" / "images" / "reply.webp"
WIDTH, HEIGHT = 672, 724
ORDERS: Final = (("tom", "!dream a lighthouse at dusk --size 512x512 --steps 25"),
                 ("mia", "!dream a red fox in a snowy forest --size 768x512 --seed 7"))  # fmt: skip
SETTINGS: Final = {"SKETCH_DELAY_S": "0.2", "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0"}  # as slow as a GPU
LOOK_S: Final = 0.25
WAIT_S: Final = 20.0
TYPED_MS, STATE_MS, LAST_MS = 1200, 700, 5000
WIDER: Final = ".p img { width: auto; max-width: 586px; max-height: 390px } .s { max-width: 586px }"


async def main() -> None:
    """Run, take down, draw, write."""
    states = await watch()
    async with async_playwright() as playwright:
        browser = await chromium.launch(playwright)
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        frames = []
        for state in states:
            await page.set_content(f"<style>{STYLE}{WIDER}</style>{state}")
            frames.append(Image.open(BytesIO(await page.screenshot())).convert("RGB"))
        await browser.close()
    spans = [TYPED_MS, *[STATE_MS] * (len(frames) - 2), LAST_MS]
    frames[0].save(TARGET, save_all=True, append_images=frames[1:], duration=spans, loop=0, quality=72, method=6)
    print(f"{TARGET}: {len(frames)} states, {TARGET.stat().st_size // 1024} KB")


async def watch() -> list[str]:
    """Return the channel as mia's question and its answer look, state by state."""
    states: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        easel = await build(read_settings(Path(folder, ".env"), SETTINGS | {"DATA_DIR": folder}))
        async with DiscordServer() as discord:
            nextcord.http.Route.BASE = discord.api_url
            bot = SingleBot(easel.services, easel.settings.discord)
            await easel.queue.start()
            connection = asyncio.create_task(bot.start(discord.token))
            await discord.wait_for(lambda: discord.gateway.live and "generate" in discord.commands.names(), WAIT_S)
            await bot.wait_until_ready()
            for user, text in ORDERS:
                asked = await discord.user(user).say(discord.channel, text)
                answer = await discord.wait_for(partial(reply_to, asked), WAIT_S)
            states.append(message_html(asked))
            while not is_finished(answer):
                keep(states, message_html(asked) + message_html(answer))
                await asyncio.sleep(LOOK_S)
            keep(states, message_html(asked) + message_html(answer))
            await bot.close()
            connection.cancel()
        await easel.queue.stop()
        await easel.close()
    return states


def reply_to(message: Message) -> Message | None:
    return next((answer for answer in message.channel.messages if answer.reference is message), None)


def is_finished(message: Message) -> bool:
    """Only what has come to its end can be deleted, or gone on from."""
    ids = [item.get("custom_id", "") for item in message.controls]
    return any(":delete:" in custom_id or ":more:" in custom_id for custom_id in ids)


def keep(states: list[str], state: str) -> None:
    """Add a state that differs from the last; not one whose estimate is over, as on a machine that does much else."""
    if states[-1] != state and " ago" not in state:
        states.append(state)


if __name__ == "__main__":
    asyncio.run(main())
