"""The way from a chat into the studio: a button under each picture, and `/studio`. What is drawn there comes back."""

from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.error_handler import reply_errors
from cogs.origin import person_of
from cogs.presses import Press, Route
from generation.errors import RequestRejected
from services.drawing.generation import GenerationService
from services.people.links import StudioLinks
from texts.text import Text, _, template

ACTION: Final = "studio"
OFFER: Final = template(
    "[Open it in the studio]({link}): paint a mask, compare, change anything. What you draw there comes back here.\n"
    "-# The link is yours alone and good for an hour."
)
WELCOME: Final = template(
    "[Open the studio]({link}): draw, look through your pictures, see what the engines do.\n"
    "-# The link is yours alone and good for an hour."
)
NONE: Final = _("The studio cannot be reached from outside here: its owner has not set PUBLIC_URL.")


class StudioButton(commands.Cog):
    """Hands out links. `links` is None where the studio has no public address."""

    def __init__(self, *, service: GenerationService, links: StudioLinks | None) -> None:
        self._service = service
        self._links = links

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._press),)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Answer the button under a picture."""
        job = await self._service.visible(press.job_id, person_of(interaction))
        offer = Text(OFFER, {"link": self._link(interaction, job.id)})
        await interaction.response.send_message(offer, ephemeral=True)

    def _link(self, interaction: nextcord.Interaction, job_id: str = "") -> str:
        if self._links is None or interaction.user is None:
            raise RequestRejected(NONE)
        user = interaction.user
        return self._links.link(f"discord:{user.id}", user.display_name, job_id)


class Studio(StudioButton):
    """The command, for a studio that people can reach."""

    @nextcord.slash_command(name="studio", description=_("Open the studio in your browser"))
    async def slash_studio(self, interaction: nextcord.Interaction) -> None:
        async with reply_errors(interaction):
            await interaction.response.send_message(Text(WELCOME, {"link": self._link(interaction)}), ephemeral=True)
