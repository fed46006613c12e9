"""`/setup`: who manages a server sets its rules with buttons and forms, for their eyes alone; everybody may read them.

A form is opened from the panel and edits it when it is sent. Ids carry which part it is, so that a panel works after a
restart; who may do what is the service's to decide, at each press.
"""

from collections.abc import Iterable
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Button, Card, Row, check_stands_in, controls_of
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.house import forms, limits
from cogs.house import text as house_text
from cogs.moderation.caps import subject_of
from cogs.origin import check_interaction_permissions, of_interaction, of_message, person_of, person_of_message
from cogs.posting import reply_to
from cogs.presses import Press, Route
from cogs.wire.forms import filled_in, open_form
from cogs.wire.styles import edit_of, new_message
from constants import MAX_PROMPT_CHARS
from generation.errors import HouseRefusal, RequestRejected
from generation.house import Flagged
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from services.house.bundle import House
from services.house.gate import unchecked
from services.moderation.caps import CapService
from texts.text import _, joined
from utils.clock import Clock

OPEN, TRY = "open", "try"
TEST_PROMPT: Final = "a lighthouse at dusk, oil painting"  # no text: a prompt


def setup_button() -> Button:
    """Return the button that opens the panel for who may use it."""
    return Button(action=forms.ACTION, job_id=OPEN, label=_("Set up"), emoji="⚙️")


