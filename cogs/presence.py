"""The line under the bot's name: how busy it is now."""

from typing import Final

import nextcord
from nextcord.ext import commands

from services.drawing.generation import GenerationService
from texts.text import _
from utils.clock import Clock
from utils.loops import Loops

LOOP: Final = "presence"
EVERY_S: Final = 20.0  # Discord takes five changes in twenty seconds


class Presence(commands.Cog):
    """Looks every few seconds and tells Discord only what has changed."""

    def __init__(self, bot: commands.Bot, *, service: GenerationService, loops: Loops, clock: Clock) -> None:
        self._bot = bot
        self._service = service
        self._loops = loops
        self._clock = clock
        self._is_running = False

    @commands.Cog.listener("on_ready")
    async def on_ready(self) -> None:
        if not self._is_running:  # it comes again with every new session
            self._is_running = True
            self._loops.start(LOOP, self._run)

    async def aclose(self) -> None:
        await self._loops.cancel(LOOP)

    async def _run(self) -> None:
        shown: tuple[int, int] | None = None
        while True:
            lanes = self._service.lanes()
            busy = sum(lane.running for lane in lanes), sum(lane.waiting for lane in lanes)
            if busy != shown:
                await self._bot.change_presence(activity=activity(*busy))
                shown = busy
            await self._clock.sleep(EVERY_S)


def activity(running: int, waiting: int) -> nextcord.Activity:
    """Return how busy it is ("Watching ..."); with nothing to do, what to type ("Listening to /imagine")."""
    if not running and not waiting:
        return nextcord.Activity(type=nextcord.ActivityType.listening, name="/imagine")
    text = _("{running} being drawn, {waiting} waiting", running=running, waiting=waiting)
    return nextcord.Activity(type=nextcord.ActivityType.watching, name=str(text))
