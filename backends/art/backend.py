"""The networks as a backend: a child process does the work, so that nothing of it can slow or end Easel."""

from collections.abc import Mapping
from typing import Any, Final

from backends.art.kind import NAME
from backends.art.work.networks import is_installed, restyler, upscalers
from backends.base import ProgressCallback
from backends.child import Child, ChildFailed, ChildFailure
from constants import MAX_BATCH_SIZE, MAX_IMAGE_PIXELS, MAX_STEPS
from generation.capabilities import Capabilities
from generation.errors import BackendError, BackendUnavailable, GenerationError, OutOfMemory, RequestRejected
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage, seed_after
from generation.result import GeneratedImage, GenerationResult
from texts.text import _
from utils import canvas
from utils.pixels import BadImage
from utils.threads import run_in_thread

CHILD: Final = "backends.art.work.hand"
MODES: Final = frozenset({Mode.UPSCALE, Mode.RESTYLE})
DEFAULT_UPSCALE_FACTOR: Final = 2.0
PATIENCE_S: Final = 300.0  # the slowest network takes a minute for a tile on a busy machine


class ArtBackend:
    """Enlarges and restyles pictures with networks, one picture at a time.

    Args:
        name: the instance's name.
        threads: how many it may use; 0: as many as there are processors.
        idle_s: seconds without work after which the child process ends.
        child: what does the work.
    """

    kind = NAME
    is_paid = False

    def __init__(
        self, name: str = "art", *, threads: int = 0, idle_s: float = 300.0, child: Child | None = None
    ) -> None:
        self.name = name
        self._threads = threads
        self._child = child or Child(CHILD, idle_s=idle_s, patience_s=PATIENCE_S)
        self._is_closed = False

    async def capabilities(self) -> Capabilities:
        if self._is_closed:
            raise BackendUnavailable(_("The built-in networks are switched off."))
        if not await run_in_thread(is_installed):
            hint = _("`make run ART=1` installs what they need.")
            raise BackendUnavailable(_("The built-in networks are not installed."), hint=hint)
        return Capabilities(
            modes=MODES,
            upscalers=tuple(upscalers()),
            # whatever else was said of the picture: enlarging it has no use for that, and needs no remark
            samplers=None,
            schedulers=None,
            loras=None,
            vaes=None,
            styles=restyler().styles,
            max_images=2,
            size_grid=1,
            default_strength=1.0,
            default_width=1024,
            default_height=1024,
            max_steps=MAX_STEPS,
            max_batch=MAX_BATCH_SIZE,
            supports_clip_skip=True,
            supports_guidance=True,
            supports_progress=True,
            supports_cancel=True,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        """Enlarge or restyle the picture of a request; a batch holds it several times.

        Raises:
            RequestRejected: the picture cannot be read, or the result would be too large.
            OutOfMemory: this machine has too little for it.
            BackendError: the work failed.
        """
        source = request.init_image
        if request.mode not in MODES or source is None:
            raise RequestRejected(
                _("This needs a picture to work on. Attach one, or reply to one."), field="init_image"
            )
        order, blobs, model = _order(request, source)
        await run_in_thread(_check_pictures, blobs, order.get("factor", 1.0))
        try:
            answer = await self._child.ask(
                order | {"threads": self._threads}, blobs, lambda values: report(_progress(values))
            )
        except ChildFailed as failed:
            raise _translate(failed) from failed
        seeds = (seed_after(request.seed, number) for number in range(request.batch_size))
        images = tuple(GeneratedImage(data=answer.blobs[0], seed=seed) for seed in seeds)
        return GenerationResult(images=images, model=model)

    async def aclose(self) -> None:
        self._is_closed = True
        await self._child.aclose()


def _order(request: GenerationRequest, source: SourceImage) -> tuple[dict[str, Any], list[bytes], str]:
    """Return what the child is to do, with which pictures, and what does it."""
    if request.mode is Mode.UPSCALE:
        upscaler = request.upscaler or next(iter(upscalers()))
        factor = request.upscale_factor or DEFAULT_UPSCALE_FACTOR
        return {"do": "upscale", "upscaler": upscaler, "factor": factor}, [source.data], upscaler
    strength = 1.0 if request.denoising_strength is None else request.denoising_strength
    like = [picture.data for picture in request.more_images[:1]]
    style = request.styles[0] if request.styles else restyler().styles[0]
    model = _("the style of a picture") if like else style
    return {"do": "restyle", "style": style, "strength": strength}, [source.data, *like], model


def _check_pictures(pictures: list[bytes], factor: float) -> None:
    """Refuse what cannot be read, or would become too large, before a process is started for it."""
    try:
        (width, height), *_others = [canvas.upright_size(data) for data in pictures]
    except BadImage as error:
        raise RequestRejected(str(error), field="init_image") from error
    width, height = round(width * factor), round(height * factor)
    if width * height > MAX_IMAGE_PIXELS:
        message = _(
            "Upscaled, this picture would have {width}×{height} pixels; at most {millions} million are possible. "
            "Use a smaller factor.",
            width=width,
            height=height,
            millions=MAX_IMAGE_PIXELS // 10**6,
        )
        raise RequestRejected(message, field="upscale_factor")


def _progress(values: Mapping[str, Any]) -> Progress:
    done, count = values["done"], values["count"]
    return Progress(fraction=done / count, step=done, steps=count)


def _translate(failed: ChildFailed) -> GenerationError:
    detail, smaller = str(failed), _("Use a smaller factor or a smaller picture.")
    match failed.failure:
        case ChildFailure.REFUSED if failed.field:
            return RequestRejected(str(failed), field=failed.field)
        case ChildFailure.REFUSED:
            return BackendError(str(failed))
        case ChildFailure.MEMORY:
            message = _("This machine has too little memory for this picture.")
            return OutOfMemory(f"{message} {failed}" if "MB" in detail else message, detail=detail, hint=smaller)
        case ChildFailure.HUNG:
            hint = _("Try again, with a smaller factor or a smaller picture.")
            return BackendError(_("The network stopped responding and was ended."), detail=detail, hint=hint)
        case ChildFailure.CRASHED:
            return BackendError(_("The network crashed on this picture."), detail=detail, hint=smaller)
    failure = BackendError(_("The network failed."), detail=detail, hint=_("Try another picture or model."))
    return failure.for_owner(_("The log of Easel shows why."))
