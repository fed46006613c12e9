"""Direct messages with pictures as they were made: what somebody asked to have sent."""

import nextcord
from nextcord.ext import commands

from cogs.cards import Card
from cogs.jobs.forms import pack
from cogs.jobs.messages import JobMessages
from cogs.posting import TRANSIENT
from cogs.wire.styles import new_message
from generation.job import Job


class Letters:
    """Writes to people."""

    def __init__(self, bot: commands.Bot, messages: JobMessages) -> None:
        self._bot = bot
        self._messages = messages

    async def send(self, user_id: int, job: Job, head: str) -> bool:
        """Send the originals of a job; False where they take no direct messages, or nothing of it is kept."""
        images = job.result.images if job.result else ()
        pictures = await self._messages.originals(job, tuple(range(len(images))))
        sent = [await self.write(user_id, Card(content=head, pictures=batch)) for batch in pack(pictures) if batch]
        return bool(sent) and all(sent)

    async def write(self, user_id: int, card: Card) -> bool:
        """Write one message; False where they take none."""
        try:
            user = self._bot.get_user(user_id) or await self._bot.fetch_user(user_id)
            await user.send(**new_message(card))
        except (nextcord.HTTPException, *TRANSIENT):
            return False
        return True
