"""`!dream` and `/generate`: read what was said and hand it over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import address_of, pictures_in, unused_in
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import check_interaction_permissions, check_message_permissions, person_of
from cogs.plain import suggest
from cogs.workflows.cog import suggest_workflows
from cogs.workflows.options import read_options, suggest_options
from constants import MAX_BATCH_SIZE, MAX_CFG_SCALE, MAX_PROMPT_CHARS, MAX_STEPS
from generation.chat_words import plain_words
from generation.order import Order, OrderKind
from generation.picture_links import place_of
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import ANY_SEED, Draft, WorkflowRef
from generation.several_pictures import MAX_INPUT_PICTURES, NOT_USED, ONE_IS_USED
from services.drawing.workflows import WorkflowService
from services.engines.catalog import Catalog

SIZES = ("512x512", "512x768", "768x512", "640x640", "768x768", "1024x1024", "832x1216", "1216x832")
MAX_SLASH_SEED = 2**53 - 1  # Discord's own numbers end there; `--seed` in the prompt takes larger ones
SLASH_NAMES = ("generate", "gen", "img", "dream")


class ImageGeneration(commands.Cog):
    """The commands that make pictures. Everything else about a job is in `edit_controls` and `job_messages`."""

    def __init__(self, *, catalog: Catalog, desk: Desk, workflows: WorkflowService) -> None:
        self._catalog = catalog
        self._desk = desk
        self._workflows = workflows

    @prefix_command(name="dream", aliases=["generate", "gen", "img"])
    async def dream(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!dream a red fox --steps 30 --size 768x512`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        parsed = parse_prompt(text, names_in(ctx.message), fetches_pictures=True)
        replied = ctx.message.reference.resolved if ctx.message.reference else None
        pictures = pictures_in(ctx.message)
        if isinstance(replied, nextcord.Message) and (parsed.draft.workflow or not pictures):
            pictures += pictures_in(replied)  # a workflow may take both
        notes = unused_in(ctx.message, pictures)
        await self._desk.take_message(ctx, _order(parsed, pictures, notes), private=parsed.is_private)

    async def generate(
        self,
        interaction: nextcord.Interaction,
        prompt: str = SlashOption(
            description="What to draw; --options work here too", max_length=MAX_PROMPT_CHARS, required=True
        ),
        negative: str = SlashOption(description="What must not be in it", required=False, max_length=1000),
        size: str = SlashOption(description="Width x height in pixels, e.g. 768x512", required=False),
        steps: int = SlashOption(
            description="More is finer and slower", required=False, min_value=1, max_value=MAX_STEPS
        ),
        cfg_scale: float = SlashOption(
            description="How closely to follow the prompt (7 is usual)",
            required=False,
            min_value=0,
            max_value=MAX_CFG_SCALE,
        ),
        sampler: str = SlashOption(description="Sampling method", required=False),
        scheduler: str = SlashOption(description="Noise schedule", required=False),
        model: str = SlashOption(description="Model to draw with", required=False),
        lora: str = SlashOption(description="LoRA, with a weight if you like: name:0.8", required=False),
        seed: int = SlashOption(
            description="The same seed, the same picture", required=False, min_value=ANY_SEED, max_value=MAX_SLASH_SEED
        ),
        batch: int = SlashOption(
            description="How many pictures", required=False, min_value=1, max_value=MAX_BATCH_SIZE
        ),
        image: nextcord.Attachment = SlashOption(description="A picture to start from", required=False),
        image2: nextcord.Attachment = SlashOption(description="A second one, for workflows", required=False),
        image3: nextcord.Attachment = SlashOption(description="A third one, for workflows", required=False),
        strength: float = SlashOption(
            description="0 keeps the picture, 1 ignores it", required=False, min_value=0, max_value=1
        ),
        backend: str = SlashOption(description="Engine to draw on", required=False),
        workflow: str = SlashOption(description="A ComfyUI workflow of yours, see /workflow", required=False),
        options: str = SlashOption(description="The workflow's own options: --detail 1.3", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        check_interaction_permissions(interaction)
        names = await names_of_interaction(interaction, prompt, negative)
        parsed = parse_prompt(prompt, names, has_workflow=bool(workflow), fetches_pictures=True)
        typed = _typed(size=size, lora=lora, workflow=workflow)
        typed = replace(
            typed,
            negative_prompt=plain_words(negative, names)[0] if negative else negative,
            steps=steps,
            cfg_scale=cfg_scale,
            sampler=sampler,
            scheduler=scheduler,
            model=model,
            seed=seed,
            batch_size=batch,
            denoising_strength=strength,
            backend=backend,
            loras=typed.loras + parsed.draft.loras,
        )
        typed = typed.over(replace(read_options(options), workflow=None))
        parsed = replace(parsed, draft=typed.over(parsed.draft), is_private=parsed.is_private or bool(private))
        pictures = [picture for picture in (image, image2, image3) if picture]
        await self._desk.take_press(interaction, _order(parsed, pictures), private=parsed.is_private)

    async def suggest_model(self, interaction: nextcord.Interaction, typed: str, backend: str | None = None) -> None:
        await self._suggest(interaction, "model", typed, backend)

    async def suggest_sampler(self, interaction: nextcord.Interaction, typed: str, backend: str | None = None) -> None:
        await self._suggest(interaction, "sampler", typed, backend)

    async def suggest_scheduler(
        self, interaction: nextcord.Interaction, typed: str, backend: str | None = None
    ) -> None:
        await self._suggest(interaction, "scheduler", typed, backend)

    async def suggest_lora(self, interaction: nextcord.Interaction, typed: str, backend: str | None = None) -> None:
        await self._suggest(interaction, "lora", typed, backend)

    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await self._suggest(interaction, "backend", typed, None)

    async def suggest_workflow(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed)

    async def suggest_options(self, interaction: nextcord.Interaction, typed: str, workflow: str | None = None) -> None:
        await suggest_options(self._workflows, interaction, typed, workflow)

    async def suggest_size(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest(interaction, [size for size in SIZES if typed.casefold() in size])

    async def _suggest(self, interaction: nextcord.Interaction, what: str, typed: str, backend: str | None) -> None:
        pairs = self._catalog.suggest(what, typed, person_of(interaction), backend=backend)
        await suggest(interaction, dict(pairs))

    for _name in SLASH_NAMES:
        _command = nextcord.slash_command(name=_name, description="Make a picture from words")(generate)
        _command.on_autocomplete("model")(suggest_model)
        _command.on_autocomplete("sampler")(suggest_sampler)
        _command.on_autocomplete("scheduler")(suggest_scheduler)
        _command.on_autocomplete("lora")(suggest_lora)
        _command.on_autocomplete("backend")(suggest_backend)
        _command.on_autocomplete("workflow")(suggest_workflow)
        _command.on_autocomplete("options")(suggest_options)
        _command.on_autocomplete("size")(suggest_size)
        locals()[f"slash_{_name}"] = _command
    del _name, _command


def _typed(*, size: str | None, lora: str | None, workflow: str | None) -> Draft:
    """Read the typed options that have a syntax of their own, with the one parser there is."""
    text = (f" --size {size}" if size else "") + (f" --lora {lora}" if lora else "")
    draft = parse_prompt(text).draft if text else Draft()
    return replace(draft, workflow=WorkflowRef(name=workflow) if workflow else None)


def _order(parsed: ParsedPrompt, attached: Sequence[nextcord.Attachment], notes: tuple[str, ...] = ()) -> Order:
    pictures, links = attached[:MAX_INPUT_PICTURES], parsed.pictures
    if pictures and links:
        notes = (f"{NOT_USED}what lies at {place_of(links[0])} ({ONE_IS_USED})", *notes)
    return Order(
        kind=OrderKind.DRAW,
        draft=parsed.draft,
        notes=(*parsed.notes, *notes),
        repeat=parsed.repeat,
        files=tuple(address_of(picture) for picture in pictures),
        names=tuple(picture.filename for picture in pictures),
        link=links[0] if links and not pictures else "",
    )
