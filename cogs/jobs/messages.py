"""Keeps the one message of every job true: watches the job, edits the message, delivers the result exactly once.

A result is due until `delivered` is written. After a restart every unfinished message is taken up again: an edit of
the same message is repeated safely, so nothing is lost and nothing is posted twice.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Final

from cogs.cards import Card, CardPicture
from cogs.delivery import Delivery, Followers, Write
from cogs.jobs import card as render
from cogs.jobs.attached import LinkTo, attached, to_picture
from cogs.jobs.context import CardContext, OtherEngine
from cogs.jobs.progress import JobProgress
from cogs.posting import Posted, Poster
from cogs.spender import Spender
from constants import DISCORD_FILE_BYTES
from generation.job import Job, JobView
from generation.money import ON
from generation.person import Person
from generation.request import Mode
from services.drawing.finishing import Finisher
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog, Engine
from services.money.tags import PriceTags
from services.pictures.media import MediaService
from utils.clock import Clock
from utils.text import cut

log = logging.getLogger(__name__)

DOOR = "discord"
OTHER_CHARS = 60  # of an engine's label
FAR: Final = 100  # places in line: who waits behind so many is told of it once, and again when it is less


class JobMessages:
    """One short task per job that somebody waits for."""

    def __init__(
        self,
        *,
        poster: Poster,
        service: GenerationService,
        media: MediaService,
        catalog: Catalog,
        finisher: Finisher,
        tags: PriceTags,
        spender: Spender,
        clock: Clock,
        write: Write,
        ping_after_s: float = 30.0,
        has_studio: bool = False,
        start_command: Callable[[str], str] = lambda __: "",
        link_to: LinkTo = lambda image, job: "",
    ) -> None:
        self._poster = poster
        self._service = service
        self._media = media
        self._catalog = catalog
        self._finisher = finisher
        self._tags = tags
        self._prices: dict[str, Mapping[str, float]] = {}  # of the buttons of jobs that are followed
        self._spender = spender
        self._clock = clock
        self._has_studio = has_studio
        self._start_command = start_command  # what starts an engine's machine, if it is one that is stopped
        self._link_to = link_to
        self._born_at = clock.now()
        self._delivery = Delivery(poster=poster, spender=spender, clock=clock, ping_after_s=ping_after_s, write=write)
        self._followers = Followers(clock)
        self._opening: dict[str, asyncio.Task[None]] = {}
        self._asleep: set[str] = set()  # jobs that wait far behind: their messages are true, and cost an id each
        self._others: set[str] = set()  # jobs that are not far behind and not shown by us
        self._has_taken_up = False
        self._unlisten = service.listen(self._changed, moved=self._moved)
        self._taken_up: set[str] = set()  # jobs whose result may have been posted already

    def card(
        self, view: JobView, pictures: tuple[CardPicture, ...] = (), *, smaller: bool = False, number: int = 0
    ) -> Card:
        """Draw a job as it stands now; `number`: of the picture, where one of several is shown."""
        context = replace(self.context(view.job, smaller), number=number)
        return render.card(view, context, self._clock.now(), pictures)

    async def open(self, view: JobView, *, is_repeated: bool = False, is_thinking: bool = False) -> None:
        """Show a new job for the first time, and follow it from then on.

        A job that is done already (from the cache) is shown at once as it is, by its delivery.

        Args:
            view: the job as it stands now.
            is_repeated: an earlier process may have shown it, without noting where.
            is_thinking: its message shows that the bot is at work, so a picture that comes soon needs no words before.
        """
        job = view.job
        if prices := await self._tags.of(job):
            self._prices[job.id] = prices
        if is_thinking and not is_repeated:
            self.follow(view, is_thinking=not job.is_terminal)
            return
        try:
            card = None if job.is_terminal else self.card(view)
            if card and (posted := await self._poster.present(job, card, is_repeated=is_repeated)):
                await self._service.attach_message(job.id, channel_id=posted.channel_id, message_id=posted.message_id)
        except Exception:  # whatever became of its first message, its result will be shown
            log.exception("a first answer was not noted", extra={"action": "job_failed", "job": job.id})
        self.follow(view)

    def follow(self, view: JobView, *, is_thinking: bool = False) -> None:
        """Keep this job's message up to date from now on, until its result is delivered."""
        self._followers.start(view.job.id, partial(self._follow, view, is_thinking=is_thinking))

    def _changed(self, job: Job) -> None:
        """Go on with what was asleep; post what somebody draws in the studio for a channel here."""
        if self._is_asleep(job):
            # after the end of the task that fell asleep a moment ago
            asyncio.get_running_loop().call_soon(self._rouse, job)
        elif job.origin.door == DOOR and job.origin.via == "studio" and job.delivered_at is None:
            self.follow(JobView(job=job))

    def _moved(self, lanes: Collection[str]) -> None:
        """Go on with who is not far behind any more."""
        if not self._has_taken_up:
            return
        near = {job_id for lane in lanes for job_id in self._service.next_in(lane, FAR)}
        self._others &= near
        for job_id in near - self._others:
            if not self._is_known(job_id):
                self._followers.start(f"wake {job_id}", partial(self._wake, job_id))  # no text: a key

    async def take_up(self) -> int:
        """Follow every job that an earlier process left, but for those that wait far behind; return how many."""
        self._has_taken_up = True  # what ends while we ask may be in no list
        # what came in since this process began is being answered by its command just now
        due = [job for job in await self._service.due(DOOR) if job.created_at < self._born_at]
        due = [job for job in due if not self._is_known(job.id)]
        for job in due:
            self._rouse(job)
        self._moved([lane.name for lane in self._service.lanes()])
        return len(due)

    def _rouse(self, job: Job) -> None:
        """Follow a job again; what an earlier process left may have been shown, or delivered, without a note of it."""
        was_asleep = job.id in self._asleep
        self._asleep.discard(job.id)
        if was_asleep:
            self.follow(JobView(job=job))
        elif not self._is_known(job.id):
            self._taken_up.add(job.id)
            if job.origin.message_id is None:
                self._open_later(job)
            else:
                self.follow(JobView(job=job))

    def _is_known(self, job_id: str) -> bool:
        return job_id in self._followers or job_id in self._opening

    def _is_asleep(self, job: Job) -> bool:
        """Return whether it waits or waited far behind, in this process or since an earlier one."""
        if job.id in self._asleep:
            return True
        is_left = self._has_taken_up and job.origin.door == DOOR and job.created_at < self._born_at
        return is_left and job.origin.group_id is None and job.delivered_at is None and not self._is_known(job.id)

    def _open_later(self, job: Job) -> None:
        """Show a job of an earlier process that knows no message; other messages do not wait for it."""
        task = asyncio.create_task(self.open(self._service.peek(job), is_repeated=True), name="open")
        self._opening[job.id] = task
        task.add_done_callback(lambda __: self._opening.pop(job.id, None))

    async def aclose(self) -> None:
        """Let results that are on their way arrive, for a moment; the rest stays due."""
        self._unlisten()
        for task in (opening := list(self._opening.values())):
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        await self._followers.aclose()

    async def _wake(self, job_id: str) -> None:
        job = await self._service.get(job_id)
        if job is not None and self._is_asleep(job):
            self._rouse(job)
        else:
            self._others.add(job_id)

    async def _follow(self, view: JobView, *, is_thinking: bool) -> None:
        progress = self._progress(view, is_thinking=is_thinking)
        try:
            async with aclosing(self._service.watch(view.job.id)) as views:
                async for newest in views:
                    if newest.job.is_terminal:
                        with self._followers.delivering():
                            await progress.end()
                            await self._deliver(newest.job)
                        continue
                    progress.note(newest)
                    if (newest.position or 0) > FAR and progress.may_end:
                        self._asleep.add(view.job.id)
                        return
        finally:
            progress.cancel()
            if view.job.id not in self._asleep:
                self._prices.pop(view.job.id, None)
        self._taken_up.discard(view.job.id)

    def _progress(self, view: JobView, *, is_thinking: bool) -> JobProgress:
        return JobProgress(
            view,
            is_thinking=is_thinking,
            draw=self.card,
            poster=self._poster,
            spender=self._spender,
            service=self._service,
            clock=self._clock,
            ping_after_s=self._delivery.ping_after_s,
        )

    async def _deliver(self, job: Job) -> None:
        """Deliver a terminal job: try until Discord takes it or no place is left."""
        job = await self._service.get(job.id)  # our message's id may have been noted after the job ended
        if job.delivered_at is not None:
            return
        is_repeated = job.id in self._taken_up
        self._taken_up.add(job.id)  # should a fault of ours come between the sending and its note
        posted = await self._delivery.send(job.id, job, partial(self._final, job), is_repeated=is_repeated)
        if posted:
            await self._note_delivery(job, posted)
        else:
            await self._service.delivered(job.id)

    async def _note_delivery(self, job: Job, posted: Posted) -> None:
        if posted.message_id != job.origin.message_id:
            await self._service.attach_message(job.id, channel_id=posted.channel_id, message_id=posted.message_id)
        if await self._service.delivered(job.id, is_lax=not self._delivery.has_more([job])):
            self._followers.start(f"ping {job.id}", partial(self._delivery.follow_up, posted, [job]))  # no text: a key

    async def _final(self, job: Job, limit_bytes: int) -> Card:
        """Draw an ended job with what to attach: the picture, or the grid of a batch, small enough for Discord."""
        files = await attached(self._media, job, limit_bytes, self._link_to)
        price = await self._finisher.price(job, job.origin.person)
        prices = await self._tags.of(job)
        around = replace(
            self.context(job, files.is_smaller, prices=prices), left_out=files.left_out, finish_price=price
        )
        return render.card(JobView(job=job), around, self._clock.now(), files.pictures)

    async def empty(self, job: Job, words: str) -> None:
        """Leave nothing but words of the message that shows a job."""
        await self._poster.edit(job, Card(content=words), keeps_files=False)

    async def whole(self, job: Job) -> Card:
        """Draw a job that is done with its files, for another message than its own."""
        return await self._final(job, DISCORD_FILE_BYTES)

    async def originals(self, job: Job, indexes: tuple[int, ...]) -> list[CardPicture]:
        """Fetch single pictures of a batch as they were made; those that have expired are left out."""
        pictures = []
        for index in indexes:
            image = job.result.images[index] if job.result else None
            upload = await self._media.upload_copy(image.media_id, DISCORD_FILE_BYTES) if image else None
            if job.result and image and upload:
                alone = replace(job, result=replace(job.result, images=(image,)))
                pictures.append(to_picture(alone, image, upload))
        return pictures

    async def priced(self, job: Job) -> CardContext:
        """Return what the card of a job needs beside it, the prices of its buttons asked for now."""
        return self.context(job, prices=await self._tags.of(job))

    def context(self, job: Job, smaller: bool = False, *, prices: Mapping[str, float] | None = None) -> CardContext:
        """Return what the card of a job needs beside it; `prices`: instead of those of when it was opened."""
        prices = self._prices.get(job.id, {}) if prices is None else prices
        person = job.origin.person
        engine = self._catalog.engine(job.lane, person)
        capabilities = engine.capabilities if engine else None
        modes = self._catalog.modes(person)
        found = self.other_engines(job, person)
        busy = {lane.name for lane in self._service.lanes() if lane.waiting or lane.running} if found else set()
        others = (
            OtherEngine(
                name=other.name,
                label=cut(other.label, OTHER_CHARS),
                is_flux=other.is_flux,
                is_idle=other.name not in busy,
                usd=prices.get(f"{ON}{other.name}", 0.0),
            )
            for other in found
        )
        return CardContext(
            engine=self._service.label(job.lane),
            remark=capabilities.remark if capabilities else "",
            tried=tuple(self._service.label(lane) for lane in (*job.tried, job.lane)) if job.tried else (),
            others=tuple(others),
            has_models=capabilities is None or capabilities.models != (),
            has_samplers=capabilities is None or capabilities.samplers != (),
            can_upscale=Mode.UPSCALE in modes,
            can_zoom=Mode.INPAINT in modes,
            can_vary=Mode.IMG2IMG in modes,
            has_studio=self._has_studio,
            start_command=self._start_command(job.lane),
            smaller_copy=smaller,
            prices=prices,
        )

    def other_engines(self, job: Job, person: Person) -> list[Engine]:
        """Return the engines that this person may draw a picture on instead, those that are up; Flux comes first."""
        engines = self._catalog.engines(person)
        others = [engine for engine in engines if engine.name != job.lane and not engine.is_fallback and engine.is_up]
        return sorted(others, key=lambda engine: not engine.is_flux)

    def other_engine(self, job: Job, person: Person, wanted: str = "") -> Engine | None:
        """Return the engine that a button means: the one it names if this person may use that, else the first."""
        others = self.other_engines(job, person)
        return next((engine for engine in others if engine.name == wanted or not wanted), None)
