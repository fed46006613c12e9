"""Make the pictures of one line and save them: submit, watch, write the files."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from console.inputs import with_files
from console.progress import Display, display
from console.saving import Target, picture_file, write
from console.text import say, tell
from generation.errors import GenerationError
from generation.job import Job, JobView, Origin
from generation.money import PriceNotAgreed, dollars
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import Draft
from generation.result import StoredImage
from lazy import dataclass
from services.drawing.generation import GenerationService
from services.drawing.splitting import repeated_all
from services.drawing.wildcards import WildcardService
from services.engines.catalog import Catalog
from services.people.access import LOCAL_USER
from services.pictures.media import MediaService, file_name
from texts.text import _, joined

FAILED: Final = 1
BAD_INPUT: Final = 2
ENGINE_FAILED: Final = 3
INTERRUPTED: Final = 130

# The same person as in a browser on this machine: one gallery, one share of the queue.
ORIGIN: Final = Origin(door="console", user_id=LOCAL_USER, user_name="You", account=f"api:{LOCAL_USER}")
EXIT_CODES: Final = {  # by the code of the error; every other one is the engine's
    "request_rejected": BAD_INPUT,
    "not_capable": BAD_INPUT,
    "content_blocked": BAD_INPUT,
    "limit_reached": FAILED,
    "budget_exceeded": FAILED,
    "price_not_agreed": FAILED,
    "not_allowed": FAILED,
    "generation_error": FAILED,
}

T = TypeVar("T")


class Run(Protocol):
    """Run a coroutine on the event loop and wait for it."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


