"""Alt texts from the pictures themselves, where the owner has set that: between keeping a picture and telling of it.

Screen readers hear what a picture shows, not what was asked for. A picture never fails or waits longer than the text
engine may take: without an answer, the words that were asked for stand there, as they do where this is off.
"""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from constants import DISCORD_ALT_TEXT_CHARS
from generation.errors import GenerationError
from generation.foreign import clean_line
from generation.job import Job
from generation.request import Draft
from generation.result import GenerationResult, JobResult, StoredImage
from services.house.gate import Gate
from services.pictures.media import MediaService
from services.wording.asking import Purpose, TextService
from services.wording.seeing import TASK, WORDS, shown
from text_engines.base import TextQuestion

log = logging.getLogger(__name__)

MOST_PICTURES: Final = 4  # of a job: a grid is described by its first
MAX_ALT_CHARS: Final = DISCORD_ALT_TEXT_CHARS - 200  # the model, the size and the seed follow it


class AltForm(BaseModel):
    """The answer that is asked for."""

    alt: str = Field(description="One or two sentences for somebody who cannot see it")  # no text: for a model


class AltTextSink:
    """Keeps finished pictures as the media service does, with a sentence on what each shows."""

    def __init__(self, media: MediaService, text: TextService, *, is_on: bool) -> None:
        self._media = media
        self.text = text
        self.gate: Gate | None = None  # it judges what is said of a picture; without it, nothing is
        self._is_on = is_on

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        kept = await self._media.keep(job, result, seconds)
        if not (self._is_on and self.text.is_on) or self.text.is_resting():
            return kept
        alts = await asyncio.gather(*(self._alt(job, image) for image in kept.images[:MOST_PICTURES]))
        return replace(kept, alts=tuple(alts)) if any(alts) else kept

    async def discard(self, job_id: str) -> None:
        await self._media.discard(job_id)

    async def _alt(self, job: Job, image: StoredImage) -> str:
        """Return what a picture shows; "" where nothing says so, or it may not be said here."""
        media = None if image.is_video else await self._media.get(image.media_id)
        if media is None:
            return ""
        try:
            question = TextQuestion(task=TASK, words=WORDS, form=AltForm, picture=await shown(media.data))
            answer = await self.text.ask(question, job.origin, Purpose.ALT)
        except GenerationError as error:
            about = {"action": "text_asked", "job": job.id, "error": str(error)}
            log.info("a picture has no alt text of its own", extra=about)
            return ""
        alt = clean_line(answer.alt, MAX_ALT_CHARS)
        origin, judged = job.origin, Draft(prompt=alt)
        if self.gate is None or await self.gate.trial(judged, origin, is_age_restricted=origin.is_age_restricted):
            return ""
        return alt
