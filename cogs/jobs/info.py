"""Info on a picture: its seed, a line that makes it again, every figure, and how long it is kept. For who pressed."""

from dataclasses import replace
from datetime import datetime
from typing import Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, CardPicture, Row
from cogs.jobs.card import date_and_time
from cogs.jobs.small_print import NAME_CHARS, details, kind_of, styles
from cogs.origin import person_of
from cogs.plain import block, escape
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from constants import DISCORD_CONTENT_CHARS
from generation.foreign import visible
from generation.job import Job, JobStatus
from generation.person import Person
from generation.prompt_syntax import format_prompt
from lazy import dataclass
from services.drawing.generation import GenerationService
from services.library.gallery import GalleryService
from texts.text import _, joined
from utils.text import cut

LINE_CHARS: Final = 1000
SEEDS_CHARS: Final = 200
FIGURES_CHARS: Final = 500
COMMAND: Final = "!dream "
FILE_NAME: Final = "dream.txt"


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Facts on how long the pictures of a job are kept. `is_kept`: somebody keeps them, so they do not expire."""

    is_kept: bool = False
    is_mine: bool = False  # it is who asks that keeps them
    is_gone: bool = False
    until: datetime | None = None
    may_keep: bool = False


class JobInfo(commands.Cog):
    """Anybody who sees a picture may read how it was made; who owns it can keep it from here."""

    def __init__(self, *, service: GenerationService, gallery: GalleryService) -> None:
        self._service = service
        self._gallery = gallery

    def routes(self) -> tuple[Route, ...]:
        return (Route(action="info", handle=self._press),)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        keeping = await keeping_of(self._gallery, job, person)
        await interaction.response.send_message(**new_message(info_card(job, keeping)), ephemeral=True)


async def keeping_of(gallery: GalleryService, job: Job, person: Person) -> Keeping:
    """Look up how long the pictures of a job are kept, for whoever asks."""
    media_ids = {image.media_id for image in job.result.images} if job.result else set()
    if job.result is None or not media_ids:
        return Keeping()
    is_gone = bool(media_ids & await gallery.lost_among(media_ids))
    return Keeping(
        is_kept=media_ids <= await gallery.kept_among(media_ids),
        is_mine=media_ids <= await gallery.starred(person, media_ids),
        is_gone=is_gone,
        until=job.result.expires_at,
        may_keep=not is_gone and job.user_key == person.user_key,
    )


def seed_of(job: Job) -> int | None:
    """Return the seed of the first picture, so that only what was changed changes."""
    if job.result and job.result.images:
        return job.result.images[0].seed
    return job.drawn.seed if job.status is not JobStatus.DONE else None


def seeds_of(job: Job) -> str:
    """Return the seeds of all pictures of a job."""
    return " ".join(str(image.seed) for image in job.result.images) if job.result else str(job.drawn.seed)


def info_card(job: Job, keeping: Keeping) -> Card:
    """Return everything a picture was made with. A phone can copy only whole blocks, so what is copied is in one."""
    line = COMMAND + visible(format_prompt(replace(job.settled, seed=seed_of(job) or job.drawn.seed)))
    is_short = len(line) <= LINE_CHARS and "```" not in line
    again = f"\n```\n{block(line)}\n```\n" if is_short else _(": see the file\n")
    text = _(
        "Seed\n```\n{seeds}\n```\n{how}{line}-# {figures}\n-# {place}",
        seeds=cut(seeds_of(job), SEEDS_CHARS),
        how=_how(job),
        line=again,
        figures=joined(" · ", _fitting(_figures(job))),
        place=joined(" · ", _place(job, keeping)),
    )
    file = CardPicture(data=line.encode(), filename=FILE_NAME, alt_text=_("the words and options of this picture"))
    return Card(
        content=cut(text, DISCORD_CONTENT_CHARS), rows=_rows(job, keeping), pictures=() if is_short else (file,)
    )


def _how(job: Job) -> str:
    """Return what the line that makes a picture again does, which cannot name the pictures that it takes."""
    if job.settled.mask_image:
        return _("To make it again, with the picture it came from and its mask")
    return _("To make it again, with the picture it came from") if job.settled.init_image else _("To make it again")


def _figures(job: Job) -> list[str]:
    request, result = job.settled, job.result
    model = (result.model if result else None) or request.model
    images = result.images if result else ()
    size = f"{images[0].width}×{images[0].height}" if images else f"{request.width}×{request.height}"
    first = _("model {model}", model=escape(cut(model, NAME_CHARS))) if model else _("the engine's own model")
    return [first, size, *kind_of(request), *details(request), *styles(job)]


def _fitting(parts: list[str]) -> list[str]:
    """Return the first of these, as many as have room; none is cut, or what makes it harmless could be."""
    room = FIGURES_CHARS
    fitting: list[str] = []
    for part in parts:
        room -= len(part) + 3
        if room < 0:
            return [*fitting, "…"]
        fitting.append(part)
    return fitting


def _place(job: Job, keeping: Keeping) -> list[str]:
    parts = []
    if result := job.result:
        engine = escape(result.backend)
        drawn = _("{seconds:.1f} s on {engine}", seconds=result.seconds, engine=engine)
        parts.append(_("from the cache, made by {engine}", engine=engine) if result.from_cache else drawn)
        if result.cost_usd:
            parts.append(f"${result.cost_usd:.3f}")
    if keeping.is_gone:
        parts.append(_("no longer kept here"))
    elif keeping.is_kept:
        parts.append(_("⭐ kept"))
    elif keeping.until:
        parts.append(_("kept here until {time}", time=date_and_time(keeping.until)))
    return [*parts, _("job {short_id}", short_id=job.short_id)]


def _rows(job: Job, keeping: Keeping) -> tuple[Row, ...]:
    if not keeping.may_keep:
        return ()
    label = _("Let go") if keeping.is_mine else _("Keep")
    return ((Button(action="keep", job_id=job.id, label=label, emoji="⭐"),),)
