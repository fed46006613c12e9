"""`/admin reload`: the settings read again, for whoever runs Easel."""

import nextcord
from nextcord.ext import commands

from cogs.origin import person_of
from cogs.plain import escape
from services.bundle import Services
from texts.text import _
from utils.text import cut

MESSAGE_CHARS = 2000


class Administration(commands.Cog):
    """The service decides about rights."""

    def __init__(self, *, services: Services) -> None:
        self._reloading = services.reloading
        self._rights = services.moderation.rights

    @nextcord.slash_command(name="admin", description=_("Admins: what concerns this bot as a whole"))
    async def slash_admin(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_admin.subcommand(name="reload", description=_("Read the settings (.env) again, without a restart"))
    async def slash_reload(self, interaction: nextcord.Interaction) -> None:
        person = person_of(interaction)
        self._rights.check_admin(person)
        await interaction.response.defer(ephemeral=True)  # engines that come are asked first
        report = await self._reloading.reload(person)
        sign = "⚠️" if report.wrong else "✅"
        await interaction.edit_original_message(content=cut(f"{sign} {escape(report.words)}", MESSAGE_CHARS))
