"""The painter of the sketch engine: pictures drawn by rules from the prompt's words, no model, no download.

Everything here is synchronous and belongs in a worker thread. The same prompt, seed, size and steps give the
same bytes; nothing draws on a clock or on shared chance.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from easel_sketch.painting import motifs, palettes, scenes, styles
from easel_sketch.painting.canvas import Canvas, seeded
from easel_sketch.painting.legend import sign
from easel_sketch.painting.palettes import Palette
from easel_sketch.painting.steps import MakePreview, StepCallback, Stopped
from easel_sketch.painting.words import Reading, read

__all__ = [
    "MakePreview",
    "Painting",
    "StepCallback",
    "Stopped",
    "compose",
    "inpaint",
    "paint",
    "repaint",
    "sign",
    "upscale",
]

PREVIEW_PX = 256
LARGEST_CANVAS_PX = 2048
SMALLEST_CANVAS_PX = 256
UPSCALE_STEPS = 4
USUAL_CFG_SCALE = 7.0

Compose = Callable[[Image.Image], Image.Image]


@dataclass(frozen=True, kw_only=True)
class Painting:
    """One picture to paint; `width` and `height` in pixels, any aspect."""

    prompt: str
    negative_prompt: str = ""
    width: int
    height: int
    steps: int
    seed: int
    cfg_scale: float = USUAL_CFG_SCALE


def paint(painting: Painting, on_step: StepCallback | None = None) -> Image.Image:
    """Paint the prompt; RGB, `width` x `height`, signed in the corner."""
    return _Studio(painting).run(on_step, sign)


def compose(painting: Painting, on_step: StepCallback | None = None) -> Image.Image:
    """Paint the prompt with nothing written into it, for whoever goes on with it and signs it then."""
    return _Studio(painting).run(on_step, lambda picture: picture)


def repaint(
    painting: Painting, source: Image.Image, denoising_strength: float, on_step: StepCallback | None = None
) -> Image.Image:
    """Paint over a picture: 0 gives it back untouched, 1 is the same as `paint`."""
    ground = _fitted(source, painting)
    if denoising_strength >= 1:
        return paint(painting, on_step)
    if denoising_strength <= 0:
        return _Studio(painting).run(on_step, lambda picture: _like(ground, picture))
    studio = _Studio(painting)
    return studio.run(on_step, lambda picture: sign(studio.over(_like(ground, picture), picture, denoising_strength)))


def inpaint(
    painting: Painting,
    source: Image.Image,
    mask: Image.Image,
    denoising_strength: float,
    on_step: StepCallback | None = None,
) -> Image.Image:
    """Repaint only where `mask` is white; every pixel under its black is the source's own."""
    ground = _fitted(source, painting)
    stencil = mask.convert("L")
    if stencil.size != ground.size:
        stencil = stencil.resize(ground.size, Image.Resampling.BILINEAR)
    studio = _Studio(painting)
    strength = max(0.0, min(1.0, denoising_strength))

    def compose(picture: Image.Image) -> Image.Image:
        cut, below = _like(stencil, picture), _like(ground, picture)
        over = studio.over(below, picture, strength) if strength < 1 else picture.copy()
        area = cut.getbbox()
        if area and strength > 0:
            over.paste(sign(over.crop(area)), area[:2])
        return Image.composite(over, below, cut)

    return studio.run(on_step, compose)


