"""From an order to its jobs: taken in before anybody is told so, carried out by this process or by the next one.

The jobs and the end of the intake are one transaction, so at every moment there is either an intake that somebody still
has to carry out, or there are jobs. What pictures an order needs is loaded first, since their addresses keep for a day.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from backends.registry import BackendRegistry
from generation.errors import CapabilityError, GenerationError, RequestRejected
from generation.job import JobView, Origin, going_on
from generation.lora_tags import with_tags_as_loras
from generation.options import as_checked
from generation.order import Order, OrderKind
from generation.prompt_syntax import parse_prompt
from generation.request import Draft, Mode, SourceImage
from generation.several_pictures import left_out
from lazy import dataclass
from services.drawing.compare import CompareService, Comparison
from services.drawing.continuing import Parent
from services.drawing.finishing import Finisher
from services.drawing.generation import GenerationService
from services.drawing.splitting import repeated_all
from services.drawing.varying import by_second_seed
from services.drawing.versus import VersusService
from services.drawing.wildcards import WildcardService
from services.engines.catalog import Catalog
from services.people.uploads import UploadQuota
from services.pictures.fetching import PictureFetcher
from services.pictures.masks import take_masked
from services.pictures.media import MediaService
from services.pictures.pictures import left_of, made_from
from store.database import Database, NothingThere, Write
from store.intakes import Intake as Intake
from store.intakes import IntakeStore
from texts.text import _
from utils.clock import Clock
from utils.secrets import SecretBox
from utils.urls import UrlPolicy

log = logging.getLogger(__name__)

MOST_STARTS: Final = 10  # an intake that was begun so often may be what stops Easel
MOST_AGE: Final = timedelta(days=1)  # as long as the addresses of attachments keep
CLOSE_AGAIN_S: Final = (0.2, 1.0, 5.0, 30.0, 120.0)
Read = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Made:
    """The outcome of an order: jobs, one after the other, or a comparison."""

    views: Sequence[JobView] = ()
    comparison: Comparison | None = None


class IntakeService:
    """Keeps orders until they are jobs."""

    def __init__(
        self,
        *,
        store: IntakeStore,
        generation: GenerationService,
        compare: CompareService,
        finisher: Finisher,
        versus: VersusService,
        catalog: Catalog,
        media: MediaService,
        links: PictureFetcher,
        wildcards: WildcardService,
        clock: Clock,
    ) -> None:
        self._store = store
        self._generation = generation
        self._compare = compare
        self.finisher = finisher
        self._versus = versus
        self._catalog = catalog
        self._media = media
        self._links = links
        self._wildcards = wildcards
        self._clock = clock
        self.uploads: UploadQuota | None = None  # one for all doors

    async def take(self, intake_id: str, order: Order, origin: Origin) -> Intake | None:
        """Store an order; it is carried out from now on, whatever happens to this process. None: it was before.

        Raises:
            StoreUnavailable: the file cannot be written.
        """
        intake = Intake(id=intake_id, order=order, origin=origin, created_at=self._clock.now())
        return intake if await self._store.take(intake) else None

    async def left(self, door: str, before: datetime) -> list[Intake]:
        """Return what earlier processes left to be done at a door, oldest first."""
        return await self._store.left(door, before)

    async def start_again(self, intake: Intake) -> Intake | None:
        """Begin what an earlier process left; None when it is done already.

        Raises:
            RequestRejected: it is too old, or was begun too often.
        """
        again = await self._store.start(intake)
        if again is None:
            return None
        if self._clock.now() - again.created_at > MOST_AGE:
            raise RequestRejected(_("I was away for more than a day when you asked for this. Please ask again."))
        if again.starts > MOST_STARTS:
            log.error("an intake was begun at %d starts", again.starts - 1, extra={"action": "job_failed"})
            raise RequestRejected(_("I was stopped each time I began this. Please ask for something else."))
        self._generation.let_in(again.origin.user_key)
        return again

    async def attach(self, intake: Intake, *, channel_id: str, message_id: str) -> Intake:
        """Remember which message of ours awaits the answer."""
        return await self._store.attach(intake, channel_id=channel_id, message_id=message_id)

    async def shown_in(self, made: Made, origin: Origin) -> Made:
        """Note for jobs that were made while it was being sent which message of ours awaits them."""
        place = {"channel_id": origin.channel_id or "", "message_id": origin.message_id or ""}
        if made.comparison:
            await self._generation.attach_group(made.comparison.job_ids, **place)
        if not made.views or made.views[0].job.origin.message_id:
            return made
        first, *others = made.views
        return Made(views=[await self._generation.shown_in(first, **place), *others])

    async def close(self, intake: Intake) -> bool:
        """End an intake without jobs; False when it has some already. A store that is locked is asked again.

        One that was refused is ended once its person was told.
        """
        for wait_s in CLOSE_AGAIN_S:
            try:
                return await self._store.close(intake.id, self._clock.now())
            except Exception:
                log.info("an intake could not be ended yet", exc_info=True)
            await self._clock.sleep(wait_s)
        return await self._store.close(intake.id, self._clock.now())

    async def take_back(self, made: Made, origin: Origin) -> None:
        """Cancel what an order became while somebody gave it up; nobody is told."""
        job_ids = made.comparison.job_ids if made.comparison else [view.job.id for view in made.views]
        for job_id in job_ids:
            # in this order and without a pause, so that nobody finds the answer due and posts it again
            await self._generation.cancel(job_id, origin.person)
            await self._generation.delivered(job_id)
        if made.comparison:
            await self._compare.delivered(made.comparison)

    async def carry_out(self, intake: Intake, read: Read) -> Made:
        """Load what the order needs and turn it into jobs; `read` fetches an attachment by its address.

        Raises:
            GenerationError: it is refused; the intake is still open, unless somebody took it back.
        """
        try:
            return await self._carry_out(intake, self._charged(read, intake))
        except NothingThere as error:
            raise RequestRejected(_("This was taken back or deleted before it began.")) from error

    async def _carry_out(self, intake: Intake, read: Read) -> Made:
        order, origin = intake.order, intake.origin
        closing = self._store.closing(intake.id, self._clock.now())
        match order.kind:
            case OrderKind.DRAW:
                return Made(views=await self._draw(intake, read, closing))
            case OrderKind.AGAIN:
                return Made(views=[await self._again(intake, closing)])
            case OrderKind.PICK:
                return Made(views=[await self._generation.pick(order.job_id, order.index, origin, also=[closing])])
            case OrderKind.FINISH:
                return Made(views=[await self.finisher.finish(order.job_id, order.index, origin, also=[closing])])
            case OrderKind.VARY if varied := await self._varied(intake, closing):
                return Made(views=[varied])
            case OrderKind.CANCEL:
                await self._replace(intake)
                return Made()
            case OrderKind.COMPARE:
                (draft,), remarks = await self._filled(order, [order.draft])
                notes = (*order.notes, *remarks)
                started = await self._compare.start(draft, origin, order.engines, notes=notes, also=[closing])
                return Made(comparison=started)
            case OrderKind.VERSUS:
                return Made(comparison=await self._versus_of(order, origin, closing))
            case OrderKind.NEAREST:
                return Made(views=[await self._nearest(order, origin, read, closing)])
        draft, notes = await self._with_pictures(order, read)
        (draft,), remarks = await self._filled(order, [draft])
        parent = None
        if order.job_id:
            job = await self._generation.get(order.job_id)
            origin, parent = going_on(job, origin, order.draft), Parent(job=job, changes=order.draft)
        notes = (*order.notes, *notes, *remarks)
        view = await self._generation.submit(draft, origin, notes=notes, parent=parent, also=[closing])
        return Made(views=[view])

    async def _versus_of(self, order: Order, origin: Origin, closing: Write) -> Comparison:
        drafts, remarks = await self._filled(order, list(order.drafts))
        notes = (*order.notes, *remarks)
        return await self._versus.start(drafts, origin, hours=order.hours, notes=notes, also=[closing])

    def _charged(self, read: Read, intake: Intake) -> Read:
        async def read_and_charge(address: str) -> bytes:
            data = await read(address)
            await self._charge(intake, len(data))
            return data

        return read_and_charge

    async def _charge(self, intake: Intake, size_bytes: int) -> None:
        """Count what is read as brought by this person, once: a restart is not their doing."""
        if self.uploads is not None and intake.starts == 1:
            await self.uploads.charge(intake.origin.user_key, size_bytes)

    async def _draw(self, intake: Intake, read: Read, closing: Write) -> list[JobView]:
        """Submit all of a repeat together; an explicit seed counts up."""
        order, origin = intake.order, intake.origin
        drafts, notes = order.drafts, order.notes
        if order.files:
            draft, remarks = await self._with_attached(order, origin, read)
            drafts = _beginning_with(draft, drafts)
            notes = (*notes, *remarks)
        elif order.link:
            charge = partial(self._charge, intake)
            picture = await self._links.take(
                order.link, field="that link", charge=charge
            )  # no text: the name of a field
            drafts = _beginning_with(replace(order.draft, init_image=picture), drafts)
        parts, remarks = await self._filled(order, repeated_all(drafts, order.repeat))
        return await self._generation.submit_all(parts, origin, notes=(*notes, *remarks), also=[closing])

    async def _filled(self, order: Order, drafts: list[Draft]) -> tuple[list[Draft], tuple[str, ...]]:
        """Put words in place of wildcards, if the order has some."""
        return await self._wildcards.fill(drafts) if order.fills else (drafts, ())

    async def _with_attached(self, order: Order, origin: Origin, read: Read) -> tuple[Draft, tuple[str, ...]]:
        """Return the draft with the pictures that were attached; those that nothing here could use are not read."""
        names = [*order.names, *([""] * len(order.files))]
        may_take_all = (
            order.draft.workflow or order.draft.mode is Mode.RESTYLE or self._catalog.most_pictures(origin.person) > 1
        )
        addresses = order.files if may_take_all else order.files[:1]
        taken: list[SourceImage] = []
        notes: list[str] = []
        for address, name in zip(addresses, names, strict=False):
            data = await read(address)
            taken.append(replace(await self._media.take_input(data), name=name))
            notes += await left_of(data)
        unread = [SourceImage(media_id="", name=name) for name in names[len(taken) : len(order.files)]]
        notes += [left_out(unread)] if unread else []
        draft = replace(order.draft, init_image=taken[0], more_images=tuple(taken[1:]))
        return as_checked(draft, order.draft), tuple(dict.fromkeys(notes))

    async def _again(self, intake: Intake, closing: Write) -> JobView:
        order = intake.order
        rest = Order(kind=OrderKind.CANCEL, job_id=order.job_id)
        beside = self._store.going_on(intake.id, rest) if order.replaces else closing
        (draft,), remarks = await self._filled(order, [order.draft])
        view = await self._generation.again(
            order.job_id, intake.origin, draft, drop=order.drop, notes=(*order.notes, *remarks), also=[beside]
        )
        if order.replaces:
            try:
                await self._replace(replace(intake, order=rest))
            except Exception:  # the new job is there all the same, and the next start ends the old one
                log.exception("a replaced job goes on", extra={"action": "job_failed", "job": order.job_id})
        return view

    async def _varied(self, intake: Intake, closing: Write) -> JobView | None:
        """Vary a picture by a second seed; None where its engine has none."""
        order, origin = intake.order, intake.origin
        job = await self._generation.get(order.job_id)
        engine = self._catalog.engine(job.lane, origin.person)
        changes = by_second_seed(job, order.index, order.draft, engine.capabilities if engine else None)
        if changes is None:
            return None
        return await self._generation.again(order.job_id, origin, changes, notes=order.notes, also=[closing])

    async def _replace(self, intake: Intake) -> None:
        """End your own job in whose place a new one has come."""
        try:
            await self._generation.cancel(intake.order.job_id, intake.origin.person)
        except GenerationError as error:
            log.info("a replaced job goes on (%s)", error.code, extra={"job": intake.order.job_id})
        await self.close(intake)

    async def _nearest(self, order: Order, origin: Origin, read: Read, closing: Write) -> JobView:
        """Submit what was drawn elsewhere: without the names that no engine here has, as it is said."""
        draft, notes = order.draft, order.notes
        if order.files:
            parsed = parse_prompt((await read(order.files[0])).decode(errors="replace"))
            draft, notes = parsed.draft, parsed.notes
        try:
            return await self._generation.submit(draft, origin, notes=notes, also=[closing])
        except CapabilityError:
            draft = with_tags_as_loras(await self._generation.with_style_words(draft))
            draft, missing = self._catalog.without_unknown(draft, origin.person)
            notes = (*notes, *missing)
            if not missing and not draft.model and not draft.loras:
                raise
        try:
            return await self._generation.submit(draft, origin, notes=notes, also=[closing])
        except CapabilityError:  # no engine has all of them together
            if not draft.model and not draft.loras:
                raise
        if draft.model:
            notes = (*notes, _("model {model} is not here", model=draft.model))
        notes = (*notes, *(_("LoRA {name} left out", name=lora.name) for lora in draft.loras))
        nearest = replace(draft, model=None, loras=())
        return await self._generation.submit(nearest, origin, notes=notes, also=[closing])

    async def _with_pictures(self, order: Order, read: Read) -> tuple[Draft, tuple[str, ...]]:
        """Return the draft with the pictures it begins with, and what is to be said of them."""
        data = await self._picture(order, read)
        if order.kind is OrderKind.INPAINT:
            mask = await read(order.files[1]) if len(order.files) > 1 else None
            source = await take_masked(self._media, data, mask)
            return replace(order.draft, init_image=source.image, mask_image=source.mask), (
                *source.notes,
                *await left_of(data),
            )
        if order.kind is OrderKind.STYLE:
            styles = [await self._media.take_input(await read(file)) for file in order.files[1:2]]
            picture = await self._media.take_input(data)
            return replace(order.draft, init_image=picture, more_images=tuple(styles)), await left_of(data)
        if order.kind is OrderKind.CONTROL:
            picture = await self._media.take_input(data)
            first, *others = order.draft.control
            return replace(order.draft, control=(replace(first, image=picture), *others)), await left_of(data)
        job = await self._generation.get(order.job_id) if order.job_id else None
        draft, notes = await made_from(order.draft, await self._media.take_input(data), data, job)
        return draft, (*notes, *await left_of(data))

    async def _picture(self, order: Order, read: Read) -> bytes:
        """Load the picture: the original, if it is one of ours that is still kept, else the copy in the message."""
        media = await self._media.get(order.media_id) if order.media_id else None
        if media is not None:
            return media.data
        if not order.files:
            raise RequestRejected(_("There is no picture in that message."), field="image")
        return await read(order.files[0])


def make_intakes(
    database: Database,
    box: SecretBox,
    registry: BackendRegistry,
    generation: GenerationService,
    compare: CompareService,
    versus: VersusService,
    media: MediaService,
    clock: Clock,
    wildcards: WildcardService,
    policy: UrlPolicy | None = None,
) -> IntakeService:
    """Wire it; nothing runs yet. `policy`: which addresses of pictures may be fetched; None: public ones, by https."""
    catalog = Catalog(registry)
    return IntakeService(
        store=IntakeStore(database, box),
        generation=generation,
        compare=compare,
        finisher=Finisher(generation, catalog, media),
        catalog=catalog,
        versus=versus,
        media=media,
        links=PictureFetcher(media, policy or UrlPolicy()),
        wildcards=wildcards,
        clock=clock,
    )


def _beginning_with(first: Draft, drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """Return drafts that all begin with the pictures of the first."""
    return tuple(
        as_checked(replace(each, init_image=first.init_image, more_images=first.more_images), each) for each in drafts
    )
