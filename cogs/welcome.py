"""The first message in a server that has just let the bot in: how to ask, and a picture at one press."""

import logging
from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, check_stands_in
from cogs.desk import Desk
from cogs.house.cog import setup_button
from cogs.origin import check_interaction_permissions
from cogs.posting import TRANSIENT
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from generation.order import Order, OrderKind
from generation.request import Draft
from texts.text import _

log = logging.getLogger(__name__)

ACTION: Final = "welcome"
TRY: Final = "a red fox in a snowy forest"  # no text: a prompt
TEXT: Final = _(
    "**Hello! I make pictures from words.**\n"
    "Type `/imagine` with what you would like to see, or begin a message with my name. Attach a picture, or reply to "
    "one, to start from it.\n"
    "-# `/help` shows every option. Managers: `/setup start` decides who may draw what and where, `/settings set` the "
    "usual options, `/sdconnect` brings your own GPU."
)


class Welcome(commands.Cog):
    """Greets once, where the server's own greetings stand or else in the first channel that is open to the bot."""

    def __init__(self, *, desk: Desk) -> None:
        self._desk = desk

    @commands.Cog.listener("on_guild_join")
    async def on_guild_join(self, guild: nextcord.Guild) -> None:
        try_it = Button(action=ACTION, job_id="try", label=_("Try it"), emoji="🎨")
        card = Card(content=TEXT, rows=((try_it, setup_button()),))
        for channel in filter(None, (guild.system_channel, *guild.text_channels)):
            allowed = channel.permissions_for(guild.me)
            if not (allowed.view_channel and allowed.send_messages):
                continue
            try:
                await channel.send(**new_message(card))
            except (nextcord.HTTPException, *TRANSIENT) as error:
                log.info("could not greet a server (%s)", type(error).__name__)
            return

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._try),)

    async def _try(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, ACTION)
        check_interaction_permissions(interaction)
        await self._desk.take_press(interaction, Order(kind=OrderKind.DRAW, draft=Draft(prompt=TRY)))
