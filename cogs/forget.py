"""`/forget`: everything that Easel has of the person who asks is deleted, after a second word of consent."""

from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, check_stands_in
from cogs.origin import DOOR
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from lazy import dataclass
from services.people.forgetting import ForgettingService
from texts.text import _, _n

PREFIX: Final = "f1"
ACTION: Final = "forget"
CONFIRM_ID: Final = f"{PREFIX}:{ACTION}"
ASK: Final = _(
    "**Delete everything I keep about you?** Your pictures, prompts and favourites, what you draw now, your engine "
    "with its key, your workflows, templates, settings, API keys and sign-ins go at once and for good.\n"
    "-# Figures (how many, when, on which engine) stay without your name. My messages in the channels are Discord's: "
    "delete those with 🗑️ first. Pictures you attached go when their time is over."
)


@dataclass(frozen=True, kw_only=True)
class ForgetButton(Button):
    """The second word of consent; it belongs to no job."""

    @property
    def custom_id(self) -> str:
        return CONFIRM_ID


class Forget(commands.Cog):
    """The command and its one button. The answer is ephemeral, so only that person can press it."""

    def __init__(self, *, forgetting: ForgettingService) -> None:
        self._forgetting = forgetting

    @nextcord.slash_command(name="forget", description=_("Delete everything this bot keeps about you"))
    async def slash_forget(self, interaction: nextcord.Interaction) -> None:
        button = ForgetButton(action="forget", job_id="", label=_("Delete everything"), style="danger")
        await interaction.response.send_message(**new_message(Card(content=ASK, rows=((button,),))), ephemeral=True)

    def routes(self) -> tuple[Route, ...]:
        return (Route(prefix=PREFIX, action=ACTION, handle=self._forget),)

    async def _forget(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, CONFIRM_ID)
        await interaction.response.defer()
        assert interaction.user is not None, "Discord always says who"
        forgotten = await self._forgetting.forget_person(f"{DOOR}:{interaction.user.id}")
        text = _(
            "✅ Deleted: {pictures} and the words of {requests}, with everything else of yours here.",
            pictures=_n("{count} picture", "{count} pictures", count=forgotten.pictures),
            requests=_n("{count} request", "{count} requests", count=forgotten.jobs),
        )
        await edit_answer(interaction, Card(content=text))
