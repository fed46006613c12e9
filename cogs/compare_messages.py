"""Keeps the one message of every comparison true, as `job_messages` does for single jobs; after a restart too."""

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial

import nextcord

from cogs import compare_card
from cogs.cards import Card, Picture
from cogs.origin import DOOR
from cogs.posting import TRANSIENT, NowhereToPost, Poster, is_too_large
from cogs.spender import Spender
from constants import DISCORD_FILE_BYTES
from generation.job import Job, JobStatus, JobView
from services.compare import CompareService, Comparison
from services.generation import GenerationService
from services.media import file_name
from utils.clock import Clock

log = logging.getLogger(__name__)

RETRY_S = (1.0, 2.0, 5.0, 15.0, 60.0, *(300.0,) * 288)  # for a day
LEAST_FILE_BYTES = 512 * 1024


@dataclass
class _State:
    """What is known of a comparison's jobs now, and what its message shows."""

    comparison: Comparison
    views: dict[str, JobView] = field(default_factory=dict)
    shown: str = ""

    @property
    def lead(self) -> Job:
        """The job whose place the message has: one with buttons, as soon as there is one."""
        jobs = [self.views[job_id].job for job_id in self.comparison.job_ids if job_id in self.views]
        return next((job for job in jobs if job.status is JobStatus.DONE), jobs[0])


class CompareMessages:
    """One short task per comparison that somebody waits for."""

    def __init__(
        self,
        *,
        poster: Poster,
        service: GenerationService,
        compare: CompareService,
        spender: Spender,
        clock: Clock,
    ) -> None:
        self._poster = poster
        self._service = service
        self._compare = compare
        self._spender = spender
        self._clock = clock
        self._born_at = clock.now()
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def open(self, comparison: Comparison) -> None:
        """Show a new comparison for the first time, and follow it from then on."""
        await self._present(comparison, is_repeated=False)
        self._start(comparison, is_repeated=False)

    async def take_up(self) -> None:
        """Follow every comparison that an earlier process left."""
        # what came in since this process began is being answered by its command just now
        due = [one for one in await self._compare.due(DOOR) if one.created_at < self._born_at]
        for comparison in due:
            if not comparison.job_ids:
                await self._compare.delivered(comparison)
            elif comparison.id not in self._tasks:
                self._start(comparison, is_repeated=True)

    async def aclose(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, comparison: Comparison, *, is_repeated: bool) -> None:
        task = asyncio.create_task(self._follow(comparison, is_repeated), name="compare")
        self._tasks[comparison.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(comparison.id, None))

    async def _follow(self, comparison: Comparison, is_repeated: bool) -> None:
        state = _State(comparison)
        try:
            if is_repeated:
                await self._present(comparison, is_repeated=True)
            await asyncio.gather(*(self._watch(state, job_id) for job_id in comparison.job_ids))
            if state.views:
                await self._deliver(state, is_repeated)
            else:
                await self._compare.delivered(comparison)
        except Exception:  # it stays due, and the next start shows it
            log.exception("a comparison could not be shown", extra={"action": "job_failed"})

    async def _present(self, comparison: Comparison, *, is_repeated: bool) -> None:
        """Show it where nobody has noted a message of it yet."""
        state = await self._read(comparison)
        jobs = [view.job for view in state.views.values()]
        if not jobs or all(job.is_terminal for job in jobs) or (is_repeated and state.lead.origin.message_id):
            return
        if posted := await self._poster.present(state.lead, self._card(state), is_repeated=is_repeated):
            place = {"channel_id": posted.channel_id, "message_id": posted.message_id}
            await self._service.attach_group(comparison.job_ids, **place)

    async def _watch(self, state: _State, job_id: str) -> None:
        async for view in self._service.watch(job_id):
            state.views[job_id] = view
            self._offer(state)

    def _offer(self, state: _State) -> None:
        content = self._card(state).content
        if content == state.shown or len(state.views) < len(state.comparison.job_ids):
            return
        state.shown = content

        async def send() -> None:
            if not all(view.job.is_terminal for view in state.views.values()):
                await self._poster.edit(state.lead, self._card(state))

        self._spender.offer(self._poster.bucket(state.lead.origin), state.comparison.id, send)

    async def _deliver(self, state: _State, is_repeated: bool) -> None:
        state = await self._read(state.comparison)  # where its message stands may have been noted after the start
        if all(view.job.delivered_at for view in state.views.values()):  # its message was deleted
            await self._compare.delivered(state.comparison)
            return
        limit_bytes = DISCORD_FILE_BYTES
        final = await self._final(state, limit_bytes)
        for wait_s in RETRY_S:
            send = partial(self._poster.deliver, state.lead, final, is_repeated=is_repeated)
            try:
                await self._spender.final(self._poster.bucket(state.lead.origin), state.comparison.id, send)
            except NowhereToPost:
                log.warning("no place left for a comparison", extra={"action": "job_failed"})
                break
            except (nextcord.HTTPException, *TRANSIENT) as error:
                if is_too_large(error) and limit_bytes > LEAST_FILE_BYTES:
                    limit_bytes //= 2
                    final = await self._final(state, limit_bytes)
                    continue
                log.warning("Discord did not take a comparison (%s), it stays due", type(error).__name__)
                is_repeated = True
                await self._clock.sleep(wait_s)
            else:
                break
        await self._compare.delivered(state.comparison)

    async def _final(self, state: _State, limit_bytes: int) -> Card:
        upload = await self._compare.strip(state.comparison, limit_bytes)
        if upload is None:
            return self._card(state)
        comparison = state.comparison
        name = file_name(comparison.prompt, comparison.seed, comparison.created_at, upload.extension)
        alt = compare_card.alt_text(comparison, state.views)
        return self._card(state, (Picture(data=upload.data, filename=name, alt_text=alt),))

    async def _read(self, comparison: Comparison) -> _State:
        views = {job_id: await self._service.view(job_id) for job_id in comparison.job_ids}
        return _State(comparison, {job_id: view for job_id, view in views.items() if view is not None})

    def _card(self, state: _State, pictures: tuple[Picture, ...] = ()) -> Card:
        user_id = state.lead.origin.user_id
        return compare_card.card(state.comparison, state.views, user_id, self._clock.now(), pictures)
