"""`/style`: the styles there are, and looks, which have a code to pass on; and *Save look* under a picture."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Button, Card, CardPicture
from cogs.decorators import prefix_command
from cogs.error_handler import thinking
from cogs.origin import of_interaction, person_of, person_of_message
from cogs.plain import code, escape, sentence, suggest
from cogs.posting import edit_answer, reply_to
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from generation.errors import RequestRejected
from generation.person import Person
from services.drawing.generation import GenerationService
from services.drawing.looks import MAX_NAME_CHARS, MAX_WORDS_CHARS, LookService, SavedLook, codes_of, words_of
from services.drawing.styles import Style, StyleService
from services.engines.catalog import Catalog
from services.wording.mixing import MixedStyle, MixService
from texts.text import _, joined
from utils.clock import Clock
from utils.palettes import colour_name
from utils.text import cut

ACTION: Final = "look"
OF_STYLE: Final = "style-look"
LIST_CHARS: Final = 1900
WORDS_CHARS: Final = 120
MOST_OF_ENGINE: Final = 15


class Styles(commands.Cog):
    """Lists, shows, adds, shares and deletes them."""

    def __init__(
        self,
        *,
        looks: LookService,
        styles: StyleService,
        mixing: MixService,
        catalog: Catalog,
        service: GenerationService,
        clock: Clock,
    ) -> None:
        self._looks = looks
        self._mixing = mixing
        self._clock = clock
        self._styles = styles
        self._catalog = catalog
        self._service = service

    @nextcord.slash_command(name="style", description=_("Styles to draw in, and looks to pass on"))
    async def slash_style(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_style.subcommand(name="list", description=_("The styles you can draw in here"))
    async def slash_list(self, interaction: nextcord.Interaction) -> None:
        card = await self._listed(person_of(interaction))
        await interaction.response.send_message(card.content, ephemeral=True)

    @prefix_command(name="styles")
    async def list_by_prefix(self, ctx: commands.Context[Any]) -> None:
        """`!styles`: the styles you can draw in here."""
        await reply_to(ctx, **new_message(await self._listed(person_of_message(ctx))))

    @slash_style.subcommand(name="show", description=_("What a style or a look adds to a prompt"))
    async def slash_show(
        self,
        interaction: nextcord.Interaction,
        style: str = SlashOption(description=_("Its name or its code"), max_length=100),
    ) -> None:
        person = person_of(interaction)
        ours = {each.id: each for each in await self._styles.styles()}
        if preset := ours.get(style.strip().casefold()):
            await interaction.response.send_message(**new_message(preset_card(preset)), ephemeral=True)
            return
        if theirs := self._of_engines(style, person):
            await interaction.response.send_message(theirs, ephemeral=True)
            return
        look = await self._looks.look(person, style)
        card = look_card(look, await self._looks.picture(look))
        await interaction.response.send_message(**new_message(card), ephemeral=True)

    @slash_style.subcommand(name="add", description=_("Make a style of words"))
    async def slash_add(
        self,
        interaction: nextcord.Interaction,
        name: str = SlashOption(description=_("What it is called"), max_length=MAX_NAME_CHARS),
        words: str = SlashOption(
            description=_("What it adds to a prompt: ink on paper, thin lines"), max_length=MAX_WORDS_CHARS
        ),
        for_server: bool = SlashOption(description=_("For everybody here (Manage Server)"), required=False),
    ) -> None:
        manages = bool(interaction.guild_id) and interaction.permissions.manage_guild
        look = await self._looks.from_words(
            person_of(interaction), name, words, for_server=bool(for_server), is_manager=manages
        )
        await interaction.response.send_message(**new_message(look_card(look, None)), ephemeral=True)

    @slash_style.subcommand(name="mix", description=_("Make one style of two or three"))
    async def slash_mix(
        self,
        interaction: nextcord.Interaction,
        first: str = SlashOption(description=_("Its name, its code, or words"), max_length=MAX_WORDS_CHARS),
        second: str = SlashOption(description=_("Its name, its code, or words"), max_length=MAX_WORDS_CHARS),
        third: str = SlashOption(
            description=_("Its name, its code, or words"), required=False, max_length=MAX_WORDS_CHARS
        ),
        name: str = SlashOption(description=_("What it is called"), required=False, max_length=MAX_NAME_CHARS),
    ) -> None:
        person, given = person_of(interaction), [style for style in (first, second, third) if style]
        async with thinking(interaction, ephemeral=True):
            words = [await self._words(person, style) for style in given]
            mixed = await self._mixing.mix(words, of_interaction(interaction, self._clock, private=True))
            called = name or await self._free_name(person, given)
            look = await self._looks.from_words(person, called, mixed.words)
            await edit_answer(interaction, mixed_card(look, mixed))

    async def _words(self, person: Person, style: str) -> str:
        """Return the words of a style or a look, or what was typed where it is more than a name."""
        ours = {each.id: each.value for each in await self._styles.styles()}
        if preset := ours.get(style.strip().casefold()):
            return preset
        try:
            found = words_of(await self._looks.look(person, style))
        except RequestRejected:
            if " " not in style.strip():
                raise
            return style
        if not found:
            raise RequestRejected(_("{name} has no words of its own to mix.", name=style), field="style")
        return found

    async def _free_name(self, person: Person, given: Sequence[str]) -> str:
        """Return a name for a mix that none of the person's styles has."""
        usual = cut(" + ".join(" ".join(style.replace(":", " ").split()) for style in given), MAX_NAME_CHARS - 3)
        taken = {look.name.casefold() for look in await self._looks.looks(person) if look.owner == person.user_key}
        names = (usual, *(f"{usual} {number}" for number in range(2, 100)))
        return next((name for name in names if name.casefold() not in taken), usual)

    @slash_style.subcommand(name="share", description=_("Let everybody who has its code use a look of yours"))
    async def slash_share(
        self,
        interaction: nextcord.Interaction,
        style: str = SlashOption(description=_("Its name or its code"), max_length=100),
    ) -> None:
        look = await self._looks.share(person_of(interaction), style)
        text = _("✅ Everybody who has the code can use it now: `--look {code}`", code=look.code)
        await interaction.response.send_message(text, ephemeral=True)

    @slash_style.subcommand(name="delete", description=_("Delete a style or a look"))
    async def slash_delete(
        self,
        interaction: nextcord.Interaction,
        style: str = SlashOption(description=_("Its name or its code"), max_length=100),
    ) -> None:
        manages = bool(interaction.guild_id) and interaction.permissions.manage_guild
        look = await self._looks.delete(person_of(interaction), style, is_manager=manages)
        text = _("✅ {name} is deleted. Pictures that were drawn in it stay.", name=escape(look.name))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_mix.on_autocomplete("first")
    @slash_mix.on_autocomplete("second")
    @slash_mix.on_autocomplete("third")
    @slash_show.on_autocomplete("style")
    async def suggest_any(self, interaction: nextcord.Interaction, typed: str) -> None:
        presets = {each.name: each.id for each in await self._styles.styles()}
        await self._suggest(interaction, typed, presets)

    @slash_share.on_autocomplete("style")
    @slash_delete.on_autocomplete("style")
    async def suggest_looks(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, typed, {})

    async def _suggest(self, interaction: nextcord.Interaction, typed: str, presets: dict[str, str]) -> None:
        pairs = codes_of(await self._looks.looks(person_of(interaction))) | presets
        wanted = typed.strip().casefold()
        await suggest(interaction, {shown: value for shown, value in pairs.items() if wanted in shown.casefold()})

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._save), Route(action=OF_STYLE, handle=self._save_style))

    async def _save_style(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Make a look of one of Easel's styles, for who pressed."""
        style = await self._styles.style(press.job_id)
        look = await self._looks.from_style(person_of(interaction), style)
        await interaction.response.send_message(**new_message(look_card(look, None)), ephemeral=True)

    def _of_engines(self, style: str, person: Person) -> str:
        """Return what is to say of a style that only an engine knows; nothing, if none is called so."""
        known = (value for __, value in self._catalog.suggest("styles", style.strip(), person))
        name = next((value for value in known if value.casefold() == style.strip().casefold()), None)
        if name is None:
            return ""
        return _(
            "**{name}** is saved in an engine, which keeps its words: `--style {typed}` draws in it there. Save the "
            "look of a picture that was drawn so, and every engine can.",
            name=escape(name),
            typed=code(name, 60),
        )

    async def _save(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Make a look of the picture above the menu, for who chose it."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        index = int(press.argument) if press.argument.isdecimal() else 0
        async with thinking(interaction, ephemeral=True):
            await edit_answer(interaction, look_card(await self._looks.from_picture(person, job, index), None))

    async def _listed(self, person: Person) -> Card:
        looks, presets = await self._looks.looks(person), await self._styles.styles()
        theirs = [value for __, value in self._catalog.suggest("styles", "", person)]
        return list_card(looks, presets, theirs, person)


def list_card(looks: Sequence[SavedLook], presets: Sequence[Style], theirs: Sequence[str], person: Person) -> Card:
    """List what can stand behind `--style` and `--look`."""
    lines: list[str] = [_("**Styles** · `--style NAME`, several with weights: `--style ink:0.7 --style neon`")]
    for title, own in (
        (_("Yours"), [look for look in looks if look.owner == person.user_key]),
        (_("This server's"), [look for look in looks if look.owner != person.user_key]),
    ):
        if own:
            names = ", ".join(f"{escape(look.name)} `{look.code}`" for look in own)
            lines.append(f"**{title}** {names}")
    lines.append(_("**Easel's** {names}", names=", ".join(f"`{code(style.id)}`" for style in presets)))
    if theirs:
        names = ", ".join(f"`{code(name, 60)}`" for name in theirs[:MOST_OF_ENGINE])
        lines.append(_("**The engines'** {names}", names=names))
    lines.append(
        _(
            "-# A code is a look: `--look k7f2` draws in it, and you can pass it on. *Save look* in the menu of a "
            "picture makes one."
        )
    )
    return Card(content=cut(joined("\n", lines), LIST_CHARS))


def preset_card(style: Style) -> Card:
    """Show a style of Easel's, with a button that makes a look of it."""
    text = _(
        "**{name}** · `--style {id}`\n{words}",
        name=escape(style.name),
        id=code(style.id),
        words=escape(cut(style.value, LIST_CHARS - 200)),
    )
    save = Button(action=OF_STYLE, job_id=style.id, label=_("Save as look"), emoji="🎨")
    return Card(content=text, rows=((save,),))


def mixed_card(look: SavedLook, mixed: MixedStyle) -> Card:
    """Show a mix as the look that it is, and what wrote it."""
    shown = look_card(look, None)
    by = mixed.note or _("written by {model}", model=escape(mixed.source))
    return replace(shown, content=joined("\n", (shown.content, f"-# {sentence(by)}")))


def look_card(look: SavedLook, picture: bytes | None) -> Card:
    """Show a look: its code, what it adds, and who may use it."""
    lines: list[str] = [
        _("**{name}** · `--look {code}`", name=escape(look.name), code=look.code),
        escape(cut(words_of(look), LIST_CHARS - 600)) or _("It has no words of its own."),
    ]
    more: list[str] = []
    if look.draft.negative_prompt:
        more.append(_("without {words}", words=escape(cut(look.draft.negative_prompt, WORDS_CHARS))))
    more += [_("LoRA {name}", name=escape(cut(lora.name, 60))) for lora in look.draft.loras]
    more += [escape(look.draft.sampler)] if look.draft.sampler else []
    if more:
        lines.append(f"-# {joined(' · ', more)}")
    lines.append(
        _("-# Everybody who has the code can use it.")
        if look.is_shared
        else _("-# It is of a private picture, so only you can use it. `/style share` lets everybody who has the code.")
    )
    pictures: tuple[CardPicture, ...] = ()
    if picture:
        colours = ", ".join(colour_name(colour) for colour in look.palette)
        alt = _("The picture this look was taken from, in {colours}", colours=colours)
        pictures = (CardPicture(data=picture, filename=f"look-{look.code}.jpg", alt_text=alt),)
    return Card(content=joined("\n", lines), pictures=pictures)
