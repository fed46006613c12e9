"""The yardstick: a bot without a queue, a store or a thought, as anybody writes it in an evening."""

import base64
import io
import os

import aiohttp
import nextcord
from nextcord.ext import commands

nextcord.http.Route.BASE = os.environ["DISCORD_API_URL"]
bot = commands.Bot("!", intents=nextcord.Intents(guilds=True, guild_messages=True, message_content=True))


async def draw(prompt: str) -> nextcord.File:
    body = {"prompt": prompt, "steps": 20, "width": 512, "height": 512}
    async with (
        aiohttp.ClientSession() as web,
        web.post(f"{os.environ['A1111_URL']}/sdapi/v1/txt2img", json=body) as answer,
    ):
        return nextcord.File(io.BytesIO(base64.b64decode((await answer.json())["images"][0])), "picture.png")


@bot.command()
async def dream(ctx: commands.Context, *, prompt: str) -> None:
    await ctx.send(file=await draw(prompt))


@bot.slash_command(description="Draw a picture")
async def generate(interaction: nextcord.Interaction, prompt: str) -> None:
    await interaction.response.defer()
    await interaction.followup.send(file=await draw(prompt))


bot.run(os.environ["DISCORD_TOKEN"])
