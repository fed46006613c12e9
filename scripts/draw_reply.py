"""Draw docs/images/reply.webp: what a person sees in Discord from `!dream` to the picture with its buttons.

    python -m scripts.draw_reply

Runs Easel with the engine `sketch` on the local Discord of the tests, takes down each state of the answer, and has
Chromium draw it as Discord would. Needs Chromium (`sh scripts/get_chromium`) and an emoji font (Noto Color Emoji).
"""

import asyncio
import base64
import html
import re
import tempfile
import time
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Final

import nextcord
from PIL import Image
from playwright.async_api import async_playwright

from app.build import build
from cogs.bot import EaselBot
from config import read_settings
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
STYLE: Final = """
body { margin: 0; background: #313338; color: #dbdee1; font: 16px/1.375 "DejaVu Sans", "Noto Color Emoji" }
.m { display: flex; gap: 14px; padding: 16px 16px 4px } .a { width: 40px; height: 40px; border-radius: 50%; flex: none;
  display: grid; place-items: center; color: #fff; font-weight: 700 } h4 { margin: 0; font-size: 16px; color: #f2f3f5 }
h4 b { background: #5865f2; color: #fff; font-size: 10px; padding: 1px 4px; border-radius: 3px; vertical-align: 2px }
small { color: #a3a6aa; font-size: 13px; display: block } .at { background: #3c4270; color: #c9cdfb; border-radius: 3px;
  padding: 0 2px } code { background: #2b2d31; border-radius: 4px; padding: 1px 4px; font-size: 14px }
img { display: block; margin-top: 6px; border-radius: 8px; max-width: 586px; max-height: 390px } .r { margin-top: 8px;
  display: flex; gap: 8px } .b { background: #4e5058; color: #fff; border-radius: 4px; padding: 4px 14px;
  font-size: 14px }
.b.blue { background: #5865f2 }
"""


async def main() -> None:
    """Run, take down, draw, write."""
    states = await watch()
    async with async_playwright() as playwright:
        browser = await chromium.launch(playwright)
        page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        frames = []
        for state in states:
            await page.set_content(f"<style>{STYLE}</style>{state}")
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
            bot = EaselBot(easel.services, guild_ready_timeout_s=0.01)
            await easel.queue.start()
            connection = asyncio.create_task(bot.start(discord.token))
            await discord.wait_for(lambda: discord.gateway.live and "generate" in discord.commands.names(), WAIT_S)
            await bot.wait_until_ready()
            for user, text in ORDERS:
                asked = await discord.user(user).say(discord.channel, text)
                answer = await discord.wait_for(partial(reply_to, asked), WAIT_S)
            states.append(shown(asked))
            while not is_finished(answer):
                keep(states, shown(asked) + shown(answer))
                await asyncio.sleep(LOOK_S)
            keep(states, shown(asked) + shown(answer))
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
    """Add a state that differs from the last."""
    if states[-1] != state:
        states.append(state)


def shown(message: Message) -> str:
    """Return a message as HTML."""
    name, is_bot = message.author.name, message.author.bot
    pictures = "".join(picture(file.data) for file in message.files if file.content_type.startswith("image/"))
    colour = "#23a55a" if is_bot else "#eb459e"
    head = f"<h4>{name}{' <b>APP</b>' if is_bot else ''}</h4>"
    words = "<br>".join(line(each, message) for each in message.content.splitlines())
    body = head + words.replace("</small><br>", "</small>") + pictures + "".join(map(row, message.components))
    return f'<div class=m><div class=a style="background:{colour}">{name[0].upper()}</div><div>{body}</div></div>'


def picture(data: bytes) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}">'


def line(text: str, message: Message) -> str:
    """Return a line of Discord's markdown as HTML."""
    people = {str(user.id): user.name for user in message.mentions}
    text = re.sub(r"<t:(\d+):R>", lambda match: ahead(int(match[1]) - time.time()), text)
    text = re.sub(r"<@(\d+)>", lambda match: f"\0@{people.get(match[1], 'mia')}\1", text)
    text = re.sub(r"\\([^\w\s])", r"\1", html.escape(text, quote=False))
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text).replace("\0", "<span class=at>").replace("\1", "</span>")
    return f"<small>{text[3:]}</small>" if text.startswith("-# ") else text


def ahead(seconds: float) -> str:
    """Return a time to come as Discord writes it."""
    number, unit = (round(seconds / 3600), "hour") if seconds >= 3600 else (max(1, round(seconds)), "second")
    return f"in {number} {unit}{'' if number == 1 else 's'}"


def row(components: dict[str, list[dict[str, object]]]) -> str:
    """Return a row of buttons as HTML."""
    buttons = []
    for item in components["components"]:
        emoji = item.get("emoji")
        words = [emoji.get("name") if isinstance(emoji, dict) else "", item.get("label") or ""]
        blue = " blue" if item.get("style") == 1 else ""
        buttons.append(f'<span class="b{blue}">{html.escape(" ".join(str(word) for word in words if word))}</span>')
    return f"<div class=r>{''.join(buttons)}</div>"


if __name__ == "__main__":
    asyncio.run(main())