@dataclass(frozen=True, kw_only=True)
class ConsoleParts:
    """The parts that the console works with; `main` builds it."""

    generation: GenerationService
    media: MediaService
    catalog: Catalog
    wildcards: WildcardService
    pictures: Path  # where pictures go that were given no name
    findings: tuple[str, ...]  # what was found on this machine, in words
    run: Run
    address: str = ""  # where the studio is, if it is served
    has_token: bool = False  # for Discord, which was left out all the same
    stay: Callable[[], None] | None = None  # wait for the end, where nobody sits at the console
    bring_workflows: Callable[[], Awaitable[None]] | None = None  # into a store that lasts for one run


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One line and what goes with it: pictures to draw from, and where to save (None: the folder for pictures)."""

    text: str
    images: tuple[Path, ...] = ()
    output: Path | None = None
    max_cost_usd: float = 0.0  # who asks agrees to so much; 0: to nothing


def draw(studio: ConsoleParts, asked: Asked, *, is_quiet: bool = False) -> int:
    """Make and save the pictures of one line; return the exit code. Ctrl+C cancels them and goes on upwards."""
    try:
        return studio.run(_draw(studio, asked, is_quiet))
    except PriceNotAgreed as error:
        agree = _("Add --max-cost {usd:.4g} to draw it.", usd=error.usd)
        return explain(error.code, error.user_message, agree)
    except GenerationError as error:
        return explain(error.code, error.user_message, joined(" ", filter(None, (error.hint, error.owner_hint))))
    except OSError as error:
        tell(
            _(
                "✖ The picture cannot be saved as {filename}: {strerror}.",
                filename=error.filename,
                strerror=error.strerror,
            )
        )
        return FAILED


async def _draw(studio: ConsoleParts, asked: Asked, is_quiet: bool) -> int:
    target = Target(output=asked.output, folder=studio.pictures)
    target.check()
    parsed = parse_prompt(asked.text, takes_several=True)
    drafts, remarks = await _drafts(studio, parsed, asked.images)
    for note in (*parsed.notes, *remarks):
        tell(_("note: {note}", note=note))
    if parsed.draft.workflow and studio.bring_workflows:
        await studio.bring_workflows()
    views: list[JobView] = []
    try:
        if not is_quiet:
            await _tell_price(studio, drafts)
        views = await studio.generation.submit_all(drafts, replace(ORIGIN, agreed_usd=asked.max_cost_usd))
        with display(is_quiet=is_quiet) as shown:
            jobs = [await _finished(studio, view.job, shown) for view in views]
    except asyncio.CancelledError:
        for view in views:
            await studio.generation.cancel(view.job.id, ORIGIN.person)
        raise
    await _save(studio, jobs, target, is_quiet)
    if not is_quiet:
        _tell_cost(jobs)
    failed = next((job.error for job in jobs if job.error), None)
    if failed is None:
        return 0
    return explain(failed.code, failed.user_message, joined(" ", filter(None, (failed.hint, failed.owner_hint))))


async def _tell_price(studio: ConsoleParts, drafts: Sequence[Draft]) -> None:
    """Name the price before anything is drawn, where the engine charges."""
    found = await studio.generation.estimate(drafts[0], ORIGIN, others=drafts[1:])
    if found.is_paid and found.cost_usd:
        tell(_("note: this costs about {usd} on {engine}", usd=dollars(found.cost_usd), engine=found.label))
    elif found.is_paid:
        tell(_("note: {engine} charges for this, and cannot say how much", engine=found.label))


def _tell_cost(jobs: Sequence[Job]) -> None:
    """Name what was charged, where something was."""
    if usd := sum(job.result.cost_usd for job in jobs if job.result and not job.result.from_cache):
        say(_("It cost {usd}.", usd=dollars(usd)))


async def _drafts(
    studio: ConsoleParts, parsed: ParsedPrompt, images: Sequence[Path]
) -> tuple[list[Draft], tuple[str, ...]]:
    """Return what is to be drawn for one line, and remarks on it."""
    begun, remarks = [], dict[str, None]()
    for draft in parsed.drafts:
        with_pictures, of_pictures = await with_files(draft, images, studio.media)
        begun.append(with_pictures)
        remarks |= dict.fromkeys(of_pictures)
    drafts = repeated_all(begun, parsed.repeat)
    if parsed.has_wildcards:
        drafts, of_words = await studio.wildcards.fill(drafts)
        remarks |= dict.fromkeys(of_words)
    return drafts, tuple(remarks)


async def _finished(studio: ConsoleParts, job: Job, shown: Display) -> Job:
    shown.begin(job)
    async for view in studio.generation.watch(job.id):
        job = view.job
        shown.update(view)
    return job


async def _save(studio: ConsoleParts, jobs: Sequence[Job], target: Target, is_quiet: bool) -> None:
    done = [(job, image) for job in jobs if job.result for image in job.result.images]
    for number, (job, image) in enumerate(done, 1):
        media = await studio.media.get(image.media_id)
        if media is None:
            tell(_("✖ A picture was gone before it could be saved."))
            continue
        made = await picture_file(studio.media, media, target.kind)
        name = file_name(job.drawn.prompt, image.seed, job.created_at, made.file.extension)
        path = target.path(name, number if len(done) > 1 else None)
        await asyncio.to_thread(write, path, made.file.data)
        say(str(path) if is_quiet else _("Saved {path}  ({facts})", path=path, facts=_facts(studio, job, image)))
        if made.note:
            tell(_("note: {note}", note=made.note))
    if not is_quiet:
        for note in dict.fromkeys(note for job in jobs for note in _notes(job)):
            say(f"  {note}")


def _facts(studio: ConsoleParts, job: Job, image: StoredImage) -> str:
    result = job.result
    assert result is not None, "only finished jobs are saved"
    time = _("from the cache") if result.from_cache else f"{result.seconds:.1f} s"
    model = f", {result.model}" if result.model else ""
    return _(
        "{width}×{height}, seed {seed}, {time}, {lane}{model}",
        width=image.width,
        height=image.height,
        seed=image.seed,
        time=time,
        lane=studio.generation.label(job.lane),
        model=model,
    )


def _notes(job: Job) -> list[str]:
    """Return what was changed, and the engine's own remark."""
    result = job.result
    if result is None:
        return []
    return [_("note: {note}", note=note) for note in (*job.notes, *result.notes)]


def explain(code: str, message: str, hint: str) -> int:
    """Report what went wrong and what to do; return the exit code of such an error."""
    tell(f"✖ {message}" + (f"\n  {hint}" if hint else ""))
    return EXIT_CODES.get(code, ENGINE_FAILED)
