"""`/engine`: admins pause, drain and resume engines, cancel what waits for them, and fetch models to draw with here."""

from typing import Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card, check_stands_in, to_view
from cogs.moderation import own_models
from cogs.origin import person_of
from cogs.plain import escape, suggest
from cogs.presses import Press, Route
from services.engines.own_models import GB, OwnModels
from services.moderation.bans import MAX_REASON_CHARS
from services.moderation.bundle import Moderation
from texts.text import _, _n
from utils.clock import Clock

_ENGINE = _("Which engine")
_REASON = _("Why; it stands in the audit")
_MODEL = _("Which model")
SHOWN_AGAIN_S: Final = 5.0
WATCHED_S: Final = 14 * 60.0  # an answer can be changed for a quarter of an hour


class EngineHolds(commands.Cog):
    """The services decide about rights."""

    def __init__(self, *, moderation: Moderation, models: OwnModels, clock: Clock) -> None:
        self._holds = moderation.holds
        self._rights = moderation.rights
        self._models = models
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        return Route(action=own_models.AGREE, handle=self._fetch), Route(action=own_models.STOP, handle=self._stop)

    @nextcord.slash_command(name="engine", description=_("Admins: pause, drain or resume an engine; fetch models"))
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

    @slash_engine.subcommand(name="models", description=_("Models to draw with on this machine"))
    async def slash_own_models(self, interaction: nextcord.Interaction) -> None:
        self._rights.check_admin(person_of(interaction))
        await interaction.response.defer(ephemeral=True)
        shelf = await self._models.shelf(person_of(interaction))
        await interaction.edit_original_message(content=own_models.shelf(shelf))

    @slash_engine.subcommand(name="fetch", description=_("Show size and licence of a model, and fetch it if you agree"))
    async def slash_fetch(
        self, interaction: nextcord.Interaction, model: str = SlashOption(description=_MODEL, max_length=100)
    ) -> None:
        self._rights.check_admin(person_of(interaction))
        await interaction.response.defer(ephemeral=True)
        card = own_models.terms(await self._models.terms(person_of(interaction), model))
        await _show(interaction, card)

    @slash_engine.subcommand(name="delete", description=_("Delete a model from this machine"))
    async def slash_delete(
        self, interaction: nextcord.Interaction, model: str = SlashOption(description=_MODEL, max_length=100)
    ) -> None:
        self._rights.check_admin(person_of(interaction))
        await interaction.response.defer(ephemeral=True)
        freed = await self._models.remove(person_of(interaction), model)
        text = _("✅ {name} is deleted: {size:.1f} GB are free again.", name=escape(model), size=freed / GB)
        await interaction.edit_original_message(content=text)

    async def _fetch(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Fetch what stands above the button that was pressed: its licence was shown there."""
        check_stands_in(interaction.message, own_models.AGREE)
        person = person_of(interaction)
        await interaction.response.defer()
        licence = self._models.licence_of(press.job_id)
        await self._models.begin(person, press.job_id, licence)
        until = self._clock.monotonic() + WATCHED_S
        while (fetch := self._models.fetch_of(press.job_id)) is not None:
            await _show(interaction, own_models.progress(fetch))
            if fetch.is_over or self._clock.monotonic() > until:
                break
            await self._models.wait(SHOWN_AGAIN_S)

    async def _stop(self, interaction: nextcord.Interaction, press: Press) -> None:
        check_stands_in(interaction.message, own_models.STOP)
        await interaction.response.defer()
        await self._models.stop(person_of(interaction), press.job_id)

    @slash_fetch.on_autocomplete("model")
    @slash_delete.on_autocomplete("model")
    async def suggest_model(self, interaction: nextcord.Interaction, typed: str) -> None:
        is_admin = self._rights.is_admin(person_of(interaction))
        names = [name for name in self._models.names() if typed.casefold() in name.casefold()] if is_admin else []
        await suggest(interaction, {name: name for name in names})

    @slash_pause.on_autocomplete("engine")
    @slash_drain.on_autocomplete("engine")
    @slash_resume.on_autocomplete("engine")
    @slash_cancel_all.on_autocomplete("engine")
    async def suggest_engine(self, interaction: nextcord.Interaction, typed: str) -> None:
        is_admin = self._rights.is_admin(person_of(interaction))
        names = [name for name in self._holds.names() if typed.casefold() in name.casefold()] if is_admin else []
        await suggest(interaction, {name: name for name in names})


async def _show(interaction: nextcord.Interaction, card: Card) -> None:
    await interaction.edit_original_message(content=card.content, view=to_view(card.rows))
