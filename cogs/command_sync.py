"""Registers the bot's commands with Discord: one request for all of them, and only when something has changed.

nextcord writes them one by one, and Discord takes five writes in 20 seconds: with 27 commands people would wait more
than a minute for the last one. Source: "Bulk Overwrite Global Application Commands" of the official documentation.
"""

import asyncio
import logging
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.contexts import is_registered_so, payload_of, without_places
from cogs.offers import LeftOut, Offers
from cogs.posting import TRANSIENT
from utils.clock import Clock
from utils.loops import Loops

log = logging.getLogger(__name__)

LOOP: Final = "commands"
LOOK_EVERY_S: Final = 60.0  # engines come and go; Discord takes few changes of commands a day
RETRY_S = (2.0, 10.0, 30.0, 120.0, 600.0)  # the last one again and again


class CommandSync:
    """One per bot. A scope is a server's id, or `None` for everywhere.

    `may_write`: of several processes of a bot, which all offer the same commands, only one registers them.
    `for_people`: they are also for those who have added the app to their own account.
    """

    def __init__(
        self,
        bot: commands.Bot,
        offers: Offers,
        loops: Loops,
        clock: Clock,
        guild_ids: tuple[int, ...],
        *,
        may_write: bool = True,
        for_people: bool = False,
    ) -> None:
        self._bot = bot
        self._clock = clock
        self._may_write = may_write
        self._for_people = for_people
        self._loops = loops
        self._offers = offers
        self._is_looking = False
        self._seen = LeftOut()
        self._scopes: tuple[int | None, ...] = guild_ids or (None,)
        self._synced: set[int | None] = set()
        self._lock = asyncio.Lock()

    async def sync_all(self) -> None:
        """Bring every scope up to date; does nothing in those that are, so that each connection may call it."""
        if not self._is_looking:
            self._is_looking, self._seen = True, self._offers.left_out()
            self._loops.start(LOOP, self._look)
        self._bot.add_all_application_commands()
        for scope in self._scopes:
            await self._sync_patiently(scope)

    async def sync_guild(self, guild_id: int) -> None:
        """Bring one server up to date that has come to be there, if it is one with commands of its own."""
        if guild_id in self._scopes:
            self._bot.add_all_application_commands()
            await self._sync_patiently(guild_id)

    async def aclose(self) -> None:
        await self._loops.cancel(LOOP)

    async def _look(self) -> None:
        """Offer commands and take them back as engines come and go."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            if (now := self._offers.left_out()) != self._seen:
                self._seen = now
                self._synced.clear()
                await self.sync_all()

    async def _sync_patiently(self, scope: int | None) -> None:
        attempt = 0
        while not self._bot.is_closed():
            try:
                async with self._lock:
                    if scope not in self._synced:
                        await self._sync(scope)
                        self._synced.add(scope)
                return
            except nextcord.Forbidden:
                log.warning(
                    "commands are not allowed in server %s: invite the bot with the scope applications.commands", scope
                )
                return
            except (nextcord.DiscordServerError, *TRANSIENT) as error:
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                log.warning("commands could not be registered (%s), next try in %.0f s", type(error).__name__, wait_s)
                attempt += 1
                await self._clock.sleep(wait_s)

    async def _sync(self, scope: int | None) -> None:
        http, application_id = self._bot.http, self._bot.application_id
        assert application_id is not None, "known since the connection"
        if scope is None:
            known: list[Any] = await http.get_global_commands(application_id)
        else:
            known = await http.get_guild_commands(application_id, scope)
        left_out = self._offers.left_out().given(frozenset(str(raw["name"]) for raw in known))
        offered = [command for command in self._commands(scope) if command.name not in left_out]
        ours = {_signature(command.get_payload(scope)): command for command in offered}
        is_same = {_signature(raw) for raw in known} == set(ours) and all(
            ours[_signature(raw)].is_payload_valid(without_places(raw), scope)  # type: ignore[arg-type]
            and is_registered_so(self._payload(ours[_signature(raw)], scope), raw)
            for raw in known
        )
        if not is_same and self._may_write:
            payload: Any = [self._payload(command, scope) for command in ours.values()]
            if scope is None:
                known = await http.bulk_upsert_global_commands(application_id, payload)
            else:
                known = await http.bulk_upsert_guild_commands(application_id, scope, payload)
            log.info("commands registered: %d", len(known), extra={"action": "commands_registered"})
        # from here on nextcord knows which id is which command
        await self._bot.discover_application_commands(
            [without_places(raw) for raw in known],  # type: ignore[misc]
            guild_id=scope,
            associate_known=True,
            delete_unknown=False,
            update_known=False,
        )

    def _payload(self, command: nextcord.BaseApplicationCommand, scope: int | None) -> dict[str, Any]:
        return payload_of(command, scope, for_people=self._for_people)

    def _commands(self, scope: int | None) -> list[nextcord.BaseApplicationCommand]:
        commands = self._bot.get_all_application_commands()
        if scope is None:
            return [command for command in commands if command.is_global]
        return [command for command in commands if scope in command.guild_ids_to_rollout]


def _signature(raw: Any) -> tuple[str, int]:
    return raw["name"], int(raw.get("type", 1))
