"""The last touch: what style words do to the finished picture, and the paper it lies on."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import cast

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.colours import RGB, darken, lighten, mix

GRAIN_TILE = 256
OIL_PX = 440


def paper(canvas: Canvas, image: Image.Image, strength: float) -> Image.Image:
    """Give the picture a paper's tooth."""
    tile = Image.frombytes("L", (GRAIN_TILE, GRAIN_TILE), canvas.rng("paper").randbytes(GRAIN_TILE * GRAIN_TILE))
    tile = tile.filter(ImageFilter.BoxBlur(0.6)).point([round(128 + (v - 128) * strength) for v in range(256)])
    sheet = Image.new("L", image.size)
    for top in range(0, image.height, GRAIN_TILE):
        for left in range(0, image.width, GRAIN_TILE):
            sheet.paste(tile, (left, top))
    return ImageChops.overlay(image, Image.merge("RGB", (sheet, sheet, sheet)))


def _small(image: Image.Image, side: int) -> Image.Image:
    share = min(1.0, side / min(image.size))
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def _edges(image: Image.Image, gain: float) -> Image.Image:
    """Return contours, white on black; the frame that the filter leaves at the rim is cut off."""
    grey = ImageOps.grayscale(image).filter(ImageFilter.GaussianBlur(1.2))
    edges = grey.filter(ImageFilter.FIND_EDGES)
    edges.paste(0, (0, 0, edges.width, 2))
    edges.paste(0, (0, edges.height - 2, edges.width, edges.height))
    edges.paste(0, (0, 0, 2, edges.height))
    edges.paste(0, (edges.width - 2, 0, edges.width, edges.height))
    return edges.point([min(255, round(max(0, v - 6) * gain)) for v in range(256)])


def _mottle(canvas: Canvas, image: Image.Image, strength: float) -> Image.Image:
    """Let the paint pool: slow changes of brightness over the sheet."""
    noise = Image.frombytes("L", (14, 14), canvas.rng("pools").randbytes(196))
    noise = noise.resize(image.size, Image.Resampling.BICUBIC).point(
        [round(128 + (v - 128) * strength) for v in range(256)]
    )
    return ImageChops.overlay(image, Image.merge("RGB", (noise, noise, noise)))


def _gouache(canvas: Canvas, image: Image.Image) -> Image.Image:
    return paper(canvas, image, 0.16)


def _watercolor(canvas: Canvas, image: Image.Image) -> Image.Image:
    work = _small(image, 560)
    work = work.filter(ImageFilter.MedianFilter(5))
    work = ImageOps.autocontrast(Image.blend(work, Image.new("RGB", work.size, canvas.palette.paper), 0.3), cutoff=0.1)
    rim = _edges(work, 2.2).filter(ImageFilter.GaussianBlur(0.8))
    work.paste(ImageEnhance.Brightness(work).enhance(0.72), (0, 0), rim)
    wash = _mottle(canvas, work.resize(image.size, Image.Resampling.BICUBIC), 0.3)
    wash.paste(canvas.palette.paper, (0, 0), _torn_border(canvas, wash.size))
    return paper(canvas, wash, 0.34)


def _torn_border(canvas: Canvas, size: tuple[int, int]) -> Image.Image:
    """Return a mask of the sheet's unpainted margin, its edge as wet paint leaves it."""
    inset = min(size) * 0.035
    inside = Image.new("L", size)
    margin = (round(inset), round(inset), size[0] - round(inset), size[1] - round(inset))
    inside.paste(255, margin)
    noise = Image.frombytes("L", (48, 48), canvas.rng("border").randbytes(48 * 48)).resize(
        size, Image.Resampling.BICUBIC
    )
    noise = noise.point([round(128 + (v - 128) * 0.3) for v in range(256)])
    soft = inside.filter(ImageFilter.BoxBlur(inset * 0.5))
    ragged = ImageChops.add(soft, noise, scale=2)
    return ragged.point([max(0, min(255, (104 - v) * 14)) for v in range(256)])


def _oil(canvas: Canvas, image: Image.Image) -> Image.Image:
    """Paint the picture over with short strokes that follow a slow swirl, large ones first."""
    work = _small(image, OIL_PX)
    seen = work.filter(ImageFilter.MedianFilter(3))
    work = seen.copy()
    draw, rng = ImageDraw.Draw(work), canvas.rng("oil")
    side = min(work.size)
    for share, number in ((0.022, 1500), (0.0095, 3600)):
        reach = side * share
        for _ in range(round(number * min(3.0, max(work.size) / side))):
            x, y = rng.randrange(work.width), rng.randrange(work.height)
            turn = math.sin(x / side * 3.1) + math.cos(y / side * 3.7) + rng.uniform(-0.4, 0.4)
            dx, dy = math.cos(turn) * reach, math.sin(turn) * reach
            touched = cast(RGB, seen.getpixel((x, y)))
            shift = rng.uniform(-0.11, 0.09)
            colour = lighten(touched, shift) if shift > 0 else darken(touched, -shift)
            draw.line((x - dx, y - dy, x + dx, y + dy), colour, max(1, round(reach * 0.6)))
    work = Image.blend(work, seen, 0.22)
    relief = (
        ImageOps.grayscale(work).filter(ImageFilter.EMBOSS).point([round(128 + (v - 128) * 0.5) for v in range(256)])
    )
    work = ImageChops.overlay(work, Image.merge("RGB", (relief, relief, relief)))
    return ImageEnhance.Color(work.resize(image.size, Image.Resampling.BICUBIC)).enhance(1.2)


