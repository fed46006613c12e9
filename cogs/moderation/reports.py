"""Reporting a picture, by the menu *More* or the *Apps* menu of its message; and what moderators press on a report."""

from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import controls_of, make_id
from cogs.moderation.buttons import PREFIX, make_moderation_id
from cogs.origin import person_of
from cogs.posting import TRANSIENT
from cogs.presses import Press, Route
from cogs.wire.fields import TextField
from cogs.wire.forms import Form, filled_in, open_form
from generation.errors import RequestRejected
from services.drawing.generation import GenerationService
from services.moderation.bans import MAX_REASON_CHARS as MAX_BAN_CHARS
from services.moderation.bundle import Moderation
from services.moderation.reports import MAX_REASON_CHARS, ReportState
from texts.text import _

REPORT: Final = "report"  # opens the form
REPORTED: Final = "reported"  # the form
DECISIONS: Final = {
    "remove": ReportState.REMOVED,
    "warn": ReportState.WARNED,
    "dismiss": ReportState.DISMISSED,
}


class Reports(commands.Cog):
    """Rights and states are the services'; an id may be forged."""

    def __init__(self, *, service: GenerationService, moderation: Moderation) -> None:
        self._service = service
        self._moderation = moderation

    def routes(self) -> tuple[Route, ...]:
        forms = (("banned", self._banned), ("appealed", self._appealed))
        presses = (
            *((action, self._decide) for action in DECISIONS),
            ("ban", self._open_ban),
            ("appeal", self._open_appeal),
            ("grant", self._judge),
            ("refuse", self._judge),
        )
        return (
            Route(action=REPORT, handle=self._open),
            Route(action=REPORTED, handle=self._report, takes_forms=True),
            *(Route(prefix=PREFIX, action=action, handle=handle) for action, handle in presses),
            *(Route(prefix=PREFIX, action=action, handle=handle, takes_forms=True) for action, handle in forms),
        )

    @nextcord.message_command(name="Report picture")  # no text: a name of a command
    async def report_message(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        """Find the picture by the buttons under the message, which name its job."""
        is_ours = message.author.id == interaction.application_id
        job_id = next((shown for __, shown, __ in controls_of(message) if shown), "") if is_ours else ""
        if not job_id:
            raise RequestRejected(_("Only my pictures can be reported: that message shows none."))
        await self._open(interaction, Press(action=REPORT, job_id=job_id))

    async def _open(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        await self._moderation.reports.check_open(person, job)
        field = TextField(
            name="reason",
            label=_("What is wrong with it?"),
            note=_("Moderators of this server read it, with your name."),
            is_long=True,
            limit=MAX_REASON_CHARS,
        )
        await open_form(
            interaction, Form(title=_("Report picture"), custom_id=make_id(REPORTED, job.id), fields=(field,))
        )

    async def _report(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        await self._moderation.reports.report(person, job, filled_in(interaction).text("reason"))
        text = _("🚩 Thank you. The moderators decide about it, and you read here in a direct message what came of it.")
        await interaction.response.send_message(text, ephemeral=True)

    async def _decide(self, interaction: nextcord.Interaction, press: Press) -> None:
        await interaction.response.defer()
        await self._moderation.reports.decide(person_of(interaction), press.job_id, DECISIONS[press.action])

    async def _open_ban(self, interaction: nextcord.Interaction, press: Press) -> None:
        await self._moderation.rights.check_moderator(person_of(interaction))
        fields = (
            TextField(name="reason", label=_("Why? They read it."), is_long=True, limit=MAX_BAN_CHARS),
            TextField(
                name="duration",
                label=_("For how long"),
                note=_("30m, 12h, 7d or 2w. Empty: until it is lifted."),
                is_required=False,
                limit=10,
            ),
        )
        form = Form(title=_("Remove and ban"), custom_id=make_moderation_id("banned", press.job_id), fields=fields)
        await open_form(interaction, form)

    async def _banned(self, interaction: nextcord.Interaction, press: Press) -> None:
        filled = filled_in(interaction)
        await interaction.response.defer()
        view = await self._moderation.reports.view(press.job_id)
        is_manager = await _manages(interaction, view.report.owner) if view else False
        await self._moderation.reports.decide(
            person_of(interaction),
            press.job_id,
            ReportState.BANNED,
            reason=filled.text("reason"),
            duration=filled.text("duration"),
            is_manager=is_manager,
        )

    async def _open_appeal(self, interaction: nextcord.Interaction, press: Press) -> None:
        await self._moderation.reports.check_appeal(person_of(interaction), press.job_id)
        field = TextField(name="appeal", label=_("Why should it be taken back?"), is_long=True, limit=MAX_REASON_CHARS)
        form = Form(title=_("Appeal"), custom_id=make_moderation_id("appealed", press.job_id), fields=(field,))
        await open_form(interaction, form)

    async def _appealed(self, interaction: nextcord.Interaction, press: Press) -> None:
        text = filled_in(interaction).text("appeal")
        await self._moderation.reports.appeal(person_of(interaction), press.job_id, text)
        answer = _("⚖️ The moderators will read it, and you will read here what they decide.")
        await interaction.response.send_message(answer, ephemeral=bool(interaction.guild_id))

    async def _judge(self, interaction: nextcord.Interaction, press: Press) -> None:
        await interaction.response.defer()
        is_granted = press.action == "grant"
        await self._moderation.reports.judge(person_of(interaction), press.job_id, is_granted=is_granted)


async def _manages(interaction: nextcord.Interaction, user_key: str) -> bool:
    """Return whether somebody manages the server of this press; who has left it does not."""
    user_id, guild = user_key.partition(":")[2], interaction.guild
    if guild is None or not user_id.isdecimal():
        return False
    try:
        member: Any = await guild.fetch_member(int(user_id))
    except (nextcord.HTTPException, *TRANSIENT):
        return False
    return bool(member.guild_permissions.manage_guild)
