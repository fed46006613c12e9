"""`!dream` and `/generate`: read what was said, hand it over, show where it stands."""

import asyncio
import logging
import re
from dataclasses import replace
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.error_handler import words_for
from cogs.job_messages import JobMessages
from cogs.origin import check_interaction_permissions, check_message_permissions, of_interaction, of_message
from cogs.posting import ASKING, TRANSIENT, reply_to
from cogs.waiting import SOON_S
from cogs.workflows import suggest_workflows
from constants import (
    MAX_BATCH_SIZE,
    MAX_CFG_SCALE,
    MAX_INPUT_IMAGE_BYTES,
    MAX_PROMPT_CHARS,
    MAX_STEPS,
)
from generation.errors import NotAllowed, RequestRejected
from generation.job import JobView, Origin
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import ANY_SEED, Draft, SourceImage, WorkflowRef, seed_after
from services.catalog import Catalog
from services.generation import GenerationService
from services.media import MediaService
from services.workflows import WorkflowService
from utils.clock import Clock

log = logging.getLogger(__name__)

Loading = asyncio.Future[SourceImage | None]
SIZES = ("512x512", "512x768", "768x512", "640x640", "768x768", "1024x1024", "832x1216", "1216x832")
MAX_SLASH_SEED = 2**53 - 1  # Discord's own numbers end there; `--seed` in the prompt takes larger ones
SLASH_NAMES = ("generate", "gen", "img", "dream")
IMAGE_NAME = re.compile(r"\.(png|jpe?g|webp|gif)$", re.IGNORECASE)


