"""`/engine`: admins pause, drain and resume engines, and cancel what waits for them."""

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.origin import person_of
from cogs.plain import escape, suggest
from services.moderation.bans import MAX_REASON_CHARS
from services.moderation.bundle import Moderation
from texts.text import _, _n

_ENGINE = _("Which engine")
_REASON = _("Why; it stands in the audit")


class EngineHolds(commands.Cog):
    """The services decide about rights."""

    def __init__(self, *, moderation: Moderation) -> None:
        self._holds = moderation.holds
        self._rights = moderation.rights

    @nextcord.slash_command(name="engine", description=_("Admins: pause, drain or resume an engine"))
    async def slash_engine(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_engine.subcommand(name="pause", description=_("Start nothing there; what waits keeps its place"))
    async def slash_pause(
        self,
        interaction: nextcord.Interaction,
        engine: str = SlashOption(description=_ENGINE, max_length=100),
        reason: str = SlashOption(description=_REASON, required=False, max_length=MAX_REASON_CHARS),
    ) -> None:
        name = escape(await self._holds.pause(person_of(interaction), engine, reason or ""))
        text = _("⏸️ {name} starts nothing more. What runs is finished. `/engine resume` goes on.", name=name)
        await interaction.response.send_message(text, ephemeral=True)

    @slash_engine.subcommand(name="drain", description=_("Draw what waits there, take nothing new"))
    async def slash_drain(
        self,
        interaction: nextcord.Interaction,
        engine: str = SlashOption(description=_ENGINE, max_length=100),
        reason: str = SlashOption(description=_REASON, required=False, max_length=MAX_REASON_CHARS),
    ) -> None:
        name = escape(await self._holds.drain(person_of(interaction), engine, reason or ""))
        text = _("⏏️ {name} takes nothing new. What waits is drawn. `/engine resume` goes on.", name=name)
        await interaction.response.send_message(text, ephemeral=True)

    @slash_engine.subcommand(name="resume", description=_("End a pause or a drain"))
    async def slash_resume(
        self, interaction: nextcord.Interaction, engine: str = SlashOption(description=_ENGINE, max_length=100)
    ) -> None:
        name = escape(await self._holds.resume(person_of(interaction), engine))
        await interaction.response.send_message(_("▶️ {name} goes on.", name=name), ephemeral=True)

    @slash_engine.subcommand(name="cancel", description=_("Cancel all that waits or runs there"))
    async def slash_cancel_all(
        self,
        interaction: nextcord.Interaction,
        engine: str = SlashOption(description=_ENGINE, max_length=100),
        reason: str = SlashOption(description=_REASON, required=False, max_length=MAX_REASON_CHARS),
    ) -> None:
        self._rights.check_admin(person_of(interaction))
        await interaction.response.defer(ephemeral=True)
        name, count = await self._holds.cancel(person_of(interaction), engine, reason or "")
        jobs = _n("{count} job", "{count} jobs", count=count)
        text = _("✅ Cancelled {jobs} of {name}.", jobs=jobs, name=escape(name))
        await interaction.edit_original_message(content=text)

    @slash_pause.on_autocomplete("engine")
    @slash_drain.on_autocomplete("engine")
    @slash_resume.on_autocomplete("engine")
    @slash_cancel_all.on_autocomplete("engine")
    async def suggest_engine(self, interaction: nextcord.Interaction, typed: str) -> None:
        is_admin = self._rights.is_admin(person_of(interaction))
        names = [name for name in self._holds.names() if typed.casefold() in name.casefold()] if is_admin else []
        await suggest(interaction, {name: name for name in names})
