"""Tools that draw: each commits jobs to the queue, and waits for them for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from assistants.answers import Answers, ToolAnswer
from assistants.forms import DrawForm, EditForm, FiguresForm, Ordered, WorkflowForm
from generation.errors import RequestRejected
from generation.job import JobView, Origin
from generation.money import ROUNDING_USD, PriceNotAgreed, dollars
from generation.person import Person
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import Draft, Mode, SourceImage, WorkflowRef
from services.assistants import AssistantServices
from services.bundle import Services
from services.drawing.choosing import Estimate
from services.drawing.idempotency import with_key
from services.drawing.splitting import repeated_all
from services.pictures.masks import take_masked
from services.pictures.sight import may_use_picture
from texts.text import _, render

DOOR: Final = "api"  # whoever has a key there, or sits at this machine
REPORT_EVERY_S: Final = 1.0
NOTHING_USD: Final = 1e-6  # agreed to by who has named no budget: less than any price

Report = Callable[[float, str], Awaitable[None]]  # how far it is, 0..1, and in words


class AssistantDrawing:
    """Draws for assistants."""

    def __init__(self, services: Services, own: AssistantServices, answers: Answers) -> None:
        self._services = services
        self._own = own
        self._answers = answers

    async def draw(self, person: Person, form: DrawForm) -> ToolAnswer:
        """Commit a picture from words; the answer tells of jobs that wait or run."""
        given = replace(_figures(form), batch_size=form.count, model=form.model, backend=form.engine)
        return await self._submit(person, form, parse_prompt(form.prompt, takes_several=True).under(given))

    async def edit(self, person: Person, form: EditForm) -> ToolAnswer:
        """Commit a picture from a picture."""
        source = await self.take(person, form.picture, "picture")
        draft = Draft(denoising_strength=form.strength, upscale_factor=form.upscale, seed=form.seed)
        if form.mask:
            stencil = await self.take(person, form.mask, "mask")
            masked = await take_masked(self._services.media, source.data, stencil.data)
            draft = replace(draft, init_image=masked.image, mask_image=masked.mask, mode=Mode.INPAINT)
        else:
            mode = Mode.UPSCALE if form.upscale else Mode.IMG2IMG
            draft = replace(draft, init_image=source, mode=mode)
        parsed = parse_prompt(form.prompt).under(replace(draft, backend=form.engine))
        return await self._submit(person, form, parsed)

    async def run_workflow(self, person: Person, name: str, form: WorkflowForm, options: dict[str, Any]) -> ToolAnswer:
        """Commit a picture by a saved workflow; `options` are those of its own."""
        draft = replace(
            _figures(form),
            workflow=WorkflowRef(name=name),
            options=tuple((key, _said(value)) for key, value in options.items()),
        )
        if form.picture:
            draft = replace(draft, init_image=await self.take(person, form.picture, "picture"))
        parsed = parse_prompt(form.prompt, has_workflow=True).under(draft)
        return await self._submit(person, form, parsed)

    async def take(self, person: Person, picture: str, field: str) -> SourceImage:
        """Take a picture in whatever form it was given.

        Raises:
            RequestRejected: there is none, or none for this person.
            LimitReached: they have brought too much.
        """
        picture = picture.strip()
        address = self._own.address()
        picture = picture.removeprefix(address) if address else picture
        if media_id := self._own.fetcher.media_id(picture):
            if not await may_use_picture(self._services.media, self._services.generation, person, media_id):
                raise RequestRejected(_("There is no picture here with the id in {field}.", field=field), field=field)
            picture = media_id

        async def charge(size_bytes: int) -> None:
            if not person.is_admin:
                await self._own.uploads.charge(person.user_key, size_bytes)

        return await self._own.fetcher.take(picture, field=field, charge=charge)

    async def wait(self, job_ids: Sequence[str], wait_s: float, report: Report) -> list[JobView]:
        """Wait until jobs have ended, at most so long; return how they stand then."""
        try:
            async with asyncio.timeout(wait_s):
                for number, job_id in enumerate(job_ids):
                    await self._watch(job_id, number, len(job_ids), report)
        except TimeoutError:
            pass
        views = [await self._services.generation.view(job_id) for job_id in job_ids]
        return [view for view in views if view is not None]

    async def _watch(self, job_id: str, number: int, count: int, report: Report) -> None:
        clock, told_at = self._services.clock, float("-inf")
        async for view in self._services.generation.watch(job_id):
            if view.job.is_terminal:
                return
            if (now := clock.monotonic()) - told_at >= REPORT_EVERY_S:
                told_at = now
                fraction = view.progress.fraction if view.progress else 0.0
                await report((number + fraction) / count, str(view.job.status))

    async def _submit(self, person: Person, form: Ordered, parsed: ParsedPrompt) -> ToolAnswer:
        generation = self._services.generation
        drafts = list(repeated_all(parsed.drafts, parsed.repeat))
        remarks: tuple[str, ...] = ()
        if parsed.has_wildcards:
            drafts, remarks = await self._services.wildcards.fill(drafts)
        origin = origin_of(person, private=form.private or parsed.is_private, spoiler=parsed.is_spoiler)
        asked = ["mcp", type(form).__name__, form.model_dump(mode="json", exclude={"wait_s", "budget_usd"})]
        origin = await with_key(origin, form.request_id, asked)
        notes = (*parsed.notes, *remarks)
        views = await generation.asked_before(origin)
        if not views:
            found = await generation.estimate(drafts[0], origin, others=drafts[1:])
            if question := _price_question(found, form.budget_usd):
                return question
            if found.is_paid or form.budget_usd:
                origin = replace(origin, agreed_usd=form.budget_usd or NOTHING_USD)
            try:
                views = await generation.submit_all(drafts, origin, notes=notes)
            except PriceNotAgreed as error:
                return ask_for_budget(error.usd, error.user_message)
        return await self._answers.of_jobs(views, notes)


def _price_question(found: Estimate, budget: float | None) -> ToolAnswer | None:
    """Return the question whether it may cost so much; None where it costs nothing, is agreed to, or has no chance."""
    if not found.is_paid or found.short:  # a daily budget is short: nothing is to be agreed to
        return None
    if found.cost_usd is None:
        words = _("{engine} charges for this, and cannot say how much.", engine=found.label)
        return None if budget else ask_for_budget(None, words)
    if found.cost_usd <= (budget or 0.0) + ROUNDING_USD:
        return None
    words = _("This costs about {usd} on {engine}.", usd=dollars(found.cost_usd), engine=found.label)
    return ask_for_budget(found.cost_usd, words)


def origin_of(person: Person, **more: Any) -> Origin:
    """Return where a request of this person comes from; it counts under the person's own key."""
    door, __, user_id = person.user_key.partition(":")
    account = person.user_key if door != DOOR else ""
    return Origin(door=DOOR, user_id=user_id, user_name=person.name, account=account, **more)


def ask_for_budget(usd: float | None, words: str) -> ToolAnswer:
    """Return the answer to a request that is drawn only when its price is agreed to."""
    hint = render(_("Ask the person, then call again with a budget_usd that is enough."))
    values = {"status": "input_required", "price_usd": usd, "field": "budget_usd", "hint": hint}
    return ToolAnswer(values=values | {"error": render(words)}, text=f"{render(words)} {hint}")


def _figures(form: FiguresForm) -> Draft:
    return Draft(
        negative_prompt=form.negative_prompt,
        width=form.width,
        height=form.height,
        steps=form.steps,
        cfg_scale=form.cfg_scale,
        seed=form.seed,
    )


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