class Setup(commands.Cog):
    """Shows and changes the rules of a server."""

    def __init__(self, *, house: House, caps: CapService, desk: Desk, clock: Clock) -> None:
        self._house = house
        self._caps = caps
        self._desk = desk
        self._clock = clock

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=forms.ACTION, handle=self._press, takes_forms=True),)

    @nextcord.slash_command(name="setup", description=_("The rules of this server: who may draw what, and where"))
    async def slash_setup(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_setup.subcommand(name="start", description=_("Managers: set the rules of this server"))
    async def slash_start(self, interaction: nextcord.Interaction) -> None:
        await self._open(interaction)

    @slash_setup.subcommand(name="show", description=_("What holds here, and why"))
    async def slash_show(self, interaction: nextcord.Interaction) -> None:
        text = await self._shown(of_interaction(interaction, self._clock))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_setup.subcommand(name="test", description=_("Would this prompt be drawn here?"))
    async def slash_test(
        self,
        interaction: nextcord.Interaction,
        prompt: str = SlashOption(description=_("As you would ask for a picture"), max_length=MAX_PROMPT_CHARS),
    ) -> None:
        await interaction.response.send_message(await self._tried(interaction, prompt), ephemeral=True)

    @prefix_command(name="setup")
    async def setup_by_prefix(self, ctx: commands.Context[Any], what: str = "") -> None:
        """`!setup show` lists the rules; `!setup` offers the button, since a panel is for one person's eyes."""
        if what.casefold() == "show":
            await reply_to(ctx, content=await self._shown(of_message(ctx)))
            return
        self._house.rules.check_manager(person_of_message(ctx))
        text = _("Press the button to set the rules of this server: only you see the panel. `/setup show` lists them.")
        await reply_to(ctx, **new_message(Card(content=text, rows=((setup_button(),),))))

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        is_form, part = interaction.type is nextcord.InteractionType.modal_submit, press.job_id
        if part == OPEN and not is_form:
            await self._open(interaction)
        elif part == TRY and not is_form:
            self._house.rules.check_manager(person_of(interaction))
            check_interaction_permissions(interaction)
            await self._desk.take_press(
                interaction, Order(kind=OrderKind.DRAW, draft=Draft(prompt=TEST_PROMPT)), private=True
            )
        elif part == forms.TRIAL and not is_form:
            await open_form(interaction, forms.trial_form())
        elif part == forms.TRIAL:
            text = await self._tried(interaction, filled_in(interaction).text("prompt"))
            await interaction.response.send_message(text, ephemeral=True)
        elif part in (limits.PAGE, limits.BACK) and not is_form:
            await self._turn_to(interaction, part)
        elif part in limits.FORMS:
            self._house.rules.check_manager(person_of(interaction))
            await (self._save_limits(interaction, part) if is_form else open_form(interaction, limits.FORMS[part]()))
        elif part not in forms.FORMS:
            raise RequestRejected(_("There is no such part of the set-up. Open `/setup start` again."))
        elif is_form:
            await self._save(interaction, part)
        else:
            guild_id = self._house.rules.check_manager(person_of(interaction))
            await open_form(interaction, forms.FORMS[part](await self._house.rules.load(guild_id)))

    async def _open(self, interaction: nextcord.Interaction) -> None:
        self._house.rules.check_manager(person_of(interaction))
        card = await self._panel(of_interaction(interaction, self._clock))
        await interaction.response.send_message(**new_message(card), ephemeral=True)

    async def _save(self, interaction: nextcord.Interaction, part: str) -> None:
        changes = forms.READERS[part](filled_in(interaction))
        if part == forms.PLACES:
            rules = await self._house.rules.load(str(interaction.guild_id))
            ids = {*changes["channels"], *changes["roles"], *changes["moderator_roles"]}
            changes["labels"] = tuple((dict(rules.labels) | _names(interaction, ids)).items())
        if (
            changes.get("flagged", Flagged.UNCHECKED) is not Flagged.UNCHECKED
            and not self._house.gate.has_picture_check
        ):
            raise unchecked()
        await self._house.rules.change(person_of(interaction), **changes)
        card = await self._panel(of_interaction(interaction, self._clock))
        if any(action == forms.ACTION and part == shown for action, shown, __ in controls_of(interaction.message)):
            await interaction.response.edit_message(**edit_of(card))
        else:
            await interaction.response.send_message(**new_message(card), ephemeral=True)

    async def _turn_to(self, interaction: nextcord.Interaction, part: str) -> None:
        """Show the limits in the panel, or the rules again; a message that is no panel stays as it is."""
        person = person_of(interaction)
        guild_id = self._house.rules.check_manager(person)
        check_stands_in(interaction.message, forms.ACTION)
        if part == limits.PAGE:
            card = limits.page(await self._caps.caps(person), guild_id)
        else:
            card = await self._panel(of_interaction(interaction, self._clock))
        await interaction.response.edit_message(**edit_of(card))

    async def _save_limits(self, interaction: nextcord.Interaction, part: str) -> None:
        person, filled, guild = person_of(interaction), filled_in(interaction), interaction.guild
        guild_id = self._house.rules.check_manager(person)
        role_id, channel_id = filled.choice("role"), filled.choice("channel")
        role = guild.get_role(int(role_id)) if guild and role_id else None
        channel = guild.get_channel(int(channel_id)) if guild and channel_id else None
        if (role_id and role is None) or (channel_id and channel is None):
            raise RequestRejected(_("This role or channel is no longer there. Pick another one."))
        if not (changes := limits.READERS[part](filled)):
            raise RequestRejected(_("Nothing was filled in, so nothing has changed."))
        await self._caps.change(person, *subject_of(role, channel, guild_id), changes)
        card = limits.page(await self._caps.caps(person), guild_id)
        if any(action == forms.ACTION for action, __, __ in controls_of(interaction.message)):
            await interaction.response.edit_message(**edit_of(card))
        else:
            await interaction.response.send_message(**new_message(card), ephemeral=True)

    async def _panel(self, origin: Origin) -> Card:
        def button(part: str, label: str, emoji: str) -> Button:
            return Button(action=forms.ACTION, job_id=part, label=label, emoji=emoji)

        rows: tuple[Row, ...] = (
            (
                button(forms.PLACES, _("Channels and roles"), "📍"),
                button(forms.CONTENT, _("What may be drawn"), "🛡"),
                button(forms.PICTURES, _("Finished pictures"), "🖼"),
            ),
            (
                button(limits.PAGE, _("Limits"), "🚦"),
                button(forms.TRIAL, _("Test a prompt"), "🔎"),
                Button(action=forms.ACTION, job_id=TRY, label=_("Test picture"), emoji="🎨", style="primary"),
            ),
        )
        return Card(content=await self._shown(origin), rows=rows)

    async def _shown(self, origin: Origin) -> str:
        """Return what holds in a server, and for this person here; in a direct message, what holds there."""
        found = await self._house.gate.rules_for(origin)
        refusal = await self._house.gate.refusal_for(origin)
        here = house_text.here_text(is_age_restricted=origin.is_age_restricted, refusal=refusal)
        if not found:
            return _("No server’s rules hold here.\n{here}", here=here)
        return joined("\n\n", (house_text.rules_text(rules, here=here) for rules in found[:1]))

    async def _tried(self, interaction: nextcord.Interaction, prompt: str) -> str:
        draft, origin = parse_prompt(prompt).draft, of_interaction(interaction, self._clock)
        verdicts: list[HouseRefusal | None] = [
            await self._house.gate.trial(draft, origin, is_age_restricted=is_restricted)
            for is_restricted in (False, True)
        ]
        return house_text.trial_text(prompt, *verdicts)


def _names(interaction: nextcord.Interaction, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of channels and roles of this server."""
    names: dict[str, str] = {}
    for each in ids:
        guild = interaction.guild
        known: Any = (guild.get_channel(int(each)) or guild.get_role(int(each))) if guild else None
        if known is not None:
            names[each] = known.name
    return names
