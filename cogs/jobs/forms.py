"""The forms and menus behind the buttons: what they show, and how what was typed is read.

Values only, no calls to Discord here. A menu has at most 25 choices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from cogs.cards import Button, Card, CardPicture, Choice, Menu, Row, make_id
from cogs.wire.fields import SelectField, TextField
from cogs.wire.forms import Form
from constants import MAX_PROMPT_CHARS, MAX_STEPS, MIN_SIDE_PX
from generation.chat_words import plain_words
from generation.errors import RequestRejected
from generation.job import Job
from generation.prompt_syntax import NO_NAMES, parse_prompt
from generation.request import Draft, GenerationRequest, Mode
from texts.text import _
from utils.text import cut

PAGE = 25
MAX_FILES = 10
MAX_REQUEST_BYTES = 24 * 1024 * 1024  # Discord takes 25 MiB; the rest is for the message itself
LEAST_SIDE_PX = 256
LEAST_FACTOR = 1.25
SHAPES = {
    "1:1": _("Square 1:1"),
    "3:2": _("Landscape 3:2"),
    "4:3": _("Landscape 4:3"),
    "16:9": _("Wide 16:9"),
    "21:9": _("Very wide 21:9"),
    "2:3": _("Portrait 2:3"),
    "3:4": _("Portrait 3:4"),
    "9:16": _("Tall 9:16"),
}


def edit_form(job_id: str, request: GenerationRequest) -> Form:
    """Prompt, negative prompt, size, steps and CFG, seed: filled with what the picture was drawn from."""
    size, steps_and_cfg = f"{request.width}x{request.height}", f"{request.steps}, {request.cfg_scale:g}"
    most = MAX_PROMPT_CHARS
    fields = (
        TextField(name="prompt", label=_("Prompt"), value=request.prompt, is_long=True, limit=most),
        _optional("negative", _("Leave out"), request.negative_prompt, is_long=True, limit=most),
        _optional("size", _("Size (width x height)"), size),
        _optional("steps_cfg", _("Steps, CFG scale"), steps_and_cfg, example="20, 7"),
        _optional("seed", _("Seed (empty: a new one)"), str(request.seed)),
    )
    return Form(title=_("Remix"), custom_id=make_id("edited", job_id), fields=fields)


def size_form(job: Job) -> Form:
    """Other dimensions for the same picture: a shape from a menu, or pixels."""
    size = f"{job.settled.width}x{job.settled.height}"
    shapes = SelectField(
        name="shape",
        label=_("Shape"),
        note=_("At the size that the engine draws best. Choose none to give pixels."),
        choices=tuple(Choice(label=str(words), value=shape) for shape, words in SHAPES.items()),
        placeholder=_("As it is"),
        is_required=False,
    )
    fields = (shapes, _optional("size", _("Width x height in pixels"), size))
    return Form(title=_("Size"), custom_id=make_id("sized", job.id), fields=fields)


def read_edit(typed: dict[str, str], before: GenerationRequest, names: Mapping[str, str] = NO_NAMES) -> Draft:
    """Read the edit form. Options in the prompt work as everywhere; they win over the fields.

    `names` are what mentions stand for.

    Raises:
        RequestRejected: names the field, the value and what would be right.
    """
    parsed = parse_prompt(typed.get("prompt", ""), names, has_workflow=before.workflow is not None)
    size = typed.get("size", "").strip()
    is_kept = not size or (before.is_source_size and size == f"{before.width}x{before.height}")
    fields = Draft() if is_kept else read_size(typed)
    steps, __, cfg_scale = typed.get("steps_cfg", "").replace(";", ",").replace("/", ",").partition(",")
    if steps.strip():
        fields = parse_prompt(_("--steps {steps}", steps=steps.strip())).draft.over(fields)
    if cfg_scale.strip():
        fields = parse_prompt(_("--cfg {cfg_scale}", cfg_scale=cfg_scale.strip())).draft.over(fields)
    seed = typed.get("seed", "").strip()
    if seed and seed != str(before.seed):
        fields = parse_prompt(_("--seed {seed}", seed=seed)).draft.over(fields)
    elif seed:
        fields = replace(fields, seed=before.seed)
    draft = parsed.draft.over(fields)
    # an emptied field means "none", which a draft cannot say by leaving it out
    return replace(
        draft, negative_prompt=parsed.draft.negative_prompt or plain_words(typed.get("negative", ""), names)[0] or " "
    )


def read_size(typed: dict[str, str], before: GenerationRequest | None = None) -> Draft:
    """Read a size in pixels, or a shape where the pixels were left as they were before.

    Raises:
        RequestRejected: it is empty, or none; says what would be right.
    """
    size, shape = typed.get("size", "").strip(), typed.get("shape", "")
    is_as_before = before is not None and size == f"{before.width}x{before.height}"
    if shape and (is_as_before or not size):
        return parse_prompt(_("--ar {shape}", shape=shape)).draft
    if not size:
        raise RequestRejected(_("The size is empty; write width x height, like 768x512."), field="size")
    return parse_prompt(_("--size {size}", size=size)).draft


def more_steps(steps: int) -> int:
    """Half as many again, at least five more."""
    return min(MAX_STEPS, max(steps + 5, round(steps * 1.5)))


def smaller(request: GenerationRequest) -> Draft:
    """The one-tap repair after a timeout or a full memory: half the pixels, at most 20 steps, one picture."""
    if request.mode is Mode.UPSCALE:
        return Draft(upscale_factor=max(LEAST_FACTOR, round((request.upscale_factor or 2.0) * 0.7, 2)), batch_size=1)
    # one that is drawn over keeps its shape, or it would be cut to the new one
    grid, least = (1, MIN_SIDE_PX) if request.guide else (64, LEAST_SIDE_PX)
    width, height = (max(least, round(side * 0.7 / grid) * grid) for side in (request.width, request.height))
    return Draft(width=width, height=height, steps=min(20, request.steps), batch_size=1, seed=request.seed)


def choice_value(name: str) -> str:
    """Stand for a name in a menu: values hold 100 characters, names may be longer, and positions change."""
    return sha256(name.encode("utf-8", "replace")).hexdigest()[:20]


def menu(what: str, job_id: str, names: Sequence[str], current: str | None, page: int) -> Card:
    """Draw one page of a list to choose from."""
    pages = -(-len(names) // PAGE)
    page = max(0, min(page, pages - 1))
    first = page * PAGE
    choices = tuple(
        Choice(label=cut(name, 100), value=choice_value(name), is_default=name == current)
        for name in names[first : first + PAGE]
    )
    rows: list[Row] = [
        Menu(
            action="choose", job_id=job_id, argument=what, placeholder=_("Choose a {what}", what=what), choices=choices
        )
    ]
    if pages > 1:
        back, on = f"{what}-{page - 1}", f"{what}-{page + 1}"
        rows.append(
            (
                Button(action="page", job_id=job_id, label=_("Back"), argument=back, is_disabled=page == 0),
                Button(action="page", job_id=job_id, label=_("Next"), argument=on, is_disabled=page == pages - 1),
            )
        )
    where = _(" · page {page} of {pages}", page=page + 1, pages=pages) if pages > 1 else ""
    return Card(
        content=_("Draw it again with another {what}, same seed{where}", what=what, where=where), rows=tuple(rows)
    )


def pack(pictures: Sequence[CardPicture]) -> list[tuple[CardPicture, ...]]:
    """Share files out over messages: at most 10 each, and no request over Discord's 25 MiB."""
    batches: list[list[CardPicture]] = [[]]
    for picture in pictures:
        size = sum(len(other.data) for other in batches[-1])
        if batches[-1] and (len(batches[-1]) == MAX_FILES or size + len(picture.data) > MAX_REQUEST_BYTES):
            batches.append([])
        batches[-1].append(picture)
    return [tuple(batch) for batch in batches]


def _optional(
    name: str, label: str, value: str, *, is_long: bool = False, limit: int = 20, example: str = ""
) -> TextField:
    return TextField(
        name=name, label=label, value=value, is_long=is_long, limit=limit, example=example, is_required=False
    )
