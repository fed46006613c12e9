"""Keeps the bot connected until it is told to stop; what Discord or the network does never ends Easel itself.

Whatever ends the connection is dialled again with growing pauses. Only a refused token ends the bot: studio, API and
queue go on without it.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import aiohttp
import nextcord

from cogs.bot import EaselBot
from cogs.sharding import ShardsWanted
from services.reports.discord_link import DiscordLink, LinkState
from settings.discord import DiscordSettings
from texts.text import _
from utils.clock import Clock, sleep_until
from utils.loops import Loops

log = logging.getLogger(__name__)

FAILED: Final = 1
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 300.0  # Discord allows a thousand connections a day
JITTER: Final = 0.25
TOKEN_REFUSED: Final = 4004  # the gateway's code: https://discord.com/developers/docs/topics/opcodes-and-status-codes
SHARDS_REFUSED: Final = (4010, 4011)  # no such shard; too few of them
NETWORK: Final = (aiohttp.ClientError, OSError, TimeoutError)

REFUSED: Final = _("Discord refuses DISCORD_TOKEN. Copy the bot's token again (docs/discord-setup.md) and start again.")
UNREACHABLE: Final = _("Discord cannot be reached. Check the internet connection of this machine and DISCORD_API_URL.")
UNREADABLE: Final = _(
    "The bot may not read messages, so !dream cannot work; slash commands do. Switch on “Message Content "
    "Intent” on the Bot page of https://discord.com/developers/applications and start again."
)


async def serve(
    make_bot: Callable[[bool, int], EaselBot],
    settings: DiscordSettings,
    *,
    stop: asyncio.Event,
    drain: Callable[[], Awaitable[None]],
    grace_s: float,
    link: DiscordLink,
    clock: Clock,
    is_only_door: bool,
    loops: Loops | None = None,
) -> int:
    """Keep a bot connected until `stop` is set; return the exit code.

    Args:
        make_bot: called for each new connection with whether the bot may read messages, and with as many shards as
            Discord has asked for (0: it was not asked).
        settings: the bot's token, and the address of Discord's REST API, or of a proxy.
        stop: ends it in order.
        drain: lets running jobs finish; awaited before the connection is closed, so that they can still be posted.
        grace_s: as long, requests that were just heard may take to become jobs.
        link: told how the connection stands.
        clock: for the pauses.
        is_only_door: return as soon as the token is refused; else wait for `stop` all the same.
        loops: dialling is one of them; its own if None.
    """
    nextcord.http.Route.BASE = settings.api_url
    nextcord.VoiceClient.warn_nacl = False
    _hush_tracebacks()
    client, loops = _Client(make_bot, settings.token.get_secret_value(), link), loops or Loops(clock)
    is_refused = False

    async def dial() -> None:
        nonlocal is_refused
        is_refused = not await _dial(client, stop, link, clock)

    try:
        loops.start("discord", dial, may_end=True)
        await _first_of(loops.wait("discord"), stop.wait())
        if is_refused and is_only_door:
            return FAILED
        await stop.wait()
        return 0
    finally:
        await (loops.finish if stop.is_set() else loops.cancel)("discord")
        await asyncio.gather(client.drain(grace_s), drain())
        await client.close()


async def _first_of(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = {asyncio.create_task(wait) for wait in waits}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


async def _dial(client: "_Client", stop: asyncio.Event, link: DiscordLink, clock: Clock) -> bool:
    """Connect, again and again; True: `stop` was set, False: the token is refused."""
    may_read, shards, wait_s = True, 0, FIRST_WAIT_S
    while not stop.is_set():
        link.note(LinkState.CONNECTING, link.message)
        try:
            await client.run(stop, message_content=may_read, shards=shards)
        except ShardsWanted as wanted:
            await client.close()
            log.info("%s", wanted, extra={"action": "discord"})
            shards = wanted.count
        except Exception as error:
            await client.close()
            shards = 0  # it is asked again
            if may_read and isinstance(error, nextcord.PrivilegedIntentsRequired):
                log.warning(UNREADABLE)
                may_read = False
                continue
            if _is_refusal(error):
                link.note(LinkState.REFUSED, REFUSED)
                log.error(REFUSED)
                return False
            if client.was_ready:
                wait_s = FIRST_WAIT_S
            await _pause(error, wait_s * (1 - JITTER * random.random()), stop, link, clock)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)
    return True


async def _pause(error: Exception, wait_s: float, stop: asyncio.Event, link: DiscordLink, clock: Clock) -> None:
    reason = _reason(error)
    link.note(LinkState.WAITING, reason)
    is_known = isinstance(error, nextcord.DiscordException) or _is_network(error)
    log.warning("%s Trying again in %.0f s.", reason, wait_s, exc_info=None if is_known else error)
    log.debug("no connection", exc_info=error)
    await sleep_until(stop, clock, wait_s)


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, nextcord.LoginFailure) or (
        isinstance(error, nextcord.ConnectionClosed) and error.code == TOKEN_REFUSED
    )


def _is_network(error: BaseException | None) -> bool:
    """Look behind the error, too: nextcord stumbles over its missing websocket when the very first one fails."""
    while error is not None:
        if isinstance(error, NETWORK):
            return True
        error = error.__context__
    return False


def _reason(error: Exception) -> str:
    if isinstance(error, nextcord.ConnectionClosed) and error.code in SHARDS_REFUSED:
        return _("Discord takes no connection with these SHARD_COUNT and SHARD_IDS. 0 gives it as many as it asks for.")
    if isinstance(error, nextcord.ConnectionClosed):
        return _("Discord closed the connection (code {code}).", code=error.code)
    if isinstance(error, nextcord.HTTPException):
        return _("Discord answers with an error (HTTP {status}).", status=error.status)
    return (
        UNREACHABLE if isinstance(error, nextcord.DiscordException) or _is_network(error) else _("The bot has failed.")
    )


def _hush_tracebacks() -> None:
    """Let nextcord say that it connects again without the whole traceback of the network's error."""

    def shorten(record: logging.LogRecord) -> bool:
        if record.msg.startswith(("Attempting a reconnect", "Failed to connect")):
            record.exc_info, record.levelno, record.levelname = None, logging.WARNING, "WARNING"
        return True

    for name in ("nextcord.client", "nextcord.shard"):
        if not (logger := logging.getLogger(name)).filters:
            logger.addFilter(shorten)


