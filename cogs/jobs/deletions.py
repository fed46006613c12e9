"""A message of ours that somebody deletes while its job waits or runs, or is not there yet, cancels it."""

import nextcord
from nextcord.ext import commands

from cogs.desk import Desk
from services.drawing.generation import GenerationService


class Deletions(commands.Cog):
    """Only moderators can delete a bot's message, so whoever did it may."""

    def __init__(self, *, service: GenerationService, desk: Desk) -> None:
        self._service = service
        self._desk = desk

    @commands.Cog.listener("on_raw_message_delete")
    async def on_deleted(self, event: nextcord.RawMessageDeleteEvent) -> None:
        await self._gone([str(event.message_id)])

    @commands.Cog.listener("on_raw_bulk_message_delete")
    async def on_purged(self, event: nextcord.RawBulkMessageDeleteEvent) -> None:
        await self._gone([str(message_id) for message_id in event.message_ids])

    async def _gone(self, message_ids: list[str]) -> None:
        await self._desk.message_deleted(message_ids)
        await self._service.message_deleted(message_ids)
