"""`/settings`: what you, this channel or this server always want, laid under every request."""

from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.explaining import LIST_CHARS, WHOSE, explained_text
from cogs.origin import of_interaction, of_message, person_of, person_of_message
from cogs.plain import code
from cogs.posting import reply_to
from generation.errors import GenerationError, RequestRejected
from generation.habits import Habits
from generation.job import Origin
from generation.person import Person
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.people.preferences import PreferenceService, Preferred, Scope
from texts.text import _, joined
from utils.clock import Clock
from utils.text import cut

CHOICES: Final = {"me": "me", "this channel": "channel", "this server": "server"}
MAX_OPTIONS_CHARS: Final = 500
ANY_PROMPT: Final = "a picture"  # no text: a prompt


class Preferences(commands.Cog):
    """Shows and changes them; others' are never shown."""

    def __init__(self, *, preferences: PreferenceService, service: GenerationService, clock: Clock) -> None:
        self._preferences = preferences
        self._service = service
        self._clock = clock

    @nextcord.slash_command(name="settings", description=_("What you, this channel or this server always want"))
    async def slash_settings(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_settings.subcommand(name="show", description=_("What applies to you here, and where each value comes from"))
    async def slash_show(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_message(await self._shown(person_of(interaction)), ephemeral=True)

    @slash_settings.subcommand(name="explain", description=_("Every value a picture has here, and whose it is"))
    async def slash_explain(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_message(
            await self._explained(of_interaction(interaction, self._clock)), ephemeral=True
        )

    @slash_settings.subcommand(name="set", description=_("Always use these options, unless a request says otherwise"))
    async def slash_set(
        self,
        interaction: nextcord.Interaction,
        options: str = SlashOption(
            description=_("As behind a prompt: --steps 30 --size 768x512 --negative blurry"),
            required=False,
            max_length=MAX_OPTIONS_CHARS,
        ),
        private: bool = SlashOption(description=_("Only who asked sees the answer"), required=False),
        spoiler: bool = SlashOption(description=_("Pictures are hidden until they are clicked"), required=False),
        previews: bool = SlashOption(description=_("The unfinished picture, while it is drawn"), required=False),
        pings: bool = SlashOption(description=_("A ping when a long wait is over"), required=False),
        dm: bool = SlashOption(description=_("The finished picture also as a direct message"), required=False),
        scope: str = SlashOption(description=_("For whom; you, if left out"), choices=CHOICES, required=False),
    ) -> None:
        person = person_of(interaction)
        habits = Habits(private=private, spoiler=spoiler, previews=previews, pings=pings, dm=dm)
        is_manager = _manages(interaction)
        await self._preferences.add(person, Scope(scope or "me"), options or "", habits=habits, is_manager=is_manager)
        await interaction.response.send_message(await self._shown(person), ephemeral=True)

    @slash_settings.subcommand(name="reset", description=_("Forget options; the engine's own apply again"))
    async def slash_reset(
        self,
        interaction: nextcord.Interaction,
        options: str = SlashOption(
            description=_("Which, like: steps size; all, if left out"), required=False, max_length=MAX_OPTIONS_CHARS
        ),
        scope: str = SlashOption(description=_("For whom; you, if left out"), choices=CHOICES, required=False),
    ) -> None:
        person, names = person_of(interaction), (options or "").replace(",", " ").split()
        await self._preferences.reset(person, Scope(scope or "me"), names, is_manager=_manages(interaction))
        await interaction.response.send_message(await self._shown(person), ephemeral=True)

    @prefix_command(name="settings")
    async def settings_by_prefix(self, ctx: commands.Context[Any], what: str = "show", *, options: str = "") -> None:
        """`!settings set --steps 30`, `!settings reset steps`: your own; those of others take `/settings`."""
        person = person_of_message(ctx)
        if what == "explain":
            await reply_to(ctx, content=await self._explained(of_message(ctx)))
            return
        if what == "set":
            await self._preferences.add(person, Scope.ME, options)
        elif what == "reset":
            await self._preferences.reset(person, Scope.ME, options.replace(",", " ").split())
        elif what != "show":
            raise RequestRejected(
                _("Say `settings show`, `settings explain`, `settings set --steps 30` or `settings reset steps`.")
            )
        await reply_to(ctx, content=await self._shown(person))

    async def _explained(self, origin: Origin) -> str:
        found = await self._preferences.explain(origin.person)
        try:
            return explained_text(found, await self._service.estimate(Draft(prompt=ANY_PROMPT), origin))
        except GenerationError as error:  # no engine, or none that can: what is set can be told all the same
            return explained_text(found, error)

    async def _shown(self, person: Person) -> str:
        return settings_text(await self._preferences.explain(person))


def _manages(interaction: nextcord.Interaction) -> bool:
    return bool(interaction.guild_id) and interaction.permissions.manage_guild


def settings_text(found: list[Preferred]) -> str:
    """Write what holds, with where it comes from, and how to change it."""
    if not found:
        return _("Nothing is set: the engine’s own values apply.\n-# For example: `/settings set options:--steps 30`")
    lines: list[str] = [_("**Settings for your pictures here**")]
    for each in found:
        line = f"`{code(each.text)}` · {WHOSE[each.scope]}"
        lines.append(line if each.is_used else f"~~{line}~~")
    lines.append(_("-# What a request says goes first. `/settings reset` forgets them."))
    return cut(joined("\n", lines), LIST_CHARS)
