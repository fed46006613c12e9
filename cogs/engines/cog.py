"""`/status` and `/gpu`: how each engine is, what a rented one costs, and a word to its owner when that is due."""

import logging
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card
from cogs.decorators import prefix_command
from cogs.engines import text as engines_text
from cogs.engines.connections import owner_of
from cogs.origin import person_of, person_of_message
from cogs.posting import TRANSIENT
from cogs.waiting import answer
from generation.errors import GenerationError, RequestRejected
from generation.person import Person
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from services.engines.connections import ConnectionService, Owner
from services.moderation.rights import Rights
from services.rentals.rentals import MAX_USD_PER_HOUR, TITLES, Bill, Notice, RentalService
from services.wording.asking import TextService
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

PROVIDERS = {title: name for name, title in TITLES.items()} | {"another": ""}


class Engines(commands.Cog):
    """Read-only views of the engines, and the care for those that cost money by the hour."""

    def __init__(
        self,
        bot: commands.Bot,
        *,
        service: GenerationService,
        catalog: Catalog,
        connections: ConnectionService,
        rentals: RentalService,
        text: TextService,
        rights: Rights,
        clock: Clock,
    ) -> None:
        self._bot = bot
        self._rights = rights
        self._service = service
        self._catalog = catalog
        self._connections = connections
        self._rentals = rentals
        self._text = text
        self._clock = clock
        rentals.on_notice.append(self.tell)

    @nextcord.slash_command(name="status", description=_("How every engine is doing, and why one is down"))
    async def slash_status(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        person = person_of(interaction)
        owners = [Owner.of(person)]
        if person.guild_id and interaction.permissions.manage_guild:
            owners.append(Owner(kind="guild", id=person.guild_id))
        is_operator = person.is_manager or self._rights.is_admin(person)
        text = await self._status(person, owners, shows_advice=is_operator)
        await interaction.edit_original_message(content=text)

    @prefix_command(name="status")
    async def status_by_prefix(self, ctx: commands.Context[Any]) -> None:
        person = person_of_message(ctx)
        # what to look at is for the owner's eyes: by prefix everybody reads along
        owners = [] if person.guild_id else [Owner.of(person)]
        await answer(ctx, self._status_card(person, owners))

    @nextcord.slash_command(name="gpu", description=_("Your rented GPU: start, stop, what it has cost"))
    async def slash_gpu(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_gpu.subcommand(name="show", description=_("Since when it runs, and about what that costs"))
    async def slash_show(
        self,
        interaction: nextcord.Interaction,
        for_server: bool = SlashOption(description=_("The server's connection"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        bill = await self._rentals.bill(owner, by=str(interaction.user.id) if interaction.user else "")
        await interaction.edit_original_message(content=engines_text.bill(bill))

    @slash_gpu.subcommand(name="start", description=_("Start your rented machine; it is billed from then on"))
    async def slash_start(
        self,
        interaction: nextcord.Interaction,
        for_server: bool = SlashOption(description=_("The server's connection (admins)"), required=False),
    ) -> None:
        assert interaction.user is not None, "Discord always says who"
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        bill = await self._rentals.start(owner, by=str(interaction.user.id))
        await interaction.edit_original_message(content=engines_text.started(bill, owner))

    @slash_gpu.subcommand(name="stop", description=_("Stop your rented machine; its disk stays"))
    async def slash_stop(
        self,
        interaction: nextcord.Interaction,
        sure: bool = SlashOption(description=_("Yes, stop it now"), required=False),
        for_server: bool = SlashOption(description=_("The server's connection (admins)"), required=False),
    ) -> None:
        assert interaction.user is not None, "Discord always says who"
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        text = await self._stop(owner, str(interaction.user.id), engines_text.SURE_BY_SLASH, is_sure=bool(sure))
        await interaction.edit_original_message(content=text)

    @slash_gpu.subcommand(name="price", description=_("Tell what it costs an hour"))
    async def slash_price(
        self,
        interaction: nextcord.Interaction,
        dollars: float = SlashOption(
            description=_("Dollars an hour, for example 0.34"), min_value=0, max_value=MAX_USD_PER_HOUR
        ),
        provider: str = SlashOption(description=_("Whose machine it is"), required=False, choices=list(PROVIDERS)),
        for_server: bool = SlashOption(description=_("The server's connection (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        bill = await self._rentals.set_price(owner, dollars, PROVIDERS.get(provider or "", ""))
        await interaction.edit_original_message(content=engines_text.bill(bill))

    @slash_gpu.subcommand(name="stop-reminder", description=_("Do not write to me when it idles"))
    async def slash_stop_reminder(
        self,
        interaction: nextcord.Interaction,
        again: bool = SlashOption(description=_("Remind me again"), required=False),
        for_server: bool = SlashOption(description=_("The server's connection (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        bill = await self._rentals.set_reminders(owner, is_on=bool(again))
        await interaction.response.send_message(_reminders(bill), ephemeral=True)

    @prefix_command(name="gpu")
    async def gpu_by_prefix(self, ctx: commands.Context[Any], what: str = "show", value: str = "") -> None:
        """`!gpu`, `!gpu start`, `!gpu stop`, `!gpu price 0.34`, `!gpu stop-reminder`."""
        await answer(ctx, self._gpu(Owner.of(person_of_message(ctx)), what.casefold(), value))

    async def tell(self, notice: Notice) -> None:
        """Write to the owner of a connection; one who takes no direct messages is left in peace."""
        user_id = self._person(notice.owner)
        if user_id is None:
            return
        try:
            user = await self._bot.fetch_user(user_id)
            await user.send(engines_text.notice(notice))
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("an owner could not be told (%s)", type(error).__name__)

    def _person(self, owner: Owner) -> int | None:
        """Return who is to be told: for a server's connection the server's owner."""
        if owner.kind == "user":
            return int(owner.id)
        guild = self._bot.get_guild(int(owner.id))
        return guild.owner_id if guild else None

    async def _gpu(self, owner: Owner, what: str, value: str) -> Card:
        if what == "price":
            try:
                dollars = float(value.strip().lstrip("$").replace(",", "."))
            except ValueError:
                dollars = -1.0  # refused with the same words as any other number that is no price
            return Card(content=engines_text.bill(await self._rentals.set_price(owner, dollars)))
        if what in ("stop-reminder", "reminder"):
            is_on = what == "reminder"
            return Card(content=_reminders(await self._rentals.set_reminders(owner, is_on=is_on)))
        if what == "start":
            return Card(content=engines_text.started(await self._rentals.start(owner, by=owner.id), owner))
        if what == "stop":
            is_sure = value.casefold() in ("yes", "sure", "now")
            return Card(content=await self._stop(owner, owner.id, engines_text.SURE_BY_PREFIX, is_sure=is_sure))
        if what != "show":
            raise RequestRejected(
                _("There is `gpu show`, `gpu start`, `gpu stop`, `gpu price 0.34` and `gpu stop-reminder`."),
                field="gpu",
            )
        return Card(content=engines_text.bill(await self._rentals.bill(owner, by=owner.id)))

    async def _stop(self, owner: Owner, by: str, how: str, *, is_sure: bool) -> str:
        """Stop a machine; without a yes, say what that would do and `how` it is said."""
        if is_sure:
            return engines_text.stopped(await self._rentals.stop(owner, by=by), owner)
        return engines_text.before_stop(await self._rentals.inspect(owner, by=by), how)

    async def _status_card(self, person: Person, owners: list[Owner]) -> Card:
        return Card(content=await self._status(person, owners))

    async def _status(self, person: Person, owners: list[Owner], *, shows_advice: bool = False) -> str:
        lanes = {lane.name: lane for lane in self._service.lanes()}
        engines = self._catalog.engines(person)
        now = self._clock.now()
        lines = [
            engines_text.engine(engine, lanes.get(engine.name), now, shows_advice=shows_advice) for engine in engines
        ]
        for owner in owners:
            if any(engine.error and engine.owner_kind == owner.kind for engine in engines):
                lines += await self._reasons(owner)
        return engines_text.status(lines, self._text.state)

    async def _reasons(self, owner: Owner) -> list[str]:
        """Return why an owner's connection is down, and what to look at; nothing if it is back meanwhile."""
        try:
            diagnosis = await self._connections.test(owner)
        except GenerationError:
            return []
        return [] if diagnosis.is_ok else engines_text.reasons(diagnosis)


def _reminders(bill: Bill) -> str:
    if bill.reminds:
        return _("✅ I will write to you when it idles.")
    return _("✅ No more reminders. `/gpu stop-reminder again:True` brings them back.")
