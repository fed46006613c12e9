"""Keep the message of one job true from its first words to its end."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from cogs.cards import Card, CardPicture
from cogs.delivery import is_old
from cogs.jobs.attached import hidden
from cogs.pacing import EditPlan, MessageState, Pacer
from cogs.posting import Poster
from cogs.spender import Spender
from generation.job import Hold, JobStatus, JobView, Progress
from services.drawing.generation import GenerationService
from utils.clock import Clock

log = logging.getLogger(__name__)

MOST_PREVIEWS: Final = 2  # uploads of what nobody keeps
LEAST_KNOWN: Final = 0.01  # of a picture, before its end is guessed from how far it is
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
        self._run_at: float | None = None
        self._opening: asyncio.Task[None] | None = None
        job = view.job
        plan = EditPlan(
            None if is_thinking else self._standing(view),
            clock.monotonic(),
            age_s=(clock.now() - job.created_at).total_seconds(),
            ping_after_s=ping_after_s if job.origin.pings and not job.origin.private else 0.0,
        )
        self._pacer = Pacer(plan, clock, self._offer)
        self._pacing = asyncio.create_task(self._pacer.run(), name="pacing")

    def note(self, view: JobView) -> None:
        """Take in how the job stands now."""
        self._view = view
        if not is_old(view.job, self._clock):
            self._pacer.note(self._standing(view))

    async def end(self) -> None:
        """Show nothing more; the first words, if they are on their way, arrive before this returns."""
        self._pacing.cancel()
        if self._opening is not None:
            await self._opening

    def cancel(self) -> None:
        for task in (self._pacing, self._opening):
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
            news=(view.hold, view.away is not None, job.lane, job.attempt, job.not_before),
            words=(view.position, progress.note if progress else ""),
            fraction=progress.fraction if progress else 0.0,
        )

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
            if posted := await self._poster.present(job, self._draw(view, ()), is_repeated=False):
                await self._service.attach_message(job.id, channel_id=posted.channel_id, message_id=posted.message_id)
        except Exception:
            log.exception("a first answer was not noted", extra={"action": "job_failed", "job": job.id})
        self._pacer.sent(self._standing(view))

    async def _send(self) -> None:
        current = await self._service.view(self._view.job.id)
        if current is None or current.job.is_terminal:
            return
        try:
            await self._poster.edit(current.job, self._draw(current, self._preview(current)))
        finally:
            self._pacer.sent(self._standing(current))

    def _preview(self, view: JobView) -> tuple[CardPicture, ...]:
        job, data = view.job, view.progress.preview if view.progress else None
        if not data or not job.origin.previews or self._previews >= MOST_PREVIEWS:
            return ()
        self._previews += 1
        return (CardPicture(data=data, filename=hidden(_preview_name(data), job), alt_text="preview"),)


def _preview_name(data: bytes) -> str:
    kinds = {b"\x89PNG": "png", b"RIFF": "webp"}
    return f"preview.{kinds.get(data[:4], 'jpg')}"
