"""The options a prompt may carry: one table of names, ranges, examples and meanings for every door.

The parser (`prompt_syntax`), `/help`, the slash commands' descriptions and the documentation all read this table.
"""

import math
from dataclasses import dataclass
from typing import Final

from constants import (
    DEFAULT_MASK_BLUR_PX,
    MAX_BATCH_SIZE,
    MAX_CFG_SCALE,
    MAX_HIRES_FACTOR,
    MAX_MASK_BLUR_PX,
    MAX_PROMPT_CHARS,
    MAX_REPEAT,
    MAX_SEED,
    MAX_SIDE_PX,
    MAX_STEPS,
    MAX_UPSCALE_FACTOR,
    MIN_CFG_SCALE,
    MIN_SIDE_PX,
)
from generation.errors import RequestRejected
from generation.request import Draft, MaskFill, Pan

MAX_CLIP_SKIP: Final = 12  # CLIP ViT-L has twelve layers to stop at
MAX_LORA_WEIGHT: Final = 10.0
MAX_ASPECT_RATIO: Final = 10.0
MAX_CONTROL_WEIGHT: Final = 2.0
MAX_CONTROL_UNITS: Final = 3  # what the web UIs show
MAX_STYLES: Final = 10

# What a value may look like; "text" runs to the next option, all others take one word.
INTEGER, NUMBER, TEXT, SIZE, ASPECT, LORA, SEED, FLAG, FACTOR, HIRES, NAMES, CHOICE, WORKFLOW, EXTRA = (
    "integer", "number", "text", "size", "aspect", "lora", "seed", "flag", "factor", "hires", "names", "choice",
    "workflow", "extra",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option: its name, the `Draft` field it fills, what its value looks like, other names, and its help."""

    name: str
    field: str
    kind: str
    example: str
    meaning: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OptionHelp:
    """One row of the help page."""

    name: str
    example: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Range:
    """Both ends are allowed. `unit` follows the numbers in messages."""

    low: float
    high: float
    unit: str = ""
    also: str = ""  # what is allowed beside them

    def __str__(self) -> str:
        low, high = (str(end) if isinstance(end, int) else f"{end:.15g}" for end in (self.low, self.high))
        return f"{low} to {high}{' ' + self.unit if self.unit else ''}{self.also}"


RANGES: Final[dict[str, Range]] = {
    "width": Range(low=MIN_SIDE_PX, high=MAX_SIDE_PX, unit="pixels"),
    "height": Range(low=MIN_SIDE_PX, high=MAX_SIDE_PX, unit="pixels"),
    "steps": Range(low=1, high=MAX_STEPS),
    "cfg_scale": Range(low=MIN_CFG_SCALE, high=MAX_CFG_SCALE),
    "seed": Range(low=0, high=MAX_SEED, also="; -1 or “random” for a new one"),
    "batch_size": Range(low=1, high=MAX_BATCH_SIZE),
    "repeat": Range(low=1, high=MAX_REPEAT),
    "denoising_strength": Range(low=0, high=1),
    "clip_skip": Range(low=1, high=MAX_CLIP_SKIP),
    "upscale_factor": Range(low=1, high=MAX_UPSCALE_FACTOR),
    "guidance": Range(low=MIN_CFG_SCALE, high=MAX_CFG_SCALE),
    "hires": Range(low=1, high=MAX_HIRES_FACTOR),
    "zoom": Range(low=1.25, high=2),
    "mask_blur": Range(low=0, high=MAX_MASK_BLUR_PX, unit="pixels"),
}

OPTIONS: Final = (
    Option(
        name="negative", field="negative_prompt", kind=TEXT, aliases=("neg", "no", "negative_prompt"),
        example="--negative ugly, blurry", meaning="what should not be in the picture",
    ),
    Option(
        name="size", field="size", kind=SIZE, aliases=("resolution", "res"),
        example="--size 768x512", meaning=f"width x height, {RANGES['width']}; one number is a square",
    ),
    Option(name="width", field="width", kind=INTEGER, example="--width 768", meaning="in pixels"),
    Option(name="height", field="height", kind=INTEGER, example="--height 512", meaning="in pixels"),
    Option(
        name="ar", field="aspect", kind=ASPECT, aliases=("aspect", "aspect_ratio"),
        example="--ar 16:9", meaning="the shape, in the model's own pixel count",
    ),
    Option(
        name="steps", field="steps", kind=INTEGER,
        example="--steps 30", meaning=f"{RANGES['steps']}; more is slower and finer",
    ),
    Option(
        name="cfg", field="cfg_scale", kind=NUMBER, aliases=("cfg_scale", "guidance_scale", "scale"),
        example="--cfg 7", meaning=f"how closely the prompt is followed, {RANGES['cfg_scale']}",
    ),
    Option(
        name="guidance", field="guidance", kind=NUMBER, aliases=("distilled_cfg",),
        example="--guidance 3.5", meaning="the same for Flux; --cfg on other models",
    ),
    Option(
        name="seed", field="seed", kind=SEED,
        example="--seed 42", meaning="the same number, the same picture; or “random”",
    ),
    Option(
        name="batch", field="batch_size", kind=INTEGER, aliases=("count", "n", "batch_size"),
        example="--batch 4", meaning=f"pictures in one go, {RANGES['batch_size']}",
    ),
    Option(
        name="repeat", field="repeat", kind=INTEGER, aliases=("r",),
        example="--repeat 3", meaning=f"as so many jobs, {RANGES['repeat']}, each with its own seed",
    ),
    Option(
        name="model", field="model", kind=TEXT, aliases=("checkpoint", "ckpt"),
        example="--model dreamshaper_8", meaning="a part of its name will do",
    ),
    Option(
        name="lora", field="loras", kind=LORA,
        example="--lora add_detail:0.8", meaning="a LoRA and its weight, as often as you like",
    ),
    Option(
        name="style", field="styles", kind=NAMES,
        example="--style cyberpunk", meaning="a preset of Easel, or a style saved in the engine; as often as you like",
    ),
    Option(
        name="sampler", field="sampler", kind=TEXT, aliases=("sampler_name",),
        example="--sampler dpm++_2m", meaning="in any engine's spelling",
    ),
    Option(
        name="scheduler", field="scheduler", kind=TEXT, aliases=("schedule",),
        example="--scheduler karras", meaning="how the steps are spread",
    ),
    Option(name="vae", field="vae", kind=TEXT, example="--vae kl-f8-anime2", meaning="another VAE than the model's"),
    Option(
        name="clip_skip", field="clip_skip", kind=INTEGER, aliases=("clipskip",),
        example="--clip_skip 2", meaning=f"read the prompt so many layers less, {RANGES['clip_skip']}",
    ),
    Option(
        name="strength", field="denoising_strength", kind=NUMBER, aliases=("denoise", "denoising_strength"),
        example="--strength 0.6", meaning="0 keeps the input picture, 1 ignores it",
    ),
    Option(
        name="hires", field="hires", kind=HIRES, aliases=("hires_fix", "highres"),
        example="--hires 1.5", meaning=f"draw small, then {RANGES['hires']} times larger",
    ),
    Option(
        name="zoom", field="zoom", kind=NUMBER, aliases=("zoom_out",),
        example="--zoom 1.5", meaning=f"show more around the input picture, {RANGES['zoom']} times",
    ),
    Option(
        name="pan", field="pan", kind=CHOICE, choices=tuple(Pan),
        example="--pan left", meaning="continue it: left, right, up or down",
    ),
    Option(
        name="fill", field="mask_fill", kind=CHOICE, choices=tuple(MaskFill),
        example="--fill noise", meaning=f"what a mask begins with: {', '.join(MaskFill)}",
    ),
    Option(
        name="mask_blur", field="mask_blur", kind=INTEGER, aliases=("feather",),
        example="--mask_blur 8",
        meaning=f"how softly a mask's edge fades, {RANGES['mask_blur']}; {DEFAULT_MASK_BLUR_PX} is usual",
    ),
    Option(
        name="only_masked", field="only_masked", kind=FLAG,
        example="--only_masked", meaning="draw what is masked at full size",
    ),
    Option(
        name="tile", field="tiling", kind=FLAG, aliases=("tiling", "seamless"),
        example="--tile", meaning="edges that fit together, for patterns",
    ),
    Option(
        name="upscale", field="upscale_factor", kind=FACTOR, aliases=("upscale_factor",),
        example="--upscale 2", meaning=f"make the input picture larger, {RANGES['upscale_factor']} times",
    ),
    Option(
        name="upscaler", field="upscaler", kind=TEXT,
        example="--upscaler R-ESRGAN 4x+", meaning="what enlarges, for --upscale and --hires",
    ),
    Option(
        name="workflow", field="workflow", kind=WORKFLOW, aliases=("wf",),
        example="--workflow portrait", meaning="a ComfyUI workflow of yours, see `/workflow`",
    ),
    Option(
        name="frames", field="options", kind=EXTRA,
        example="--frames 49", meaning="how many pictures a video has, with workflows that make one",
    ),
    Option(
        name="fps", field="options", kind=EXTRA,
        example="--fps 16", meaning="how many of them a second shows",
    ),
    Option(
        name="backend", field="backend", kind=TEXT, aliases=("engine", "on"),
        example="--backend gpu1", meaning="the engine to draw on",
    ),
    Option(name="private", field="private", kind=FLAG, example="--private", meaning="only you see the result"),
)  # fmt: skip

OPTION_HELP: Final = tuple(OptionHelp(name=o.name, example=o.example, meaning=o.meaning) for o in OPTIONS)

BY_NAME: Final[dict[str, Option]] = {name: option for option in OPTIONS for name in (option.name, *option.aliases)}
_BY_FIELD: Final[dict[str, Option]] = {option.field: option for option in OPTIONS}

# Midjourney's parameters that have no counterpart here, and what their values look like (docs.midjourney.com).
_A_NUMBER = r"[+-]?[\d.]+%?,?(?!\S)|"
FOREIGN_FLAGS: Final[dict[str, str]] = {
    **dict.fromkeys(("stylize", "s", "chaos", "c", "weird", "w", "stop", "quality", "q"), _A_NUMBER),
    **dict.fromkeys(("iw", "sw", "cw", "ow", "v", "version", "niji"), _A_NUMBER),
    **dict.fromkeys(("raw", "draft", "hd", "fast", "relax", "turbo"), ""),
    **dict.fromkeys(("sref", "cref", "oref"), r"(?:(?:https?://\S+|\d+|random)(?:\s+|$))*"),
}

# `--style` is ours, but for these words; a style of such a name goes in quotes.
FOREIGN_STYLES: Final = r"(?:raw|cute|expressive|scenic|original)(?!\S)"

COOL_EXAMPLES: Final = (
    "portrait of an old sailor, weathered face, soft window light, 85mm --size 512x768 --steps 30 --negative blurry",
    "portrait of a forest witch, freckles, candle glow --size 640x832 --steps 28 --negative extra fingers, deformed",
    "studio portrait of a robot wearing a tweed suit --size 768x768 --steps 25 --negative cropped head, text",
    "headshot of an astronaut, generous headspace above the helmet --size 512x704 --steps 30 --negative cut off",
    "a fox in a raincoat, centred, lots of headspace, empty sky --size 576x768 --steps 25 --negative crowded, border",
    "vaporwave aesthetic, marble bust, palm trees, neon grid --size 768x512 --steps 30 --negative dull, grey",
    "cottagecore aesthetic kitchen, dried herbs, morning sun --size 768x576 --steps 30 --negative people, clutter",
    "dark academia aesthetic library, rain on tall windows --size 832x640 --steps 35 --negative modern furniture",
    "cyberpunk aesthetic alley, wet asphalt, paper lanterns --size 896x512 --steps 30 --negative blurry, ugly",
)


def validate(draft: Draft) -> None:
    """Check every value of `draft` against its range.

    Raises:
        RequestRejected: names the field, the value and the range, with an example as hint.
    """
    for name, text in (("prompt", draft.prompt), ("negative_prompt", draft.negative_prompt or "")):
        if len(text) > MAX_PROMPT_CHARS:
            label = name.replace("_", " ")
            raise RequestRejected(
                f"The {label} has {len(text):,} characters; at most {MAX_PROMPT_CHARS:,} are allowed.", field=name
            )
    for name in RANGES:
        value = getattr(draft, name, None)
        is_the_sources = bool(draft.is_source_size) and name in ("width", "height")
        if value is not None and name != "hires" and not is_the_sources:
            check_range(name, value)
    if draft.hires is not None:
        check_range("hires", draft.hires.factor)
        check_range("denoising_strength", draft.hires.denoising_strength)
        check_range("steps", draft.hires.steps or 1)
    if draft.aspect is not None:
        wide, high = draft.aspect
        if min(wide, high) < 1 or max(wide, high) > MAX_ASPECT_RATIO * min(wide, high):
            raise reject("aspect", f"{wide}:{high}", f"both numbers above 0 and the shape up to {MAX_ASPECT_RATIO:g}:1")
    for lora in draft.loras:
        if not (math.isfinite(lora.weight) and abs(lora.weight) <= MAX_LORA_WEIGHT):
            range_ = f"a weight of -{MAX_LORA_WEIGHT:g} to {MAX_LORA_WEIGHT:g}"
            raise reject("loras", f"{lora.name}:{lora.weight:g}", range_)
    if len(draft.styles) > MAX_STYLES:
        raise reject("styles", f"{len(draft.styles)} styles", f"up to {MAX_STYLES}")
    _check_control(draft)


def _check_control(draft: Draft) -> None:
    if len(draft.control) > MAX_CONTROL_UNITS:
        raise reject("control", f"{len(draft.control)} pictures", f"up to {MAX_CONTROL_UNITS}")
    for unit in draft.control:
        if not 0 <= unit.weight <= MAX_CONTROL_WEIGHT:
            raise reject("control", f"{unit.kind}:{unit.weight:g}", f"a weight of 0 to {MAX_CONTROL_WEIGHT:g}")


def check_range(name: str, value: float) -> None:
    """Raise `RequestRejected` unless `value` lies in the range of the field `name`; NaN never does."""
    allowed = RANGES[name]
    if not allowed.low <= value <= allowed.high:
        raise reject(name, f"{value:.15g}" if isinstance(value, float) else str(value), str(allowed))


def reject(field: str, value: str, right: str) -> RequestRejected:
    """Return the error for a bad value: what was said and what would be right."""
    option = _BY_FIELD.get(field)
    label = {"cfg_scale": "CFG scale", "clip_skip": "CLIP skip", "loras": "LoRA"}.get(field, field.replace("_", " "))
    said = f"“{shorten(value)}”" if value else "empty"
    return RequestRejected(
        f"{label[0].upper()}{label[1:]} cannot be {said}. Allowed: {right}.",
        field=field,
        hint=f"For example: {option.example}" if option else "",
    )


def shorten(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