class ImageGeneration(commands.Cog):
    """The commands that make pictures. Everything else about a job is in `edit_controls` and `job_messages`."""

    def __init__(
        self,
        *,
        service: GenerationService,
        media: MediaService,
        catalog: Catalog,
        messages: JobMessages,
        workflows: WorkflowService,
        clock: Clock,
    ) -> None:
        self._service = service
        self._media = media
        self._catalog = catalog
        self._messages = messages
        self._workflows = workflows
        self._clock = clock

    @prefix_command(name="dream", aliases=["generate", "gen", "img"])
    async def dream(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!dream a red fox --steps 30 --size 768x512`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        parsed = parse_prompt(text)
        # for a private answer at once, since people may have closed their direct messages
        answer: nextcord.Message | None = await _whisper(ctx) if parsed.is_private else None
        loading = asyncio.ensure_future(self._attached(ctx.message))
        asked = asyncio.ensure_future(self._submit(parsed, of_message(ctx, answer), loading))
        done, _ = await asyncio.wait({asked}, timeout=SOON_S)
        if not done and answer is None:
            answer = await reply_to(ctx, content=ASKING)
        try:
            views = await asked
        except Exception as error:
            if answer is None:
                raise
            await answer.edit(content=words_for(error))
            return
        if answer is not None and views[0].job.origin.message_id is None:
            views[0] = await self._service.shown_in(
                views[0], channel_id=str(answer.channel.id), message_id=str(answer.id)
            )
        for view in views:
            await self._messages.open(view)

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
        strength: float = SlashOption(
            description="0 keeps the picture, 1 ignores it", required=False, min_value=0, max_value=1
        ),
        backend: str = SlashOption(description="Engine to draw on", required=False),
        workflow: str = SlashOption(description="A ComfyUI workflow of yours, see /workflow", required=False),
        private: bool = SlashOption(description="Only you see it", required=False),
    ) -> None:
        check_interaction_permissions(interaction)
        parsed = parse_prompt(prompt)
        typed = _typed(size=size, lora=lora, workflow=workflow)
        typed = replace(
            typed,
            negative_prompt=negative,
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
        parsed = replace(parsed, draft=typed.over(parsed.draft), is_private=parsed.is_private or bool(private))
        await interaction.response.defer(ephemeral=parsed.is_private)
        loading = asyncio.ensure_future(self._take(image) if image else _nothing())
        origin = of_interaction(interaction, self._clock, private=parsed.is_private)
        for view in await self._submit(parsed, origin, loading):
            await self._messages.open(view)

    async def _submit(self, parsed: ParsedPrompt, origin: Origin, loading: Loading) -> list[JobView]:
        """Submit all jobs of a `--repeat` together; an explicit seed counts up."""
        draft = parsed.draft
        if image := await loading:
            draft = replace(draft, init_image=image)
        async with self._service.together(parsed.repeat) as submission:
            for number in range(parsed.repeat):
                own = replace(origin, answer_number=number, message_id=None if number else origin.message_id)
                seed = None if draft.seed is None else seed_after(draft.seed, number)
                await submission.add(replace(draft, seed=seed), own, notes=parsed.notes)
            return await submission.commit()

    async def _attached(self, message: nextcord.Message) -> SourceImage | None:
        """Take the first picture of the message, or of the message it replies to."""
        messages = [message]
        if message.reference and isinstance(message.reference.resolved, nextcord.Message):
            messages.append(message.reference.resolved)
        for one in messages:
            for attachment in one.attachments:
                if (attachment.content_type or "").startswith("image/") or IMAGE_NAME.search(attachment.filename):
                    return await self._take(attachment)
        return None

    async def _take(self, attachment: nextcord.Attachment) -> SourceImage:
        if attachment.size > MAX_INPUT_IMAGE_BYTES:
            raise RequestRejected(
                f"That picture is {attachment.size / 2**20:.1f} MB; at most {MAX_INPUT_IMAGE_BYTES // 2**20} MB work.",
                field="image",
            )
        try:
            data = await attachment.read()
        except (nextcord.HTTPException, *TRANSIENT) as error:
            raise RequestRejected("That picture cannot be read from Discord. Please attach it again.") from error
        return await self._media.take_input(data)

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

    async def suggest_size(self, interaction: nextcord.Interaction, typed: str) -> None:
        await interaction.response.send_autocomplete([size for size in SIZES if typed.casefold() in size])

    async def _suggest(self, interaction: nextcord.Interaction, what: str, typed: str, backend: str | None) -> None:
        assert interaction.user is not None, "Discord always says who"
        pairs = self._catalog.suggest(
            what,
            typed,
            user_id=str(interaction.user.id),
            guild_id=str(interaction.guild_id) if interaction.guild_id else None,
            backend=backend,
        )
        await interaction.response.send_autocomplete(dict(pairs))

    for _name in SLASH_NAMES:
        _command = nextcord.slash_command(name=_name, description="Make a picture from words")(generate)
        _command.on_autocomplete("model")(suggest_model)
        _command.on_autocomplete("sampler")(suggest_sampler)
        _command.on_autocomplete("scheduler")(suggest_scheduler)
        _command.on_autocomplete("lora")(suggest_lora)
        _command.on_autocomplete("backend")(suggest_backend)
        _command.on_autocomplete("workflow")(suggest_workflow)
        _command.on_autocomplete("size")(suggest_size)
        locals()[f"slash_{_name}"] = _command
    del _name, _command


def _typed(*, size: str | None, lora: str | None, workflow: str | None) -> Draft:
    """Read the typed options that have a syntax of their own, with the one parser there is."""
    text = (f" --size {size}" if size else "") + (f" --lora {lora}" if lora else "")
    draft = parse_prompt(text).draft if text else Draft()
    return replace(draft, workflow=WorkflowRef(name=workflow) if workflow else None)


async def _nothing() -> None:
    return None


async def _whisper(ctx: commands.Context[Any]) -> nextcord.Message:
    """Open a private answer.

    Raises:
        NotAllowed: this person takes no direct messages from us.
    """
    try:
        return await ctx.author.send(ASKING)
    except nextcord.Forbidden as error:
        raise NotAllowed(
            "I cannot send you a direct message, so I cannot answer in private.",
            hint="Allow direct messages from this server, or use `/generate` with `private`.",
        ) from error