def upscale(source: Image.Image, factor: float, on_step: StepCallback | None = None) -> Image.Image:
    """Enlarge with Lanczos and a gentle sharpening: no detail is invented."""
    ground = _flat(source)
    size = (max(1, round(ground.width * factor)), max(1, round(ground.height * factor)))
    result = Image.new("RGB", size)
    for step in range(1, UPSCALE_STEPS + 1):
        top, bottom = (size[1] * (step - 1) // UPSCALE_STEPS, size[1] * step // UPSCALE_STEPS)
        if bottom > top:
            area = (0.0, top * ground.height / size[1], float(ground.width), bottom * ground.height / size[1])
            result.paste(ground.resize((size[0], bottom - top), Image.Resampling.LANCZOS, box=area), (0, top))
        if step == UPSCALE_STEPS:
            result = result.filter(ImageFilter.UnsharpMask(radius=max(1.0, factor * 0.7), percent=55, threshold=2))
        _tell(on_step, step, UPSCALE_STEPS, partial(_jpeg, result))
    return result


class _Studio:
    """One run of one painting: the plan, its layers and the work of each step."""

    def __init__(self, painting: Painting) -> None:
        self._painting = painting
        self._key = f"{painting.prompt}\x1f{painting.seed}"
        self._reading = read(painting.prompt, painting.negative_prompt)
        self._scene = scenes.SCENES[scenes.choose(self._reading, seeded(self._key, "scene"))]
        self._palette = _palette_for(self._reading, self._scene, self._key)
        # 8 steps give two thirds of the detail, 20 nearly all of it, 40 everything
        self._detail = 1.1 * (1 - 0.875 ** (painting.steps + 1))
        self._layers = self._plan()

    def _plan(self) -> tuple[scenes.Layer, ...]:
        behind, before = scenes.weather(self._reading, self._scene)
        sky, *rest = self._scene.back
        subject = partial(motifs.draw_subjects, scene=self._scene, subjects=self._reading.subjects)
        return (sky, *behind, *rest, subject, *self._scene.front, *before)

    def run(self, on_step: StepCallback | None, compose: Compose) -> Image.Image:
        """Do the work step by step; `compose` turns the bare picture into the one handed out."""
        steps, layers = self._painting.steps, self._layers
        canvas = self._canvas(self._canvas_size(), self._detail)
        for step in range(1, steps):
            for layer in layers[len(layers) * (step - 1) // steps : len(layers) * step // steps]:
                layer(canvas)
            _tell(on_step, step, steps, partial(self._preview, step / steps, compose))
        for layer in layers[len(layers) * (steps - 1) // steps :]:
            layer(canvas)
        picture = compose(self._finished(canvas))
        _tell(on_step, steps, steps, partial(_jpeg, picture))
        return picture

    def over(self, ground: Image.Image, picture: Image.Image, strength: float) -> Image.Image:
        """Lay the painting over a picture: first its colours and brushwork take over, then its shapes."""
        palette = self._palette
        work = ground.resize((max(1, ground.width // 2), max(1, ground.height // 2)), Image.Resampling.BOX)
        work = work.filter(ImageFilter.MedianFilter(5)).resize(ground.size, Image.Resampling.BICUBIC)
        toned = ImageOps.colorize(ImageOps.grayscale(work), palette.ink, palette.paper, mid=palette.middle)
        brushed = Image.blend(work, toned, 0.55)
        ground = Image.blend(ground, brushed, min(1.0, strength * 1.6))
        share = max(0.0, (strength - 0.3) / 0.7)
        return Image.blend(ground, picture, share * share * (3 - 2 * share))

    def _canvas_size(self) -> tuple[int, int]:
        """Return the size to draw at: twice the picture for smooth edges, within reason."""
        wide, tall = self._painting.width, self._painting.height
        share = max(2.0, SMALLEST_CANVAS_PX / min(wide, tall))
        share = min(share, max(1.0, LARGEST_CANVAS_PX / max(wide, tall)))
        if max(wide, tall) > LARGEST_CANVAS_PX:
            share = max(LARGEST_CANVAS_PX / max(wide, tall), min(1.0, SMALLEST_CANVAS_PX / min(wide, tall)))
        return max(1, round(wide * share)), max(1, round(tall * share))

    def _canvas(self, size: tuple[int, int], detail: float) -> Canvas:
        image = Image.new("RGB", size, self._palette.middle)
        return Canvas(image, key=self._key, palette=self._palette, detail=detail, modifiers=self._reading.modifiers)

    def _finished(self, canvas: Canvas) -> Image.Image:
        """Bring the canvas to its size and give it its loose strokes, its style and its paper."""
        size = (self._painting.width, self._painting.height)
        picture = canvas.image
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
        looseness = max(0.0, 0.75 - self._detail) * 0.03 * min(size)
        if looseness > 0.3:
            wash = picture.filter(ImageFilter.GaussianBlur(looseness))
            picture = Image.blend(wash, ImageChops.overlay(wash, picture), 0.25)
        picture = styles.finish(canvas, picture, self._reading.styles)
        depth = max(-0.25, min(0.3, (self._painting.cfg_scale - USUAL_CFG_SCALE) * 0.03))
        return ImageEnhance.Color(picture).enhance(1 + depth) if depth else picture

    def _render(self, side: int, detail: float) -> Image.Image:
        """Paint the whole picture once, small: what the previews are made of."""
        share = side / max(self._painting.width, self._painting.height)
        wide, tall = (max(1, round(length * share)) for length in (self._painting.width, self._painting.height))
        canvas = self._canvas((wide, tall), detail)
        for layer in self._layers:
            layer(canvas)
        return canvas.image

    @cached_property
    def _rough(self) -> Image.Image:
        return self._render(64, 0.3).filter(ImageFilter.GaussianBlur(4))

    @cached_property
    def _clear(self) -> Image.Image:
        return self._render(PREVIEW_PX, self._detail * 0.7)

    def _preview(self, share: float, compose: Compose) -> bytes:
        focus = self._clear.filter(ImageFilter.GaussianBlur(9 * (1 - share) ** 1.5))
        wash = self._rough.resize(self._clear.size, Image.Resampling.BICUBIC)
        return _jpeg(compose(Image.blend(wash, focus, min(1.0, share * 1.8))))


def _palette_for(reading: Reading, scene: scenes.Scene, key: str) -> Palette:
    rng = seeded(key, "palette")
    if reading.palettes:
        name = reading.palettes[0]
    elif reading.modifiers & {"stars", "moon"}:
        name = rng.choice(("night", "aurora", "mystic"))
    elif scenes.is_abstract(scene):
        name = rng.choice(palettes.WILD_POOL)
    else:
        name = rng.choice(scene.palettes)
    return palettes.bend(palettes.PALETTES[name], tints=reading.tints, hue_degrees=rng.uniform(-7, 7))


def _flat(source: Image.Image) -> Image.Image:
    """Return the picture as RGB, transparency over white."""
    if source.mode in {"RGBA", "LA", "PA"} or "transparency" in source.info:
        layered = source.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return source.convert("RGB")


def _fitted(source: Image.Image, painting: Painting) -> Image.Image:
    flat, size = _flat(source), (painting.width, painting.height)
    return flat if flat.size == size else flat.resize(size, Image.Resampling.LANCZOS)


def _like(image: Image.Image, other: Image.Image) -> Image.Image:
    """Return `image` at the size of `other`; previews are composed small."""
    return image.copy() if image.size == other.size else image.resize(other.size, Image.Resampling.BILINEAR)


def _jpeg(image: Image.Image) -> bytes:
    small = image
    if max(image.size) > PREVIEW_PX:
        share = PREVIEW_PX / max(image.size)
        size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
        small = image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def _tell(on_step: StepCallback | None, step: int, steps: int, make_preview: MakePreview) -> None:
    if on_step and not on_step(step, steps, make_preview):
        raise Stopped
