"""Answers of the tools: a job as data and words, its pictures inline where they are small, and as links."""

import base64
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Final

from generation.job import Job, JobStatus, JobView
from generation.money import dollars
from generation.result import StoredImage
from lazy import dataclass
from services.assistants import AssistantServices
from services.drawing.drawn import model_of, notes_of
from services.drawing.generation import GenerationService
from services.pictures.media import MediaService, file_name
from texts.text import _, render
from utils.images import EXTENSIONS
from utils.text import plain_words
from utils.threads import run_in_thread

MOST_INLINE_BYTES: Final = 1_000_000
SMALLER_PX: Final = 1024  # of the copy that stands in for a larger one
WORKING: Final = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


@dataclass(frozen=True, kw_only=True)
class InlinePicture:
    """A picture for the eyes of the model."""

    base64: str = field(repr=False)
    media_type: str


@dataclass(frozen=True, kw_only=True)
class PictureLink:
    """A picture for its reader."""

    url: str
    name: str
    media_type: str


@dataclass(frozen=True, kw_only=True)
class ToolAnswer:
    """The answer of a tool. `job_ids` are those it is about, as long as they are not done."""

    values: dict[str, Any]
    text: str
    pictures: tuple[InlinePicture, ...] = ()
    links: tuple[PictureLink, ...] = ()
    is_error: bool = False
    job_ids: tuple[str, ...] = ()


class Answers:
    """Writes jobs for assistants."""

    def __init__(self, generation: GenerationService, media: MediaService, own: AssistantServices) -> None:
        self._generation = generation
        self._media = media
        self._own = own

    async def of_jobs(self, views: Sequence[JobView], notes: Sequence[str] = ()) -> ToolAnswer:
        """Return the answer about the jobs of one request."""
        pictures, links = [], []
        for view in views:
            for image in view.job.result.images if view.job.result else ():
                if inline := await self._inline(image):
                    pictures.append(inline)
                if url := self._own.link(image.media_id):
                    links.append(PictureLink(url=url, name=_name(view.job, image), media_type=image.media_type))
        jobs = [self.values(view) for view in views]
        failed = all(view.job.is_terminal and view.job.status is not JobStatus.DONE for view in views)
        text = " ".join((*(self._sentence(view) for view in views), *map(render, notes)))
        return ToolAnswer(
            values=(jobs[0] | {"jobs": jobs} if len(jobs) > 1 else jobs[0]) | {"remarks": [render(n) for n in notes]},
            text=text,
            pictures=tuple(pictures),
            links=tuple(links),
            is_error=failed,
            job_ids=tuple(view.job.id for view in views),
        )

    def values(self, view: JobView) -> dict[str, Any]:
        """Return a job as data."""
        job, progress = view.job, view.progress
        values: dict[str, Any] = {
            "job_id": job.id,
            "status": str(job.status),
            "prompt": job.request.prompt,
            "engine": job.result.backend if job.result else self._generation.label(job.lane),
            "model": model_of(job),
            "seed": job.drawn.seed,
            "notes": [render(note) for note in notes_of(job)],
            "pictures": [self._picture(image) for image in (job.result.images if job.result else ())],
        }
        if job.status in WORKING:
            values |= {"position": view.position, "eta_s": view.eta_s}
            values["progress"] = progress.fraction if progress else None
        if job.result:
            values |= {"seconds": round(job.result.seconds, 1), "cost_usd": job.result.cost_usd}
        if job.error:
            error = {"code": job.error.code, "message": plain_words(job.error.user_message)}
            values["error"] = error | {"hint": plain_words(job.error.hint)}
        return values

    def _picture(self, image: StoredImage) -> dict[str, Any]:
        values = {"id": image.media_id, "width": image.width, "height": image.height, "seed": image.seed}
        return values | {"url": self._own.link(image.media_id)}

    def _sentence(self, view: JobView) -> str:
        job = view.job
        if job.status is JobStatus.DONE and job.result:
            cost = job.result.cost_usd
            paid = _(" It cost {cost}.", cost=dollars(cost)) if cost else ""
            if not job.request.prompt:
                return render(_("Job {job} is done.{paid}", job=job.id, paid=paid))
            return render(_("Job {job} is done: {prompt}.{paid}", job=job.id, prompt=job.request.prompt, paid=paid))
        if job.status in WORKING:
            return render(
                _("Job {job} is {status}. Ask `job` with this id, and wait_s, for the picture.", job=job.id,
                  status=str(job.status))
            )  # fmt: skip
        why = plain_words(job.error.user_message) if job.error else _("It was cancelled.")
        hint = plain_words(job.error.hint) if job.error else ""
        return render(_("Job {job} gave no picture. {why} {hint}", job=job.id, why=why, hint=hint)).strip()

    async def _inline(self, image: StoredImage) -> InlinePicture | None:
        """Return a picture, or a smaller copy of a large one; None of a video, and where it has expired."""
        media = await self._media.get(image.media_id)
        if media is None or media.is_video:
            return None
        data, media_type = media.data, media.media_type
        if len(data) > MOST_INLINE_BYTES:
            smaller = await self._media.thumbnail(image.media_id, SMALLER_PX)
            if smaller is None or len(smaller) > MOST_INLINE_BYTES:
                return None
            data, media_type = smaller, "image/jpeg"
        text = await run_in_thread(base64.b64encode, data)
        return InlinePicture(base64=text.decode("ascii"), media_type=media_type)


def _name(job: Job, image: StoredImage) -> str:
    extension = EXTENSIONS.get(image.media_type, "png")
    return file_name(job.request.prompt, image.seed, job.finished_at or job.created_at, extension)
