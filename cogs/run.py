"""Keeps the bot connected until it is told to stop, and says in one sentence why it cannot."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import nextcord

from cogs.bot import EaselBot

log = logging.getLogger(__name__)

FAILED = 1


async def serve(
    make_bot: Callable[[bool], EaselBot],
    *,
    token: str,
    api_url: str,
    stop: asyncio.Event,
    drain: Callable[[], Awaitable[None]],
) -> int:
    """Run a bot until `stop` is set or Discord turns us away; return the exit code.

    Args:
        make_bot: called with whether the bot may read messages.
        token: the bot's.
        api_url: Discord's REST API, or a proxy's.
        stop: ends it in order.
        drain: lets running jobs finish; awaited before the connection is closed, so that they can still be posted.
    """
    nextcord.http.Route.BASE = api_url
    nextcord.VoiceClient.warn_nacl = False
    client = _Client(make_bot, token)
    try:
        try:
            await client.run(stop, message_content=True)
        except nextcord.PrivilegedIntentsRequired:
            log.warning(
                "The bot may not read messages, so !dream cannot work; slash commands do. Switch on “Message Content "
                "Intent” on the Bot page of https://discord.com/developers/applications and start again."
            )
            await client.run(stop, message_content=False)
    except nextcord.LoginFailure:
        return _give_up("Discord refuses DISCORD_TOKEN. Copy the bot's token anew (docs/discord-setup.md).")
    except nextcord.ConnectionClosed as closed:
        return _give_up(f"Discord closed the connection for good (code {closed.code}). Check DISCORD_TOKEN.")
    except (aiohttp.ClientError, nextcord.DiscordException, OSError, TimeoutError) as error:
        log.debug("no connection", exc_info=error)
        return _give_up("Discord cannot be reached. Check the internet connection of this machine and DISCORD_API_URL.")
    finally:
        await drain()
        await client.close()
    return 0


class _Client:
    """The bot of this process; a second `run` replaces it."""

    def __init__(self, make_bot: Callable[[bool], EaselBot], token: str) -> None:
        self._make_bot = make_bot
        self._token = token
        self._bot: EaselBot | None = None
        self._task: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event, *, message_content: bool) -> None:
        """Return when `stop` is set, the bot still connected; raise what ended it otherwise."""
        await self.close()
        self._bot = self._make_bot(message_content)
        self._task = asyncio.create_task(self._bot.start(self._token))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({self._task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._task.done():
            await self._task

    async def close(self) -> None:
        if self._bot is not None:
            await self._bot.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _give_up(reason: str) -> int:
    log.error(reason)
    return FAILED
