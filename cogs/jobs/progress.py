"""Keep the message of one job true from its first words to its end."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cogs.cards import Card, CardPicture
from cogs.delivery import is_old, is_pinged
from cogs.jobs.attached import hidden
from cogs.pacing import EditPlan, MessageState, Pacer
from cogs.posting import Poster
from cogs.spender import Spender
from generation.job import Hold, Job, JobStatus, JobView, Origin, Progress
from services.drawing.generation import GenerationService
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

MOST_PREVIEWS: Final = 2  # uploads of what nobody keeps
LEAST_KNOWN: Final = 0.01  # of a picture, before its end is guessed from how far it is
LEAVES_S: Final = 60.0  # before the token of an interaction ends
LEAVING: Final = _("-# Discord lets me answer here for 15 minutes only. The picture will come as a direct message.")
Draw = Callable[[JobView, tuple[CardPicture, ...]], Card]


class JobProgress:
    """One per followed job.

    Args:
        view: what its message shows.
        is_thinking: it shows only that the bot is thinking, and the first words are this class's to show.
        draw: makes the card.
        ping_after_s: after so long a wait its end is pinged; 0: never.
    """

    def __init__(
        self,
        view: JobView,
        *,
        is_thinking: bool,
        draw: Draw,
        poster: Poster,
        spender: Spender,
        service: GenerationService,
        clock: Clock,
        ping_after_s: float,
    ) -> None:
        self._view = view
        self._is_thinking = is_thinking
        self._draw = draw
        self._poster = poster
        self._spender = spender
        self._service = service
        self._clock = clock
        self._previews = 0
        self._previewed = b""  # is not sent twice
        self._run_at: float | None = None
        self._opening: asyncio.Task[None] | None = None
        job = view.job
        plan = EditPlan(
            None if is_thinking else self._standing(view),
            clock.monotonic(),
            age_s=(clock.now() - job.created_at).total_seconds(),
            ping_after_s=ping_after_s if is_pinged(job) else 0.0,
        )
        self._pacer = Pacer(plan, clock, self._offer)
        self._pacing = asyncio.create_task(self._pacer.run(), name="pacing")
        self._leaving = asyncio.create_task(self._leave(), name="leave")

    def note(self, view: JobView) -> None:
        """Take in how the job stands now."""
        self._view = view
        origin = view.job.origin
        if not is_old(view.job, self._clock) and (self._poster.has_reply(origin) or not _is_bound(origin)):
            self._pacer.note(self._standing(view))

    @property
    def may_end(self) -> bool:
        """Return whether its first words are shown, and nothing has to be shown at a certain time."""
        is_shown = not self._is_thinking and (self._opening is None or self._opening.done())
        return is_shown and not _is_bound(self._view.job.origin)

    async def end(self) -> None:
        """Show nothing more; the first words, if they are on their way, arrive before this returns."""
        self._pacing.cancel()
        self._leaving.cancel()
        if self._opening is not None:
            await self._opening

    def cancel(self) -> None:
        for task in (self._pacing, self._leaving, self._opening):
            if task is not None:
                task.cancel()

    def _standing(self, view: JobView) -> MessageState:
        job, progress, now = view.job, view.progress, self._clock.monotonic()
        is_waiting = job.status is JobStatus.QUEUED
        if is_waiting:
            self._run_at = None
        elif self._run_at is None:
            self._run_at = now
        left_s = view.eta_s if is_waiting else self._left_s(view)
        return MessageState(
            is_waiting=is_waiting,
            ends_at=None if left_s is None else now + left_s,
            is_held=(view.position or 0) > 1 or view.hold is not Hold.NONE or view.away is not None,
            news=(self._is_leaving(job), view.hold, view.away is not None, job.lane, job.attempt, job.not_before),
            words=(view.position, progress.note if progress else ""),
            fraction=progress.fraction if progress else 0.0,
        )

    async def _leave(self) -> None:
        """Show in time where the picture will come, where its message cannot be edited for much longer."""
        origin = self._view.job.origin
        if not _is_bound(origin) or origin.reply_token_until is None:
            return
        left_s = (origin.reply_token_until - self._clock.now()).total_seconds()
        if left_s > LEAVES_S:
            await self._clock.sleep(left_s - LEAVES_S)
            if view := await self._service.view(self._view.job.id):
                self.note(view)

    def _is_leaving(self, job: Job) -> bool:
        until = job.origin.reply_token_until
        return _is_bound(job.origin) and until is not None and (until - self._clock.now()).total_seconds() <= LEAVES_S

    def _card(self, view: JobView, pictures: tuple[CardPicture, ...] = ()) -> Card:
        card = self._draw(view, pictures)
        return replace(card, content=f"{card.content}\n{LEAVING}") if self._is_leaving(view.job) else card

    def _left_s(self, view: JobView) -> float | None:
        """Return the seconds until it is drawn, guessed from how far it is where its engine's pace is not known."""
        progress = view.progress or Progress()
        if progress.eta_s is not None or view.eta_s is not None:
            return progress.eta_s if progress.eta_s is not None else view.eta_s
        if progress.fraction < LEAST_KNOWN or self._run_at is None:
            return None
        return (self._clock.monotonic() - self._run_at) * (1 / progress.fraction - 1)

    def _offer(self) -> None:
        if self._is_thinking:
            self._is_thinking = False
            self._opening = asyncio.create_task(self._open(self._view), name="open")
            return
        job = self._view.job
        self._spender.offer(self._poster.bucket(job.origin), job.id, self._send)

    async def _open(self, view: JobView) -> None:
        """Show the first words; whatever becomes of them, its result will be shown."""
        job = view.job
        try:
            if posted := await self._poster.present(job, self._card(view), is_repeated=False):
                await self._service.attach_message(job.id, channel_id=posted.channel_id, message_id=posted.message_id)
        except Exception:
            log.exception("a first answer was not noted", extra={"action": "job_failed", "job": job.id})
        self._pacer.sent(self._standing(view))

    async def _send(self) -> None:
        current = await self._service.view(self._view.job.id)
        if current is None or current.job.is_terminal:
            return
        try:
            await self._poster.edit(current.job, self._card(current, self._preview(current)))
        finally:
            self._pacer.sent(self._standing(current))

    def _preview(self, view: JobView) -> tuple[CardPicture, ...]:
        job, data = view.job, view.progress.preview if view.progress else None
        if not data or data == self._previewed or not job.origin.previews or self._previews >= MOST_PREVIEWS:
            return ()
        self._previews += 1
        self._previewed = data
        return (CardPicture(data=data, filename=hidden(_preview_name(data), job), alt_text="preview"),)


def _is_bound(origin: Origin) -> bool:
    """Return whether its answer can be edited only while the interaction's token lives."""
    return bool(origin.reply_token) and (origin.private or origin.is_elsewhere)


def _preview_name(data: bytes) -> str:
    kinds = {b"\x89PNG": "png", b"RIFF": "webp"}
    return f"preview.{kinds.get(data[:4], 'jpg')}"
