"""Our own forms through the real library and the local Discord, which holds them against its rules."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import nextcord
import pytest
from nextcord.ext import commands

from cogs.cards import Choice
from cogs.wire.fields import (
    CheckField,
    ChecksField,
    FormField,
    FormText,
    PickField,
    RadioField,
    SelectField,
    TextField,
    UploadField,
)
from cogs.wire.forms import FilledForm, Form, filled_in, open_form
from tests.discord_server import DiscordServer, NotPossible
from tests.discord_server.modal_limits import check_modal
from tests.discord_server.sample_bot import RunningBot

CHOICES = (Choice(label="Small", value="s"), Choice(label="Large", value="l", description="slow", is_default=True))
WORDS = TextField(name="words", label="Words", value="a fox", is_long=True, note="What to draw", example="a hare")
MENU = SelectField(name="menu", label="Size", choices=CHOICES, placeholder="A size")
MANY = SelectField(name="many", label="Sizes", choices=CHOICES, most=2, is_required=False)
FILES = UploadField(name="files", label="Pictures", most=3, is_required=False)
RADIO = RadioField(name="radio", label="How", choices=CHOICES)
CHECKS = ChecksField(name="checks", label="Which", choices=CHOICES, is_required=False)
CHECK = CheckField(name="check", label="Hide it", is_checked=True)
ROLES = PickField(name="roles", label="Who", kind="role", most=3, is_required=False, placeholder="Roles")
USERS = PickField(name="users", label="Whom", kind="user", picked=("7",))
ROOMS = PickField(name="rooms", label="Where", kind="channel", channel_types=(0, 5), is_required=False)
EVERY = (WORDS, MENU, MANY, FILES, RADIO, CHECKS, CHECK, ROLES, USERS, ROOMS)


def form(*fields: FormField | FormText) -> Form:
    return Form(title="A form", custom_id="e1:x:-", fields=fields)


class FormBot(commands.Bot):
    """Answers its one command with the form it was given, and keeps what is filled in."""

    def __init__(self) -> None:
        super().__init__(intents=nextcord.Intents.none(), command_prefix=())
        self.form = form(WORDS)
        self.filled: asyncio.Queue[FilledForm] = asyncio.Queue()

        @self.slash_command(name="form", description="Opens it")
        async def opens(interaction: nextcord.Interaction) -> None:
            await open_form(interaction, self.form)

        @self.listen("on_interaction")
        async def reads(interaction: nextcord.Interaction) -> None:
            if interaction.type is nextcord.InteractionType.modal_submit:
                await interaction.response.send_message("thank you")
                await self.filled.put(filled_in(interaction))


@pytest.fixture
async def bot(discord: DiscordServer) -> AsyncIterator[FormBot]:
    bot = FormBot()
    running = RunningBot(bot, discord.token)
    await discord.wait_for(lambda: discord.commands.names() >= {"form"}, 15)
    await bot.wait_until_ready()
    yield bot
    await running.close()


async def filled(discord: DiscordServer, bot: FormBot, shown: Form, values: dict[str, Any]) -> FilledForm:
    bot.form = shown
    mia = discord.user("mia")
    modal = (await mia.slash(discord.channel, "form")).modal
    assert modal, discord.violations
    result = await mia.submit(modal, values)
    assert result.message.content == "thank you"
    assert not discord.violations
    return await bot.filled.get()


async def test_everything_that_is_filled_in_is_read(discord: DiscordServer, bot: FormBot) -> None:
    shown = form(WORDS, MENU, MANY, FILES, RADIO)
    files = [("a.png", b"12345"), ("b.txt", b"6")]
    answers = await filled(
        discord,
        bot,
        shown,
        {"Words": "a hare", "menu": "Small", "many": ["s", "Large"], "files": files, "How": "Small"},
    )
    assert answers.text("words") == "a hare"
    assert (answers.choice("menu"), answers.choice("radio")) == ("s", "s")
    assert answers.choices("many") == ("s", "l")
    assert [(file.filename, file.size) for file in answers.files("files")] == [("a.png", 5), ("b.txt", 1)]
    assert all(file.url.startswith(discord.cdn.base) for file in answers.files("files"))


async def test_what_is_left_alone_keeps_its_value(discord: DiscordServer, bot: FormBot) -> None:
    answers = await filled(discord, bot, form(WORDS, MENU, FILES, RADIO, CHECK), {})
    assert (answers.text("words"), answers.choice("menu"), answers.choice("radio")) == ("a fox", "l", "l")
    assert answers.is_checked("check")
    assert answers.files("files") == ()
    assert answers.texts()["menu"] == "l"


async def test_checks_and_picks_are_read(discord: DiscordServer, bot: FormBot) -> None:
    mia, tom = discord.user("mia"), discord.user("tom")
    users = replace(USERS, picked=(str(tom.id),))
    shown = form(FormText(text="**Who** may draw"), CHECKS, CHECK, users, ROOMS)
    answers = await filled(
        discord, bot, shown, {"checks": ["Small", "Large"], "check": False, "rooms": [discord.channel]}
    )
    assert answers.choices("checks") == ("s", "l")
    assert not answers.is_checked("check")
    assert answers.choices("users") == (str(tom.id),)
    assert answers.choices("rooms") == (str(discord.channel.id),)
    assert (await filled(discord, bot, form(users), {"users": [mia]})).choice("users") == str(mia.id)


async def test_the_client_refuses_what_a_form_does_not_offer(discord: DiscordServer, bot: FormBot) -> None:
    for shown, values in ((form(MENU), {"menu": "Huge"}), (form(MANY), {"many": ["s", "l", "s"]}),
                          (form(replace(FILES, is_required=True)), {}), (form(WORDS), {"other": "x"})):  # fmt: skip
        with pytest.raises(NotPossible):
            await filled(discord, bot, shown, values)


def test_what_a_forged_form_lacks_reads_as_empty() -> None:
    forged: list[Any] = [
        {},
        {"components": None},
        {"components": [{"type": 18}, {"type": 1, "components": None}]},
        {"components": [{"type": 18, "component": {"custom_id": "words", "value": 7, "values": "no"}}]},
        {"components": [{"type": 18, "component": {"custom_id": "words", "values": ["9"]}}], "resolved": None},
    ]
    for data in forged:
        answers = FilledForm(data)
        assert answers.text("words") == ""
        assert answers.files("words") == ()
        assert not answers.is_checked("words")


def test_a_form_of_an_older_version_is_read() -> None:
    rows = [{"type": 1, "components": [{"type": 4, "custom_id": "size", "value": "640x448"}]}]
    assert FilledForm({"components": rows}).texts() == {"size": "640x448"}


@pytest.mark.parametrize("field", EVERY, ids=lambda field: type(field).__name__)
def test_long_words_are_cut_to_what_discord_takes(field: FormField) -> None:
    long = replace(field, label="x" * 200, note="y" * 200)
    if isinstance(long, TextField):
        long = replace(long, value="z" * 5000, example="e" * 300)
    if isinstance(long, (SelectField, PickField)):
        long = replace(long, placeholder="p" * 300)
    payload = Form(title="t" * 90, custom_id="e1:x:-", fields=(long,)).payload()
    assert check_modal(payload) == []
    assert payload["title"].endswith("…")


def test_a_wrong_number_of_choices_or_fields_is_a_fault_of_ours() -> None:
    for make in (lambda: form(), lambda: form(*EVERY[:6]), lambda: replace(MENU, choices=()),
                 lambda: replace(MENU, choices=CHOICES * 13), lambda: replace(RADIO, choices=CHOICES[:1]),
                 lambda: replace(CHECKS, choices=CHOICES * 6)):  # fmt: skip
        with pytest.raises(ValueError, match="Discord takes"):
            make()


LABEL = {"type": 18, "label": "L"}
WRONG_FORMS = [
    [{"type": 18, "component": {"type": 4, "custom_id": "a", "style": 1}}],
    [LABEL | {"component": {"type": 2, "custom_id": "a", "style": 1, "label": "b"}}],
    [LABEL | {"component": {"type": 4, "custom_id": "a", "style": 1, "label": "of its own"}}],
    [LABEL | {"component": {"type": 3, "custom_id": "a", "options": []}}],
    [LABEL | {"component": {"type": 21, "custom_id": "a", "options": [{"label": "a", "value": "a"}]}}],
    [LABEL | {"component": {"type": 19, "custom_id": "a", "max_values": 11}}],
    [LABEL | {"component": {"type": 19, "custom_id": "a", "min_values": 0}}],
    [LABEL | {"component": {"type": 23, "custom_id": "a", "required": True}}],
    [{"type": 1, "components": [{"type": 3, "custom_id": "a", "options": [{"label": "a", "value": "a"}]}]}],
    [LABEL | {"component": {"type": 23, "custom_id": "a"}}] * 2,
    [{"type": 10, "content": ""}],
    [{"type": 17, "components": []}],
]  # fmt: skip


@pytest.mark.parametrize("components", WRONG_FORMS)
def test_the_local_discord_refuses_a_wrong_form(components: list[dict[str, Any]]) -> None:
    assert check_modal({"title": "t", "custom_id": "c", "components": components})