def _pixel(canvas: Canvas, image: Image.Image) -> Image.Image:
    share = 88 / min(image.size)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    work = ImageEnhance.Color(image.resize(size, Image.Resampling.BOX)).enhance(1.2)
    work = work.quantize(28, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    return work.resize(image.size, Image.Resampling.NEAREST)


def _line(canvas: Canvas, image: Image.Image) -> Image.Image:
    work = _small(image, 900)
    ink = _edges(work, 11).resize(image.size, Image.Resampling.BICUBIC)
    tone = ImageOps.grayscale(image)
    sheet = Image.blend(Image.new("RGB", image.size, canvas.palette.paper), image, 0.16)
    hatch = Image.new("L", (8, 8))
    hatch.putdata([255 if (x + y) % 8 < 2 else 0 for y in range(8) for x in range(8)])
    scale = max(1, min(image.size) // 420)
    hatch = hatch.resize((8 * scale, 8 * scale), Image.Resampling.NEAREST)
    lines = Image.new("L", image.size)
    for top in range(0, image.height, 8 * scale):
        for left in range(0, image.width, 8 * scale):
            lines.paste(hatch, (left, top))
    shade = ImageChops.multiply(lines, tone.point([max(0, min(190, round((105 - v) * 3))) for v in range(256)]))
    colour = darken(canvas.palette.ink, 0.3)
    sheet.paste(colour, (0, 0), shade)
    sheet.paste(colour, (0, 0), ink)
    return paper(canvas, sheet, 0.2)


def _neon(canvas: Canvas, image: Image.Image) -> Image.Image:
    work = _small(image, 900)
    edges = _edges(work, 4)
    tubes = ImageChops.multiply(
        Image.merge("RGB", (edges, edges, edges)),
        ImageEnhance.Color(ImageEnhance.Brightness(work).enhance(1.6)).enhance(2.2),
    )
    halo = tubes.filter(ImageFilter.BoxBlur(min(work.size) * 0.012))
    dark = ImageEnhance.Brightness(work).enhance(0.62)
    lit = ImageChops.screen(ImageChops.screen(dark, tubes), ImageEnhance.Brightness(halo).enhance(1.7))
    return lit.resize(image.size, Image.Resampling.BICUBIC)


def _vintage(canvas: Canvas, image: Image.Image) -> Image.Image:
    toned = ImageOps.colorize(ImageOps.grayscale(image), (52, 34, 30), (250, 238, 208), mid=(168, 126, 92))
    work = Image.blend(image, toned, 0.58)
    return paper(canvas, _vignette(work, (40, 22, 18), 0.38), 0.26)


def _vignette(image: Image.Image, colour: tuple[int, int, int], strength: float) -> Image.Image:
    rim = Image.radial_gradient("L").point([round(max(0, v - 120) / 135 * 255 * strength) for v in range(256)])
    image.paste(colour, (0, 0), rim.resize(image.size, Image.Resampling.BILINEAR))
    return image


def _anime(canvas: Canvas, image: Image.Image) -> Image.Image:
    work = ImageEnhance.Color(image).enhance(1.22)
    ink = _edges(_small(image, 900), 1.8).resize(image.size, Image.Resampling.BICUBIC)
    work.paste(mix(canvas.palette.ink, (40, 20, 50), 0.5), (0, 0), ink.point([v * 7 // 10 for v in range(256)]))
    bloom = _small(work, 128).filter(ImageFilter.BoxBlur(5)).resize(image.size, Image.Resampling.BICUBIC)
    return Image.blend(work, ImageChops.screen(work, bloom), 0.28)


def _photo(canvas: Canvas, image: Image.Image) -> Image.Image:
    bloom = _small(image, 160).filter(ImageFilter.BoxBlur(4)).resize(image.size, Image.Resampling.BICUBIC)
    work = Image.blend(image, ImageChops.soft_light(image, bloom), 0.55)
    return paper(canvas, _vignette(work, (0, 0, 0), 0.35), 0.1)


STYLES: Mapping[str, Callable[[Canvas, Image.Image], Image.Image]] = MappingProxyType(
    {
        "watercolor": _watercolor,
        "oil": _oil,
        "pixel": _pixel,
        "line": _line,
        "neon": _neon,
        "vintage": _vintage,
        "anime": _anime,
        "photo": _photo,
    }
)


def finish(canvas: Canvas, image: Image.Image, styles: tuple[str, ...]) -> Image.Image:
    """Apply the first style named, or the engine's own gouache on paper."""
    return STYLES[styles[0]](canvas, image) if styles else _gouache(canvas, image)
