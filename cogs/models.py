"""`/sdmodels`, `/models`, `!list_models`: what the engines have, numbered, 25 a page."""

from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, check_stands_in, parse_id, to_view
from cogs.decorators import prefix_command
from cogs.error_handler import told
from cogs.waiting import answer
from generation.errors import RequestRejected
from services.catalog import Catalog, Engine
from utils.text import cut

PAGE = 25
NAME_CHARS = 68  # 25 of them, numbered, fit one message
NOT_CONNECTED = "No SD API connected. Connect one: `/sdconnect a1111 https://your-server:7860`"


class Models(commands.Cog):
    """Lists are fetched anew each time they are asked for."""

    def __init__(self, *, catalog: Catalog) -> None:
        self._catalog = catalog

    async def models(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        card = await self._first_page(interaction.user, interaction.guild_id)
        await interaction.edit_original_message(content=card.content, view=to_view(card.rows))

    for _name in ("sdmodels", "models"):
        locals()[f"slash_{_name}"] = nextcord.slash_command(name=_name, description="List the models you can use")(
            models
        )
    del _name

    @prefix_command(name="list_models", aliases=["models", "sdmodels"])
    async def list_models(self, ctx: commands.Context[Any]) -> None:
        await answer(ctx, self._first_page(ctx.author, ctx.guild.id if ctx.guild else None))

    @commands.Cog.listener("on_interaction")
    async def on_press(self, interaction: nextcord.Interaction) -> None:
        if interaction.type is not nextcord.InteractionType.component:
            return
        data: Any = interaction.data
        parsed = parse_id(data["custom_id"])
        if parsed is None or parsed[0] != "models":
            return
        _, lane, page = parsed
        async with told(interaction):
            check_stands_in(interaction.message, "models")
            engine = self._catalog.engine(lane, *_who(interaction.user, interaction.guild_id))
            if engine is None:
                raise RequestRejected("That engine is no longer connected.")
            engines = self._catalog.engines(*_who(interaction.user, interaction.guild_id))
            card = _page(engine, engines, int(page))
            await interaction.response.edit_message(content=card.content, view=to_view(card.rows))

    async def _first_page(self, user: Any, guild_id: int | None) -> Card:
        who = _who(user, guild_id)
        await self._catalog.refresh(*who)
        engines = self._catalog.engines(*who)
        if all(engine.is_fallback for engine in engines):
            names = ", ".join(engine.label for engine in engines)
            return Card(content=f"{NOT_CONNECTED}\n-# until then pictures are made by {names}")
        return _page(engines[0], engines, 0)


def _page(engine: Engine, engines: list[Engine], page: int) -> Card:
    models = (engine.capabilities.models if engine.capabilities else None) or ()
    pages = max(1, -(-len(models) // PAGE))
    page = max(0, min(page, pages - 1))
    head = f"**Available Models** · {engine.label}"
    if engine.capabilities is None:
        body = f"✖ {engine.error or 'It has not answered yet.'}"
    elif not models:
        body = "This engine has nothing to choose from."
    else:
        shown = enumerate(models[page * PAGE : (page + 1) * PAGE], start=page * PAGE + 1)
        body = "\n".join(
            f"{n}. `{cut(model.title, NAME_CHARS)}`{' ●' if model.is_loaded else ''}" for n, model in shown
        )
    foot = "\n-# ● loaded now · use one with `--model NAME`" + (f" · page {page + 1} of {pages}" if pages > 1 else "")
    turn = (
        Button(action="models", job_id=engine.name, label="Back", argument=str(page - 1), is_disabled=page == 0),
        Button(
            action="models", job_id=engine.name, label="Next", argument=str(page + 1), is_disabled=page == pages - 1
        ),
    )
    others = tuple(
        Button(action="models", job_id=other.name, label=cut(other.label, 20), argument="0")
        for other in engines
        if other.name != engine.name
    )[:5]
    rows = ((turn,) if pages > 1 else ()) + ((others,) if others else ())
    return Card(content=cut(f"{head}\n{body}{foot if models else ''}", 2000), rows=rows)


def _who(user: Any, guild_id: int | None) -> tuple[str, str | None]:
    return str(user.id), str(guild_id) if guild_id else None
