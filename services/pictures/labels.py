"""What a picture says of its making, in the form that other programs read."""

from constants import APP_NAME, VERSION
from generation.lora_tags import tag_of
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage
from utils.images import ImageInfo, with_parameters
from utils.infotext import format_infotext
from utils.provenance import with_source_type
from utils.video import inspect_file, is_video


def labelled(
    image: GeneratedImage, request: GenerationRequest, model: str | None, engine: str, source_type: str | None = None
) -> tuple[ImageInfo, bytes]:
    """Check one file and put its parameters and its kind of source in, unless it has some or is a video. Blocks.

    Raises:
        BadImage: it is cut off, damaged or too large.
    """
    info = inspect_file(image.data)
    text = parameters_of(request, info, seed=image.seed, model=model, engine=engine)
    if is_video(image.data):
        return info, image.data
    data = with_parameters(image.data, text)
    return info, with_source_type(data, source_type) if source_type else data


def parameters_of(request: GenerationRequest, info: ImageInfo, *, seed: int, model: str | None, engine: str) -> str:
    """Write how a picture was made, in the form of Automatic1111, with the engine's name besides."""
    prompt = " ".join([request.prompt, *map(tag_of, request.loras)]).strip()
    is_upscale, hires = request.mode is Mode.UPSCALE, request.hires
    strength = request.denoising_strength if hires is None else hires.denoising_strength
    return format_infotext(
        prompt,
        request.negative_prompt,
        {
            "Steps": None if is_upscale else request.steps,
            "Sampler": request.sampler,
            "Schedule type": request.scheduler,
            "CFG scale": None if is_upscale else request.cfg_scale,
            "Distilled CFG Scale": request.guidance,
            "Seed": seed,
            # A hires fix is written as A1111 does: the size before it, and what it did.
            "Size": f"{request.width}x{request.height}" if hires else f"{info.width}x{info.height}",
            "Model": model or request.model,
            "VAE": request.vae,
            "Denoising strength": strength,
            "Clip skip": request.clip_skip if request.clip_skip and request.clip_skip > 1 else None,
            "Hires upscale": hires.factor if hires else None,
            "Hires steps": hires.steps if hires else None,
            "Hires upscaler": hires.upscaler if hires else None,
            "Styles": ", ".join(request.styles) or None,
            "Upscale factor": request.upscale_factor if is_upscale else None,
            "Engine": engine,
            "Version": f"{APP_NAME} {VERSION}",
        },
    )
