"""`/ban`, `/unban`, `/bans`, `/audit`: what moderators of a server have. The answers are for their eyes alone."""

from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card, Row, check_stands_in
from cogs.moderation import text as moderation_text
from cogs.moderation.buttons import PREFIX, ModerationButton
from cogs.origin import DOOR, person_of
from cogs.presses import Press, Route
from cogs.wire.styles import edit_of, new_message
from generation.person import Person
from services.moderation.audit import AuditAction
from services.moderation.bans import MAX_REASON_CHARS
from services.moderation.bundle import Moderation
from texts.text import _

AUDIT: Final = "audit"
ACTIONS: Final = {action.value: action.value for action in AuditAction}


class Moderating(commands.Cog):
    """Commands and buttons; the services decide about rights."""

    def __init__(self, *, moderation: Moderation) -> None:
        self._moderation = moderation

    def routes(self) -> tuple[Route, ...]:
        return (Route(prefix=PREFIX, action=AUDIT, handle=self._turn_page),)

    @nextcord.slash_command(name="ban", description=_("Moderators: take requests for pictures from somebody"))
    async def slash_ban(
        self,
        interaction: nextcord.Interaction,
        user: nextcord.User = SlashOption(description=_("Who")),
        reason: str = SlashOption(description=_("Why; they read it"), max_length=MAX_REASON_CHARS),
        duration: str = SlashOption(
            description=_("For how long: 30m, 12h, 7d, 2w; until /unban, if left out"), required=False, max_length=10
        ),
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        ban, cancelled = await self._moderation.bans.ban(
            person_of(interaction),
            f"{DOOR}:{user.id}",
            user.name,
            reason,
            duration or "",
            is_manager=_manages(user) or user.bot,
        )
        await interaction.edit_original_message(content=moderation_text.banned(ban, cancelled))

    @nextcord.slash_command(name="unban", description=_("Moderators: let somebody ask for pictures again"))
    async def slash_unban(
        self,
        interaction: nextcord.Interaction,
        user: nextcord.User = SlashOption(description=_("Who")),
        reason: str = SlashOption(description=_("Why"), required=False, max_length=MAX_REASON_CHARS),
    ) -> None:
        await self._moderation.bans.unban(person_of(interaction), f"{DOOR}:{user.id}", reason or "")
        text = _("✅ {who} may ask for pictures here again.", who=f"<@{user.id}>")
        await interaction.response.send_message(text, ephemeral=True)

    @nextcord.slash_command(name="bans", description=_("Moderators: who may not ask for pictures here, and why"))
    async def slash_bans(self, interaction: nextcord.Interaction) -> None:
        bans = await self._moderation.bans.bans(person_of(interaction))
        await interaction.response.send_message(moderation_text.bans(bans), ephemeral=True)

    @nextcord.slash_command(name="audit", description=_("Moderators: what was done here, by whom and why"))
    async def slash_audit(
        self,
        interaction: nextcord.Interaction,
        user: nextcord.User = SlashOption(
            description=_("Only what they did, or what was done to them"), required=False
        ),
        action: str = SlashOption(description=_("Only this"), required=False, choices=ACTIONS),
    ) -> None:
        about = f"{DOOR}:{user.id}" if user else ""
        card = await self._page(person_of(interaction), about, action or "", 0)
        await interaction.response.send_message(**new_message(card), ephemeral=True)

    async def _turn_page(self, interaction: nextcord.Interaction, press: Press) -> None:
        user_id, __, action = press.argument.partition(":")
        about = f"{DOOR}:{user_id}" if user_id else ""
        before = int(press.job_id) if press.job_id.isdecimal() else 0
        card = await self._page(person_of(interaction), about, action, before)
        data: Any = interaction.data
        check_stands_in(interaction.message, data["custom_id"])
        await interaction.response.edit_message(**edit_of(card))

    async def _page(self, person: Person, about: str, action: str, before: int) -> Card:
        entries, has_more = await self._moderation.audit.page(person, about=about, action=action, before=before)
        argument = f"{about.partition(':')[2]}:{action}"
        rows: tuple[Row, ...] = ()
        if has_more or before:
            newest = ModerationButton(
                action=AUDIT, job_id="0", label=_("Newest"), argument=argument, is_disabled=not before
            )
            last = entries[-1].seq if entries else 0
            older = ModerationButton(
                action=AUDIT, job_id=str(last), label=_("Older"), argument=argument, is_disabled=not has_more
            )
            rows = ((newest, older),)
        return Card(content=moderation_text.audit(entries), rows=rows)


def _manages(user: Any) -> bool:
    """Return whether somebody manages the server; who is not in it does not."""
    permissions = getattr(user, "guild_permissions", None)
    return bool(permissions and permissions.manage_guild)