class _Client:
    """The bot of this process; a second `run` replaces it."""

    def __init__(self, make_bot: Callable[[bool, int], EaselBot], token: str, link: DiscordLink) -> None:
        self._make_bot = make_bot
        self._token = token
        self._link = link
        self._bot: EaselBot | None = None
        self._task: asyncio.Task[None] | None = None
        self.was_ready = False

    async def run(self, stop: asyncio.Event, *, message_content: bool, shards: int) -> None:
        """Return when `stop` is set, the bot still connected; raise what ended it otherwise."""
        await self.close()
        self.was_ready = False
        self._bot = self._make_bot(message_content, shards)
        for event in ("on_ready", "on_resumed"):
            self._bot.add_listener(self._note_connected, event)
        self._bot.add_listener(self._note_lost, "on_disconnect")
        self._task = asyncio.create_task(self._bot.start(self._token))
        await _first_of(asyncio.wait({self._task}), stop.wait())
        if self._task.done():
            await self._task
            raise ConnectionError(_("the bot has left Discord by itself"))

    async def drain(self, grace_s: float) -> None:
        if self._bot is not None:
            await self._bot.desk.drain(grace_s)

    async def close(self) -> None:
        bot, self._bot = self._bot, None
        task, self._task = self._task, None
        if bot is not None:
            await bot.close()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _note_connected(self) -> None:
        self.was_ready = True
        self._link.note(LinkState.CONNECTED)

    async def _note_lost(self) -> None:
        if self._link.state is LinkState.CONNECTED:
            self._link.note(LinkState.CONNECTING, _("The connection to Discord was lost; it is being made again."))
