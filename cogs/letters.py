"""Direct messages with pictures as they were made: what somebody asked to have sent, or always wants so."""

from collections.abc import Sequence
from contextlib import suppress

import nextcord

from cogs.cards import Card
from cogs.jobs.forms import pack
from cogs.jobs.messages import JobMessages
from cogs.posting import TRANSIENT, Posted, Poster
from cogs.wire.styles import new_message
from generation.job import Job, JobStatus
from texts.text import _


class Letters:
    """Writes to people."""

    def __init__(self, messages: JobMessages, poster: Poster) -> None:
        self._messages = messages
        self._poster = poster
        self._closed: set[str] = set()  # people who know that they take no direct messages from us

    async def send(self, user_id: int, job: Job, head: str) -> bool:
        """Send the originals of a job; False where they take no direct messages, or nothing of it is kept."""
        images = job.result.images if job.result else ()
        pictures = await self._messages.originals(job, tuple(range(len(images))))
        sent = [await self.write(user_id, Card(content=head, pictures=batch)) for batch in pack(pictures) if batch]
        return bool(sent) and all(sent)

    async def write(self, user_id: int, card: Card) -> bool:
        """Write one message; False where they take none."""
        try:
            channel = await self._poster.direct.of(str(user_id))
            await channel.send(**new_message(card))
        except (nextcord.HTTPException, *TRANSIENT):
            return False
        return True

    async def send_finished(self, posted: Posted, jobs: Sequence[Job]) -> None:
        """Send what is also wanted as a direct message; where those are closed, tell it in place, once."""
        for job in jobs:
            if not job.origin.by_letter or job.status is not JobStatus.DONE:
                continue
            user_id = job.origin.user_id
            if await self.send(int(user_id), job, _("-# job {short_id}", short_id=job.short_id)):
                self._closed.discard(user_id)
            elif user_id not in self._closed:
                self._closed.add(user_id)
                await self._tell_closed(posted, job)

    async def _tell_closed(self, posted: Posted, job: Job) -> None:
        text = _(
            "I could not send you this picture as a direct message. Allow direct messages from this server, or "
            "`/settings set` with `dm: False`."
        )
        origin = job.origin
        with suppress(nextcord.HTTPException, *TRANSIENT):
            if self._poster.has_reply(origin):
                await self._poster.reply(origin).followup.send(text, ephemeral=True)
            elif not origin.private:
                reference = nextcord.MessageReference(
                    message_id=int(posted.message_id), channel_id=int(posted.channel_id), fail_if_not_exists=False
                )
                channel = self._poster.channel(posted.channel_id)
                await channel.send(text, reference=reference, mention_author=False)
