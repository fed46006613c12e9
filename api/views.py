"""Jobs and pictures as the API shows them: values in, schemas out."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from api.schemas.jobs import ImageOut, JobErrorOut, JobOut, ProgressOut
from api.schemas.requests import MediaOut, RequestOut
from generation.fields import BY_FIELD, Kind
from generation.job import Job, JobStatus, JobView
from generation.prompt_syntax import format_prompt
from generation.quick import is_unfinished
from generation.request import Draft, GenerationRequest, Lora, SourceImage, value_to_json
from generation.result import StoredImage
from services.engines.connections import shown_lane
from services.pictures.media import file_name
from texts.text import _, joined, render
from utils.images import EXTENSIONS
from utils.text import plain_words

THUMBNAIL_PX: Final = 512
ALT_PROMPT_CHARS: Final = 300


class JobViews:
    """Writes jobs for readers. Pictures get links relative to this server; a private one's is signed for a while."""

    def __init__(
        self, *, label_of: Callable[[str], str], sign: Callable[[str], str], now: Callable[[], datetime]
    ) -> None:
        self._label_of = label_of
        self._sign = sign
        self._now = now

    def job(
        self,
        view: JobView,
        *,
        is_mine: bool,
        preview: int | None = None,
        favorites: frozenset[str] = frozenset(),
        kept: frozenset[str] = frozenset(),
        lost: frozenset[str] = frozenset(),
    ) -> JobOut:
        """Write one job; `favorites` are the media ids its reader has starred, `kept` those that do not expire.

        `lost` are those that were deleted before their time.
        """
        job = view.job
        result, expires = job.result, job.result.expires_at if job.result else None
        is_gone = expires is not None and expires <= self._now()
        return JobOut(
            id=job.id,
            short_id=job.short_id,
            status=job.status.value,
            mode=job.request.mode,
            prompt=job.request.prompt,
            command=format_prompt(job.request),
            request=self._request(job, is_mine=is_mine),
            engine=result.backend if result else self._label_of(job.lane),
            lane=job.lane if is_mine else shown_lane(job.lane, ""),
            position=view.position,
            eta_s=view.eta_s,
            hold=view.hold.value,
            hold_s=view.hold_s,
            progress=_progress(view, preview),
            notes=[render(note) for note in (*job.notes, *(result.notes if result else ()))],
            error=_error(job),
            images=[
                self._image(
                    job,
                    image,
                    is_gone=(is_gone or image.media_id in lost) and image.media_id not in kept,
                    favorites=favorites,
                )
                for image in (result.images if result else ())
            ],
            seconds=result.seconds if result else None,
            cost_usd=result.cost_usd if result else None,
            model=result.model if result else job.drawn.model,
            from_cache=bool(result and result.from_cache),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            expires_at=expires,
            user_name=job.origin.user_name,
            is_mine=is_mine,
            is_private=job.origin.private,
            door=job.origin.door,
            parent_id=job.origin.parent_job_id if is_mine else None,  # it may be private
            can_move_up=is_mine and job.status is JobStatus.QUEUED and (view.position or 1) > 1,
            is_draft=job.status is JobStatus.DONE and is_unfinished(job),
        )

    def media_url(self, media_id: str, *, is_private: bool) -> str:
        """Return where a picture is; whoever has the link to a private one may see it for a while."""
        return f"/api/media/{media_id}" + (f"?t={self._sign(f'media:{media_id}')}" if is_private else "")

    def source(self, source: SourceImage, *, is_private: bool = False) -> MediaOut:
        url = self.media_url(source.media_id, is_private=is_private)
        return MediaOut(media_id=source.media_id, url=url, width=source.width, height=source.height)

    def _image(self, job: Job, image: StoredImage, *, is_gone: bool, favorites: frozenset[str]) -> ImageOut:
        url = self.media_url(image.media_id, is_private=job.origin.private)
        return ImageOut(
            **asdict(image) | {"id": image.media_id},
            url=url,
            thumbnail_url=f"{url}{'&' if '?' in url else '?'}size={THUMBNAIL_PX}",
            alt=alt_text(job, image),
            file_name=image_name(job, image),
            is_favorite=image.media_id in favorites,
            is_gone=is_gone,
        )

    def _request(self, job: Job, *, is_mine: bool) -> RequestOut:
        shown = {name: getattr(job.request, name) for name in RequestOut.model_fields}
        shown |= {name: value_out(name, value) for name, value in shown.items() if value is not None}
        for name, value in shown.items():
            if isinstance(value, SourceImage):
                shown[name] = self.source(value, is_private=job.origin.private)
            elif BY_FIELD[name].kind is Kind.PICTURES:
                shown[name] = [self.source(image, is_private=job.origin.private) for image in value]
        return RequestOut(**shown)


def value_out(name: str, value: Any) -> Any:
    """Write the value of a field as the API does; pictures are left to whoever has their addresses."""
    field = BY_FIELD.get(name)
    return _WRITERS[field.kind](value) if field and field.kind in _WRITERS else value


def _lora(lora: Lora) -> dict[str, Any]:
    return {"name": lora.name, "weight": lora.weight} | ({"details": lora.details} if lora.details else {})


_WRITERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.ASPECT: lambda sides: f"{sides[0]}:{sides[1]}",
    Kind.LORA: lambda loras: [_lora(lora) for lora in loras],
    Kind.NAMES: list,
    Kind.HIRES: value_to_json,
    Kind.WORKFLOW: lambda workflow: workflow.name,
    Kind.OPTIONS: dict,
}


def alt_text(job: Job, image: StoredImage) -> str:
    """Return what a screen reader says of a picture; that it was generated comes first."""
    seen = job.result.alt_of(image) if job.result else ""
    prompt = seen or job.request.prompt[:ALT_PROMPT_CHARS]
    model = job.result.model if job.result and job.result.model else job.drawn.model
    made = joined(
        ", ", (part for part in (model, f"{image.width}×{image.height}", _("seed {seed}", seed=image.seed)) if part)
    )
    what = _("Generated video") if image.is_video else _("Generated picture")
    return f"{what}: {prompt}; {made}" if prompt else f"{what}; {made}"


def image_name(job: Job, image: StoredImage, extension: str = "") -> str:
    when: datetime = job.finished_at or job.created_at
    return file_name(job.request.prompt, image.seed, when, extension or EXTENSIONS.get(image.media_type, "png"))


def draft_json(draft: Draft) -> dict[str, Any]:
    """Return what a draft says, by the names the API takes."""
    given = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    return {name: value_to_json(value_out(name, value)) for name, value in given.items() if value not in (None, "", ())}


def parameters(request: GenerationRequest) -> dict[str, Any]:
    """The seven parameters that the job queue's dialect promises of a result."""
    return {
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "guidanceScale": request.cfg_scale,
        "sampler": request.sampler,
        "model": request.model,
    }


def _progress(view: JobView, preview: int | None) -> ProgressOut | None:
    progress = view.progress
    if progress is None or view.job.is_terminal:
        return None
    return ProgressOut(
        fraction=progress.fraction,
        step=progress.step,
        steps=progress.steps,
        note=render(progress.note),
        eta_s=progress.eta_s if progress.eta_s is not None else view.eta_s,
        preview=f"/api/jobs/{view.job.id}/preview?v={preview}" if preview else None,
    )


def _error(job: Job) -> JobErrorOut | None:
    if job.error is None:
        return None
    given = job.error
    return JobErrorOut(code=given.code, message=plain_words(given.user_message), hint=plain_words(given.hint))
