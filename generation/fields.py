"""The fields of a request: one table with the name, kind, range, help and metadata key of each field.

Read by the prompt syntax, the API and its description, the studio's form, Discord's options, `/help`, the command
line, the metadata of pictures and the documentation. A new field is a row here, a typed attribute in
`generation/request` and what an engine makes of it (docs/decisions/031-one-table-of-fields.md).
"""

from enum import StrEnum
from typing import Final

from constants import (
    DEFAULT_DENOISING_STRENGTH,
    DEFAULT_MASK_BLUR_PX,
    MAX_BATCH_SIZE,
    MAX_CFG_SCALE,
    MAX_HIRES_FACTOR,
    MAX_MASK_BLUR_PX,
    MAX_REPEAT,
    MAX_SEED,
    MAX_SIDE_PX,
    MAX_STEPS,
    MAX_UPSCALE_FACTOR,
    MIN_CFG_SCALE,
    MIN_SIDE_PX,
)
from generation.request import FROM_PICTURE_ALONE, MaskFill, Mode, Pan, Priority
from lazy import dataclass
from texts.text import Text, _, fields_of, template

MAX_CLIP_SKIP: Final = 12  # CLIP ViT-L has twelve layers to stop at


class Kind(StrEnum):
    """The form of a value. In a prompt, words and names run to the next option; all others take one word."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"  # a name, in any spelling
    WORDS = "words"
    SIZE = "size"
    ASPECT = "aspect"
    LORA = "lora"
    SEED = "seed"
    FLAG = "flag"
    FACTOR = "factor"
    HIRES = "hires"
    NAMES = "names"
    CHOICE = "choice"
    WORKFLOW = "workflow"
    EXTRA = "extra"  # an option of workflows that has no field of its own
    PROMPT = "prompt"  # from here on, no options of a prompt
    MODE = "mode"
    OPTIONS = "options"
    PICTURE = "picture"
    PICTURES = "pictures"
    UNITS = "units"


BESIDE_OPTIONS: Final = frozenset({Kind.PROMPT, Kind.MODE, Kind.OPTIONS, Kind.PICTURE, Kind.PICTURES, Kind.UNITS})


@dataclass(frozen=True, kw_only=True)
class Range:
    """Both ends are allowed. `unit` follows the numbers in messages."""

    low: float
    high: float
    unit: str = ""
    also: str = ""  # what is allowed beside them

    def __str__(self) -> str:
        low, high = (str(end) if isinstance(end, int) else f"{end:.15g}" for end in (self.low, self.high))
        return _(
            "{low} to {high}{unit}{also}", low=low, high=high, unit=" " + self.unit if self.unit else "", also=self.also
        )


@dataclass(frozen=True, kw_only=True)
class Control:
    """The way the studio's form asks for a field: where, and for a number what its slider covers, within the range."""

    place: str  # "main", "more", or "input" beside a picture to begin from
    title: str = ""  # where the form has a better word than the label
    hint: str = ""
    low: float = 0
    high: float = 0
    step: float = 1
    usual: float | None = None  # shown while nothing is said and the engine names no default
    usual_of: str = ""  # the engine's capability that names it
    most: str = ""  # the engine's capability that ends the slider
    is_filled: bool = False  # the usual value stands there, and is as good as nothing said


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field: its name in drafts and in the API, and whatever a door has to know of it.

    `help` is one line for people, in which `{range}` and `{usual}` stand for what `limits` and `control` say.
    """

    name: str
    kind: Kind
    help: str
    label: str = ""  # in messages; empty: the name
    limits: Range | None = None
    choices: tuple[str, ...] = ()
    names: str = ""  # the list of an engine's capabilities that it is chosen from
    needs: str = ""  # `Capabilities.supports_...` of engines that can be told
    modes: frozenset[Mode] = frozenset(Mode)  # in which it means something
    option: str = ""  # in a prompt, without its dashes; empty: the name
    aliases: tuple[str, ...] = ()
    example: str = ""
    neutral: float | None = None  # a value that says no more than none does
    slash: str = ""  # among the options of Discord's `/generate`; empty: only in the prompt
    small_print: str = ""  # how the line under a picture names a `{value}` that was asked for
    infotext: str = ""  # key in the metadata of pictures, as Automatic1111 and Forge write it
    control: Control | None = None
    is_usual: bool = False  # on the first page of `/help`
    is_for_workflows: bool = False  # a workflow may put its option to a use of its own
    is_drawing: bool = False  # decides how a picture is drawn: enlarging one has no use for it
    is_handed_on: bool = False  # goes over to what is made from a picture

    @property
    def meaning(self) -> str:
        """Return the help with the range in it."""
        known = {"range": self.limits, "usual": self.control.usual if self.control else None}
        return Text(self.help, {name: known[name] for name in fields_of(self.help)})

    @property
    def is_option(self) -> bool:
        """Return whether a prompt may say it after two dashes."""
        return self.kind not in BESIDE_OPTIONS

    @property
    def flag(self) -> str:
        return f"--{self.option or self.name}"

    @property
    def is_repeated(self) -> bool:
        return self.kind in (Kind.LORA, Kind.NAMES)

    @property
    def called(self) -> str:
        """Return how messages call it."""
        return self.label or self.name.replace("_", " ")

    @property
    def sentence(self) -> str:
        """Return the help as a sentence of its own."""
        return _("{meaning:capital}.", meaning=self.meaning)


_SIDE: Final = Range(low=MIN_SIDE_PX, high=MAX_SIDE_PX, unit="pixels")
_CFG: Final = Range(low=MIN_CFG_SCALE, high=MAX_CFG_SCALE)
_INPAINT: Final = frozenset({Mode.INPAINT})
_DRAWN_FROM_NOISE: Final = frozenset(Mode) - FROM_PICTURE_ALONE
_FROM_PICTURES: Final = frozenset(Mode) - {Mode.TXT2IMG}

FIELDS: Final = (
    Field(name="text", kind=Kind.PROMPT, help=_("what to draw; --options work here too"), slash="prompt"),
    Field(name="prompt", kind=Kind.PROMPT, help=_("what to draw"), is_drawing=True, is_handed_on=True),
    Field(
        name="negative_prompt", kind=Kind.WORDS, label=_("negative prompt"), option="negative",
        aliases=("neg", "no", "negative_prompt"), example="ugly, blurry", help=_("what should not be in the picture"),
        needs="negative_prompt", slash="negative", is_usual=True, is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="mode", kind=Kind.MODE, choices=tuple(Mode),
        help=_("how the picture is made; decided by the input pictures if left out"),
    ),
    Field(
        name="size", kind=Kind.SIZE, aliases=("resolution", "res"), example="768x512", limits=_SIDE,
        help=template("width x height, {range}; one number is a square"), slash="size", is_usual=True,
    ),
    Field(
        name="width", kind=Kind.INTEGER, example="768", limits=_SIDE, help=template("width, {range}"), is_drawing=True,
    ),
    Field(
        name="height", kind=Kind.INTEGER, example="512", limits=_SIDE, help=template("height, {range}"),
        is_drawing=True,
    ),
    Field(
        name="aspect", kind=Kind.ASPECT, option="ar", aliases=("aspect", "aspect_ratio"), example="16:9",
        help=_("the shape, in the model's own pixel count"), slash="ar", is_usual=True, is_drawing=True,
    ),
    Field(
        name="steps", kind=Kind.INTEGER, example="30", limits=Range(low=1, high=MAX_STEPS),
        help=template("{range}; more is slower and finer"), needs="steps", slash="steps", infotext="Steps",
        control=Control(place="main", low=1, high=150, usual=20, usual_of="default_steps", most="max_steps"),
        is_usual=True, is_for_workflows=True, is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="stop", kind=Kind.NUMBER, example="60", limits=Range(low=10, high=100, unit="%"),
        help=template("draw only so much of the steps, {range}: softer, and sooner done"), neutral=100,
    ),
    Field(
        name="cfg_scale", kind=Kind.NUMBER, label=_("CFG scale"), option="cfg",
        aliases=("cfg_scale", "guidance_scale", "scale"), example="7", limits=_CFG,
        help=template("how closely the prompt is followed, {range}"), needs="cfg_scale", slash="cfg_scale",
        infotext="CFG scale",
        control=Control(
            place="main", title=_("Prompt strength (CFG)"), low=1, high=20, step=0.5, usual=7,
            usual_of="default_cfg_scale",
        ),
        is_usual=True, is_for_workflows=True, is_drawing=True,
        is_handed_on=True,
    ),
    Field(
        name="guidance", kind=Kind.NUMBER, aliases=("distilled_cfg",), example="3.5", limits=_CFG,
        help=_("the same for Flux; the CFG scale on other models"), needs="guidance", infotext="Distilled CFG Scale",
        small_print=template("guidance {value:g}"),
        control=Control(place="main", title=_("Guidance (Flux)"), low=1, high=10, step=0.1, usual=3.5),
        is_for_workflows=True, is_drawing=True,
        is_handed_on=True,
    ),
    Field(
        name="seed", kind=Kind.SEED, example="42",
        limits=Range(low=0, high=MAX_SEED, also=_("; -1 or “random” for a new one")),
        help=_("the same number, the same picture; -1 for a new one"), slash="seed", infotext="Seed", is_usual=True,
    ),
    Field(
        name="subseed", kind=Kind.INTEGER, label=_("second seed"), aliases=("variation_seed",), example="7",
        limits=Range(low=0, high=MAX_SEED), help=_("the seed of what varies, with --chaos"),
        modes=_DRAWN_FROM_NOISE, infotext="Variation seed",
    ),
    Field(
        name="subseed_strength", kind=Kind.NUMBER, label=_("variation"), aliases=("variation_strength",),
        example="0.2", limits=Range(low=0, high=1), help=_("as --chaos, 0 to 1"), needs="subseed",
        modes=_DRAWN_FROM_NOISE, neutral=0, infotext="Variation seed strength",
        small_print=template("varied by {value:.0%}"),
    ),
    Field(
        name="chaos", kind=Kind.NUMBER, aliases=("c",), example="40", limits=Range(low=0, high=100, unit="%"),
        help=_("how far the pictures of a batch are apart: little keeps them alike"), neutral=0,
    ),
    Field(
        name="draft", kind=Kind.FLAG, slash="draft",
        help=_("four quick, small pictures first; press one to finish it"),
        control=Control(place="more", title=_("Draft"), hint=_("Four quick, small pictures first")), is_usual=True,
    ),
    Field(
        name="batch_size", kind=Kind.INTEGER, option="batch", aliases=("count", "n", "batch_size"), example="4",
        limits=Range(low=1, high=MAX_BATCH_SIZE), help=template("pictures in one go, {range}"), slash="batch",
        modes=frozenset(Mode) - FROM_PICTURE_ALONE,
        control=Control(
            place="main", title=_("Pictures"), low=1, high=MAX_BATCH_SIZE, usual=1, most="max_batch", is_filled=True
        ),
        is_usual=True,
    ),
    Field(
        name="repeat", kind=Kind.INTEGER, aliases=("r",), example="3", limits=Range(low=1, high=MAX_REPEAT),
        help=template("as so many jobs, {range}, each with its own seed"), slash="repeat", is_usual=True,
    ),
    Field(
        name="model", kind=Kind.TEXT, aliases=("checkpoint", "ckpt"), example="dreamshaper_8", names="models",
        help=_("the model to draw with; a part of its name will do"), slash="model", infotext="Model",
        control=Control(place="main", hint=_("The engine's choice")), is_usual=True, is_for_workflows=True,
        is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="loras", kind=Kind.LORA, label="LoRA", option="lora", example="add_detail:0.8", names="loras",
        help=_("a LoRA and its weight"), slash="lora", is_usual=True, is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="styles", slash="style", kind=Kind.NAMES, option="style", example="cyberpunk", names="styles",
        help=_("a style of Easel, this server or the engine; name:0.7 for less of it"), infotext="Styles",
        is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="looks", slash="look", kind=Kind.NAMES, option="look", example="k7f2",
        help=_("a saved look by its code, see /style"),
    ),
    Field(
        name="sampler", kind=Kind.TEXT, aliases=("sampler_name",), example="dpm++_2m", names="samplers",
        help=_("the sampling method, in any engine's spelling"), slash="sampler", infotext="Sampler",
        control=Control(place="more", hint=_("The engine's choice")), is_usual=True, is_for_workflows=True,
        is_drawing=True, is_handed_on=True,
    ),
    Field(
        name="scheduler", kind=Kind.TEXT, aliases=("schedule",), example="karras", names="schedulers",
        help=_("the noise schedule: how the steps are spread"), slash="scheduler", infotext="Schedule type",
        control=Control(place="more", hint=_("The engine's choice")), is_for_workflows=True, is_drawing=True,
        is_handed_on=True,
    ),
    Field(
        name="vae", kind=Kind.TEXT, label="VAE", example="kl-f8-anime2", names="vaes",
        help=_("another VAE than the model's"), infotext="VAE",
        control=Control(place="more", hint=_("The model's own")),
        is_for_workflows=True, is_drawing=True,
        is_handed_on=True,
    ),
    Field(
        name="clip_skip", kind=Kind.INTEGER, label=_("CLIP skip"), aliases=("clipskip",), example="2",
        limits=Range(low=1, high=MAX_CLIP_SKIP), help=template("read the prompt so many layers less, {range}"),
        needs="clip_skip", neutral=1, infotext="Clip skip", small_print=template("CLIP skip {value}"),
        control=Control(place="more", low=1, high=MAX_CLIP_SKIP, usual=1),
        is_for_workflows=True, is_drawing=True,
        is_handed_on=True,
    ),
    Field(
        name="init_image", kind=Kind.PICTURE, label=_("input picture"), help=_("the picture to start from"),
        slash="image",
        modes=_FROM_PICTURES,
    ),
    Field(
        name="more_images", kind=Kind.PICTURES, help=_("more input pictures, for workflows that take several"),
        slash="image",
        modes=_FROM_PICTURES,
    ),
    Field(
        name="denoising_strength", kind=Kind.NUMBER, option="strength", aliases=("denoise", "denoising_strength"),
        example="0.6", limits=Range(low=0, high=1), help=_("0 keeps the input picture, 1 ignores it"), slash="strength",
        modes=frozenset({Mode.IMG2IMG, Mode.INPAINT, Mode.RESTYLE}), infotext="Denoising strength",
        control=Control(place="input", title="Change", high=1, step=0.01, usual=DEFAULT_DENOISING_STRENGTH),
        is_usual=True, is_for_workflows=True, is_drawing=True,
    ),
    Field(
        name="hires", kind=Kind.HIRES, aliases=("hires_fix", "highres"), example="1.5",
        limits=Range(low=1, high=MAX_HIRES_FACTOR), help=template("draw small, then {range} times larger"),
        needs="hires", is_drawing=True,
    ),
    Field(
        name="zoom", kind=Kind.NUMBER, aliases=("zoom_out",), example="1.5", limits=Range(low=1.25, high=2),
        help=template("show more around the input picture, {range} times"),
    ),
    Field(
        name="pan", kind=Kind.CHOICE, choices=tuple(Pan), example="left",
        help=_("continue it: left, right, up or down"),
    ),
    Field(
        name="mask_fill", kind=Kind.CHOICE, option="fill", choices=tuple(MaskFill), example="noise",
        help=_("what a mask begins with: {fills}", fills=", ".join(MaskFill)), needs="mask_fill",
        modes=_INPAINT,
        control=Control(place="input", title=_("Begin the masked part with")),
    ),
    Field(
        name="mask_blur", kind=Kind.INTEGER, aliases=("feather",), example="8",
        limits=Range(low=0, high=MAX_MASK_BLUR_PX, unit="pixels"),
        help=template("how softly a mask's edge fades, {range}; {usual} is usual"), modes=_INPAINT,
        control=Control(place="input", title=_("Soft edge"), high=MAX_MASK_BLUR_PX, usual=DEFAULT_MASK_BLUR_PX),
    ),
    Field(
        name="only_masked", kind=Kind.FLAG, help=_("draw what is masked at full size"), needs="only_masked",
        modes=_INPAINT,
        control=Control(place="input", title=_("Only the masked part"), hint=_("Draws it at full size: more detail")),
    ),
    Field(
        name="tiling", kind=Kind.FLAG, option="tile", aliases=("tiling", "seamless"),
        small_print=template("tiling"),
        help=_("edges that fit together, for patterns"), needs="tiling", modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG}),
    ),
    Field(
        name="upscale_factor", kind=Kind.FACTOR, option="upscale", aliases=("upscale_factor",), example="2",
        limits=Range(low=1, high=MAX_UPSCALE_FACTOR), help=template("make the input picture larger, {range} times"),
        is_usual=True,
    ),
    Field(
        name="upscaler", kind=Kind.TEXT, example="R-ESRGAN 4x+", names="upscalers",
        help=_("what enlarges, for --upscale and --hires"), modes=frozenset({Mode.UPSCALE}), is_for_workflows=True,
    ),
    Field(
        name="restyle", kind=Kind.FLAG,
        help=_("paint the input picture in another style: that of --style, or of a second picture"),
    ),
    Field(
        name="workflow", kind=Kind.WORKFLOW, aliases=("wf",), example="portrait",
        help=_("a ComfyUI workflow of yours, see /workflow"), slash="workflow",
    ),
    Field(
        name="frames", kind=Kind.EXTRA, example="49",
        help=_("how many pictures a video has, with workflows that make one"),
    ),
    Field(name="fps", kind=Kind.EXTRA, example="16", help=_("how many of them a second shows")),
    Field(
        name="backend", kind=Kind.TEXT, aliases=("engine", "on"), example="gpu1", help=_("the engine to draw on"),
        slash="backend", is_usual=True,
    ),
    Field(
        name="priority", kind=Kind.CHOICE, choices=tuple(Priority), example="high",
        help=_("low lets others go first, for everybody; high goes before them, for roles that may, see /quota"),
    ),
    Field(
        name="private", kind=Kind.FLAG, help=_("only you see the result"), slash="private", is_usual=True,
    ),
    Field(name="spoiler", kind=Kind.FLAG, help=_("Discord hides the picture until it is clicked"), slash="spoiler"),
    Field(
        name="options", kind=Kind.OPTIONS, help=_("the workflow's own options, such as --detail 1.3"), slash="options",
    ),
    Field(
        name="mask_image", kind=Kind.PICTURE, help=_("white where the input picture may change"), modes=_INPAINT,
    ),
    Field(name="control", kind=Kind.UNITS, help=_("pictures that steer the drawing (ControlNet)")),
)  # fmt: skip

BY_FIELD: Final = {field.name: field for field in FIELDS}
RANGES: Final = {field.name: field.limits for field in FIELDS if field.limits and field.kind is not Kind.SIZE}
