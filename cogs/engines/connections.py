"""`/sdconnect` and its kin: a person's (or a server's) own engine.

Keys are never echoed, addresses never shown in public.
"""

import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card
from cogs.decorators import prefix_command
from cogs.engines.instead import ACTION, OtherKinds
from cogs.error_handler import error_text
from cogs.origin import person_of, person_of_message
from cogs.plain import address, escape, sentence, suggest
from cogs.posting import TRANSIENT, edit_answer
from cogs.presses import Press, Route
from cogs.waiting import answer
from generation.errors import GenerationError, NotAllowed, RequestRejected
from services.drawing.generation import GenerationService
from services.engines.connections import (
    ConnectionService,
    OtherKindThere,
    Owner,
    connectable_types,
    kind_title,
    label_for,
    lane_of,
    needs_address,
    usage,
)
from texts.text import _, _n, joined
from utils.clock import Clock

log = logging.getLogger(__name__)

MAX_CHOICES = 25
READY = _("Ready to generate! Try `/generate <prompt>`")
WHOSE = {"user": "you", "guild": _("everybody in this server")}


class Connections(commands.Cog):
    """Connect, test, disconnect; everything ephemeral."""

    def __init__(self, *, connections: ConnectionService, service: GenerationService, clock: Clock) -> None:
        self._others = OtherKinds(clock)
        self._connections = connections
        self._service = service

    async def sdconnect(
        self,
        interaction: nextcord.Interaction,
        api_type: str = SlashOption(name="type", description=_("What runs there"), max_length=40),
        url: str = SlashOption(
            description=_("Its address, like https://abc123-7860.proxy.runpod.net; none for a Horde or the Grid"),
            required=False,
            max_length=500,
        ),
        api_key: str = SlashOption(
            name="key", description=_("Password or key, if it has one (user:password)"), required=False, max_length=500
        ),
        for_server: bool = SlashOption(description=_("For everybody in this server (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        name, user_id = _name(interaction.user), person_of(interaction).user_key
        card = await self._connected(api_type, url or "", api_key or "", owner, name, user_id=user_id)
        await edit_answer(interaction, card)

    async def sdtest(
        self,
        interaction: nextcord.Interaction,
        for_server: bool = SlashOption(description=_("Test the server's connection"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server), is_testing=True)
        is_theirs = owner.kind == "user" or interaction.permissions.manage_guild
        await interaction.response.defer(ephemeral=True)
        text = await self._test(owner, show_url=True) if is_theirs else await self._test_for_members(owner)
        await interaction.edit_original_message(content=text)

    @nextcord.slash_command(name="sddisconnect", description=_("Forget your engine and its key"))
    async def sddisconnect(
        self,
        interaction: nextcord.Interaction,
        running: str = SlashOption(
            description=_("What happens to pictures on their way"), required=False, choices=["finish", "cancel"]
        ),
        for_server: bool = SlashOption(description=_("The server's connection (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        text = await self._disconnect(owner, is_cancelling=running == "cancel")
        await interaction.edit_original_message(content=text)

    @prefix_command(name="sdconnect", aliases=["sdlink"])
    async def connect_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!sdconnect TYPE URL [KEY]`; a message with an address or a key is deleted before anything else."""
        # read here and not by the library, which stops at a quote that does not end, with the message left standing
        words = [word.strip("<>\"'“”") for word in text.split()]
        api_type, url, *rest = (*words, "", "")
        key = " ".join(filter(None, rest))
        if "://" not in url and not needs_address(api_type):
            url, key = "", " ".join(filter(None, (url, key)))
        if (url or key) and ctx.guild:
            await _hide(ctx)
        if not api_type or (not url and needs_address(api_type)):
            raise RequestRejected(
                _("Say what runs where: `sdconnect TYPE URL [KEY]`."),
                hint=_("For example: `{usage}`", usage=usage()),
            )
        await answer(ctx, self._connect_aloud(ctx, api_type, url, key))

    async def _connect_aloud(self, ctx: commands.Context[Any], api_type: str, url: str, key: str) -> Card:
        owner = Owner.of(person_of_message(ctx))
        is_public = ctx.guild is not None
        user_id = person_of_message(ctx).user_key
        try:
            card = await self._connected(
                api_type, url, key, owner, _name(ctx.author), user_id=user_id, show_url=not is_public
            )
        except GenerationError as error:
            if is_public and url:  # a refusal may repeat what was typed
                error.user_message = _without(error.user_message, url)
                error.hint = _without(error.hint, url)
            raise
        return replace(card, content=f"<@{ctx.author.id}> {card.content}")

    @prefix_command(name="sdtest")
    async def test_by_prefix(self, ctx: commands.Context[Any]) -> None:
        owner = Owner.of(person_of_message(ctx))
        await answer(ctx, _as_card(self._test(owner, show_url=ctx.guild is None)))

    @prefix_command(name="sddisconnect")
    async def disconnect_by_prefix(self, ctx: commands.Context[Any]) -> None:
        owner = Owner.of(person_of_message(ctx))
        await answer(ctx, _as_card(self._disconnect(owner, is_cancelling=False)))

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._connect_as),)

    async def _connect_as(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Connect the server as what it was found to be."""
        person = person_of(interaction)
        typed = self._others.take(press.job_id, person.user_key)
        owner_of(interaction, for_server=typed.owner.kind == "guild")  # who may no longer do so is refused
        await interaction.response.defer(ephemeral=True, with_message=True)
        is_public = interaction.message is not None and not interaction.message.flags.ephemeral
        text = await self._connect(typed.kind, typed.url, typed.key, typed.owner, typed.name, show_url=not is_public)
        await edit_answer(interaction, Card(content=text))

    async def _connected(
        self, api_type: str, url: str, key: str, owner: Owner, name: str, *, user_id: str, show_url: bool = True
    ) -> Card:
        """Connect, or offer to connect what answers there as what it is."""
        try:
            return Card(content=await self._connect(api_type, url, key, owner, name, show_url=show_url))
        except OtherKindThere as error:
            title = kind_title(error.kind)
            row = self._others.offer(error.kind, title, url=url, key=key, owner=owner, name=name, user_id=user_id)
            return Card(content=error_text(error), rows=(row,))

    async def _connect(
        self, api_type: str, url: str, key: str, owner: Owner, name: str, *, show_url: bool = True
    ) -> str:
        label = label_for(name if owner.kind == "user" else _("the server"), api_type)
        connected = await self._connections.connect(api_type, url, key, owner=owner, label=label)
        lines = [_("✅ **Connection OK**"), _("API Type: {api_type}", api_type=api_type)]
        if show_url:
            lines.append(f"URL: {address(connected.connection.url)}")
        if key:
            lines.append(_("Key: •••••• (kept encrypted)"))
        if connected.diagnosis.product:
            lines.append(_("Found: {product}", product=escape(connected.diagnosis.product)))
        return joined("\n", [*lines, _("Drawn for: {whose}", whose=WHOSE[owner.kind]), READY])

    async def _test(self, owner: Owner, *, show_url: bool) -> str:
        connection = await self._connections.of(owner)
        diagnosis = await self._connections.test(owner)
        if not diagnosis.is_ok:
            layers = joined(" · ", (f"{'✔' if step.is_ok else '✖'} {step.layer}" for step in diagnosis.steps))
            owner_hint = diagnosis.owner_hint if show_url else ""
            hints = [sentence(hint) for hint in (diagnosis.hint, owner_hint) if hint]
            return joined(
                "\n",
                [_("✖ **Connection failed** · {message}", message=sentence(diagnosis.message)), *hints, f"-# {layers}"],
            )
        assert connection is not None, "a test without a connection raises"
        lines = [_("✅ **Connection OK**"), _("API Type: {kind}", kind=connection.kind)]
        if show_url:
            lines.append(f"URL: {address(connection.url)}")
        if connection.key:
            lines.append("Key: ••••••")
        return joined("\n", [*lines, _("Answered in {seconds:.1f} s", seconds=diagnosis.seconds), READY])

    async def _test_for_members(self, owner: Owner) -> str:
        """Test a server's connection for somebody who does not manage it: whether it works, and not where it is."""
        diagnosis = await self._connections.test(owner)
        if diagnosis.is_ok:
            return joined(
                "\n", [_("✅ **Connection OK**"), _("Answered in {seconds:.1f} s", seconds=diagnosis.seconds), READY]
            )
        return _("✖ **Connection failed** · who manages this server reads why by `/sdtest for_server:True`.")

    async def _disconnect(self, owner: Owner, *, is_cancelling: bool) -> str:
        lane = lane_of(owner)
        if not await self._connections.disconnect(owner):
            return _("There was no connection to forget.")
        if is_cancelling:
            count = await self._service.cancel_lane(lane)
            return _n(
                "✅ Disconnected. The address and key are deleted, and {count} picture is cancelled.",
                "✅ Disconnected. The address and key are deleted, and {count} pictures are cancelled.",
                count=count,
            )
        return _(
            "✅ Disconnected; the address and key are deleted. Pictures being drawn right now are still delivered."
        )

    async def suggest_type(self, interaction: nextcord.Interaction, typed: str) -> None:
        hits = [kind for kind in connectable_types() if typed.casefold().strip() in kind]
        await suggest(interaction, hits)

    for _name_, _text in (("sdconnect", _("Connect your own engine")), ("sdlink", _("The same as /sdconnect"))):
        _command = nextcord.slash_command(name=_name_, description=_text)(sdconnect)
        _command.on_autocomplete("api_type")(suggest_type)
        locals()[f"slash_{_name_}"] = _command
    slash_sdtest = nextcord.slash_command(name="sdtest", description=_("Test your connection"))(sdtest)
    del _name_, _text, _command


def owner_of(interaction: nextcord.Interaction, *, for_server: bool, is_testing: bool = False) -> Owner:
    """Return whose connection is meant. `is_testing`: any member may ask whether the server's works.

    Raises:
        RequestRejected: there is no server here.
        NotAllowed: this person does not manage the server.
    """
    if not for_server:
        return Owner.of(person_of(interaction))
    if interaction.guild_id is None:
        raise RequestRejected(_("There is no server here: leave “for_server” out."), field="for_server")
    if not is_testing and not interaction.permissions.manage_guild:
        raise NotAllowed(_("Only people who may manage this server can look into its connection or change it."))
    return Owner(kind="guild", id=str(interaction.guild_id))


def _name(user: Any) -> str:
    return str(user.display_name)[:40]


async def _hide(ctx: commands.Context[Any]) -> None:
    """Delete a message that shows everybody where an engine is, or its key.

    Raises:
        NotAllowed: it cannot be deleted, so it is not used either.
    """
    try:
        await ctx.message.delete()
    except nextcord.NotFound:  # its author was quicker
        return
    except (nextcord.HTTPException, *TRANSIENT) as error:
        raise NotAllowed(
            _(
                "I may not delete messages here. Delete yours now: everybody can read your engine's address in it. "
                "Nothing was connected."
            ),
            hint=_("`/sdconnect` does the same for your eyes only; so does a direct message to me."),
        ) from error


def _without(text: str, url: str) -> str:
    """Take an address out of a text, as it was typed and its host alone."""
    host = url.partition("://")[2].partition("/")[0] or url.partition("/")[0]
    return text.replace(url, "…").replace(host, "…")


async def _as_card(text: Awaitable[str]) -> Card:
    return Card(content=await text)
