"""`/caps` for people who manage a server, and `/quota` for everybody: what may be asked for here, and what is left."""

from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.moderation import text as moderation_text
from cogs.moderation.sizes import read_pixels
from cogs.origin import of_interaction, of_message, person_of
from cogs.posting import reply_to
from generation.caps import HIGHEST, LEAST, NAMES, CapKind
from generation.errors import RequestRejected
from services.moderation.bundle import Moderation
from texts.text import _
from utils.clock import Clock


def _number(description: str, name: str) -> Any:
    """Return an option for one of the limits."""
    return SlashOption(description=description, required=False, min_value=0, max_value=int(HIGHEST[name]))


class Caps(commands.Cog):
    """Sets and shows them; the services check them for every request."""

    def __init__(self, *, moderation: Moderation, clock: Clock) -> None:
        self._moderation = moderation
        self._clock = clock

    @nextcord.slash_command(name="caps", description=_("Limits of this server: size, steps, pictures a day"))
    async def slash_caps(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_caps.subcommand(name="show", description=_("Moderators: which limits are set here"))
    async def slash_show(self, interaction: nextcord.Interaction) -> None:
        caps = await self._moderation.caps.caps(person_of(interaction))
        text = moderation_text.caps(caps, str(interaction.guild_id or ""))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_caps.subcommand(
        name="set", description=_("Limit a role or a channel, or everybody; 0: as many as they like")
    )
    async def slash_set(
        self,
        interaction: nextcord.Interaction,
        role: nextcord.Role = SlashOption(description=_("Whom; everybody, if left out"), required=False),
        channel: nextcord.abc.GuildChannel = SlashOption(description=_("Or where, for all roles"), required=False),
        size: str = SlashOption(
            description=_("Largest picture: 1024x1024, or 1.5MP; 0: any"), required=False, max_length=20
        ),
        steps: int = _number(_("Steps of a picture"), "steps"),
        batch: int = _number(_("Pictures of one request"), "batch"),
        daily: int = _number(_("Pictures a day (UTC)"), "daily"),
        waiting: int = _number(_("Requests that wait"), "waiting"),
        running: int = _number(_("Requests that are drawn at the same time"), "running"),
        budget: float = SlashOption(
            description=_("US dollars a day (UTC), on engines that charge"),
            required=False,
            min_value=0,
            max_value=int(HIGHEST["budget"]),
        ),
        weight: float = SlashOption(
            description=_("Turns in the queue against others: 2 is twice as many; usual: 1"),
            required=False,
            min_value=LEAST["weight"],
            max_value=int(HIGHEST["weight"]),
        ),
        priority: bool = SlashOption(
            description=_("They may say --priority high, which goes before what waits"), required=False
        ),
    ) -> None:
        changes: dict[str, float | None] = {
            "steps": steps, "batch": batch, "daily": daily, "waiting": waiting, "running": running, "budget": budget,
            "weight": weight, "pixels": read_pixels(size) if size else None,
        }  # fmt: skip
        changes = {name: number for name, number in changes.items() if number is not None}
        if priority is not None:
            changes["priority"] = 1 if priority else None
        if not changes:
            raise RequestRejected(_("Say at least one limit, for example `size:1024x1024`."))
        await self._change(interaction, role, channel, changes)

    @slash_caps.subcommand(name="clear", description=_("Drop the limits of a role or a channel, or of everybody"))
    async def slash_clear(
        self,
        interaction: nextcord.Interaction,
        role: nextcord.Role = SlashOption(description=_("Whose; everybody’s, if left out"), required=False),
        channel: nextcord.abc.GuildChannel = SlashOption(description=_("Or those of a channel"), required=False),
    ) -> None:
        await self._change(interaction, role, channel, dict.fromkeys(NAMES))

    @nextcord.slash_command(name="quota", description=_("What you may ask for here, and what is left today"))
    async def slash_quota(self, interaction: nextcord.Interaction) -> None:
        quota = await self._moderation.caps.quota(of_interaction(interaction, self._clock))
        await interaction.response.send_message(moderation_text.quota(quota), ephemeral=True)

    @prefix_command(name="quota")
    async def quota_by_prefix(self, ctx: commands.Context[Any]) -> None:
        await reply_to(ctx, content=moderation_text.quota(await self._moderation.caps.quota(of_message(ctx))))

    async def _change(
        self, interaction: nextcord.Interaction, role: Any, channel: Any, changes: dict[str, float | None]
    ) -> None:
        guild_id, person = str(interaction.guild_id or ""), person_of(interaction)
        await self._moderation.caps.change(person, *subject_of(role, channel, guild_id), changes)
        text = moderation_text.caps(await self._moderation.caps.caps(person), guild_id)
        await interaction.response.send_message(text, ephemeral=True)


def subject_of(role: Any, channel: Any, guild_id: str) -> tuple[CapKind, str, str]:
    """Return whose limits are meant, with id and name: a role's, a channel's or, with neither, everybody's.

    Raises:
        RequestRejected: both are given.
    """
    if role and channel:
        raise RequestRejected(_("Say a role or a channel, not both: a channel’s limits hold for all roles there."))
    if channel:
        return CapKind.CHANNEL, str(channel.id), channel.name
    if role is None or str(role.id) == guild_id:
        return CapKind.ROLE, guild_id, ""
    return CapKind.ROLE, str(role.id), role.name
