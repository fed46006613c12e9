"""A message of ours that somebody deletes while its job waits or runs cancels the job, as Cancel does."""

import nextcord
from nextcord.ext import commands

from services.generation import GenerationService


class Deletions(commands.Cog):
    """Only moderators can delete a bot's message, so whoever did it may."""

    def __init__(self, *, service: GenerationService) -> None:
        self._service = service

    @commands.Cog.listener("on_raw_message_delete")
    async def on_deleted(self, event: nextcord.RawMessageDeleteEvent) -> None:
        await self._service.message_deleted([str(event.message_id)])

    @commands.Cog.listener("on_raw_bulk_message_delete")
    async def on_purged(self, event: nextcord.RawBulkMessageDeleteEvent) -> None:
        await self._service.message_deleted([str(message_id) for message_id in event.message_ids])
