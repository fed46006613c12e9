"""The Discord client with all its cogs: built from services, run by `main`."""

import logging
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.admin import Administration
from cogs.beginnings.blend import Blend
from cogs.beginnings.remix import Remix
from cogs.beginnings.templates import Templates
from cogs.chat.cog import DrawChat
from cogs.collecting import Collecting
from cogs.command_sync import CommandSync
from cogs.comparisons.cog import Compare
from cogs.comparisons.messages import CompareMessages
from cogs.comparisons.versus import Versus
from cogs.comparisons.votes import VoteMessages
from cogs.contexts import note_place
from cogs.cost import CostCommands
from cogs.desk import Desk
from cogs.direct import DirectRooms
from cogs.engines.cog import Engines
from cogs.engines.connections import Connections
from cogs.engines.models import Models
from cogs.enhancing.cog import Enhance
from cogs.error_handler import ErrorHandler
from cogs.exports import Exports
from cogs.forget import Forget
from cogs.gallery import Gallery
from cogs.help import Help, slash_hint
from cogs.house.cog import Setup
from cogs.image_generation import ImageGeneration
from cogs.inputs import Inputs
from cogs.jobs.as_input import AsInput
from cogs.jobs.controls import EditControls
from cogs.jobs.deleting import Deleting
from cogs.jobs.deletions import Deletions
from cogs.jobs.info import JobInfo
from cogs.jobs.messages import JobMessages
from cogs.jobs.picks import Picks
from cogs.letters import Letters
from cogs.moderation.caps import Caps
from cogs.moderation.cog import Moderating
from cogs.moderation.engines import EngineHolds
from cogs.moderation.notices import ModerationNotices
from cogs.moderation.reports import Reports
from cogs.offers import Offers
from cogs.pictures.cog import Pictures
from cogs.pictures.sources import PictureSources
from cogs.pictures.words import PictureWords
from cogs.plain_words import give_command, may_be_mended
from cogs.posting import Poster, reply_to
from cogs.preferences import Preferences
from cogs.presence import Presence
from cogs.presses import Presses
from cogs.questions import Questions
from cogs.queue_status import QueueStatus
from cogs.reactions import Reactions
from cogs.replies.cog import Replies
from cogs.sharing import Sharing
from cogs.spender import Spender
from cogs.studio import Studio, StudioButton
from cogs.styles import Styles
from cogs.teller import Teller
from cogs.unreadable import Unreadable
from cogs.welcome import Welcome
from cogs.why import Why
from cogs.wire.reading import complete
from cogs.workflows.cog import Workflows
from services.bundle import Services
from services.people.links import StudioLinks
from settings.discord import DiscordSettings

log = logging.getLogger(__name__)

GUILD_READY_TIMEOUT_S = 0.5  # nextcord waits 2; taking up needs no list of servers, and people wait for it


class EaselBot(commands.Bot):
    """A `commands.Bot` that takes unfinished messages up again when it is ready; `sharding` has its subclasses."""

    def __init__(
        self,
        services: Services,
        settings: DiscordSettings,
        *,
        message_content: bool = True,
        studio: StudioLinks | None = None,
    ) -> None:
        intents = nextcord.Intents(
            guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, dm_reactions=True
        )
        intents.message_content = message_content
        self.init_connections(
            # without the intent only mentions carry text, and nextcord warns of any other prefix
            command_prefix=commands.when_mentioned_or(settings.prefix) if message_content else commands.when_mentioned,
            intents=intents,
            allowed_mentions=nextcord.AllowedMentions.none(),
            help_command=None,
            case_insensitive=True,
            default_guild_ids=list(settings.guild_ids) or nextcord.utils.MISSING,
            guild_ready_timeout=GUILD_READY_TIMEOUT_S,
        )
        self._command_sync = self._sync(services, settings)
        self._is_ended = False
        self._spender = Spender(services.clock, services.loops)
        self._presence = Presence(self, service=services.generation, loops=services.loops, clock=services.clock)
        self._direct = DirectRooms(self, hears_presses=settings.has_first_shard)
        poster = Poster(self, services.clock, settings.card_style, self._direct)
        self.messages = self._job_messages(services, settings, poster, studio)
        self._letters = Letters(self.messages, poster)
        self._comparisons = self._compare_messages(services, poster, settings)
        self._votes = VoteMessages(
            poster=poster, versus=services.versus, spender=self._spender, loops=services.loops, clock=services.clock
        )
        self.desk = self._desk(services, poster)
        door = Studio if studio else StudioButton  # no command is offered that cannot work
        self.add_cog(door(service=services.generation, links=studio))
        caps = services.moderation.caps
        self.add_cog(Setup(house=services.house, caps=caps, desk=self.desk, clock=services.clock))
        self._add_cogs(services, message_content=message_content)

    def init_connections(self, **options: Any) -> None:
        """Make what nextcord is of this bot."""
        super().__init__(**options)

    def _compare_messages(self, services: Services, poster: Poster, settings: DiscordSettings) -> CompareMessages:
        return CompareMessages(
            poster=poster,
            service=services.generation,
            compare=services.compare,
            versus=services.versus,
            spender=self._spender,
            context_of=self.messages.context,
            priced=self.messages.priced,
            clock=services.clock,
            write=self._letters.send_finished,
            ping_after_s=settings.ping_after_s,
        )

    def _sync(self, services: Services, settings: DiscordSettings) -> CommandSync:
        offers = Offers(catalog=services.catalog, rentals=services.upkeep.rentals)
        return CommandSync(
            self,
            offers,
            services.loops,
            services.clock,
            settings.guild_ids,
            may_write=settings.has_first_shard,
            for_people=settings.user_install,
        )

    def _job_messages(
        self, services: Services, settings: DiscordSettings, poster: Poster, studio: StudioLinks | None
    ) -> JobMessages:
        return JobMessages(
            poster=poster,
            service=services.generation,
            media=services.media,
            catalog=services.catalog,
            finisher=services.intakes.finisher,
            tags=services.money.tags,
            spender=self._spender,
            clock=services.clock,
            write=lambda posted, jobs: self._letters.send_finished(posted, jobs),
            ping_after_s=settings.ping_after_s,
            has_studio=studio is not None,
            start_command=services.upkeep.rentals.start_command,
            link_to=lambda image, job: studio.file(image.media_id, is_private=job.origin.private) if studio else "",
        )

    def _desk(self, services: Services, poster: Poster) -> Desk:
        return Desk(
            intakes=services.intakes,
            messages=self.messages,
            comparisons=self._comparisons,
            teller=Teller(poster, services.clock),
            questions=services.questions,
            preferences=services.preferences,
            clock=services.clock,
        )

    def _add_drawing_cogs(self, services: Services) -> None:
        """Add what draws from words, and the styles to draw in."""
        generation, catalog = services.generation, services.catalog
        questions = Questions(questions=services.questions, desk=self.desk, clock=services.clock)
        self.add_cog(questions)
        prompts = services.wording.prompts
        clock = services.clock
        asked = {"questions": questions, "desk": self.desk, "tags": services.money.tags}
        self.add_cog(Enhance(prompts=prompts, service=generation, clock=clock, **asked))  # type: ignore[arg-type]
        styles = {"looks": services.looks, "styles": services.records.styles}
        inputs = Inputs(generation)
        drawing = {"workflows": services.workflows, "inputs": inputs, **styles}
        self.add_cog(Templates(templates=services.records.templates, questions=questions))
        self.add_cog(Blend(catalog=catalog, workflows=services.workflows, inputs=inputs, desk=self.desk))
        self.add_cog(ImageGeneration(catalog=catalog, questions=questions, **drawing))  # type: ignore[arg-type]
        mixing = services.wording.mixing
        self.add_cog(Styles(catalog=catalog, service=generation, mixing=mixing, clock=clock, **styles))  # type: ignore[arg-type]

    def _add_card_cogs(self, services: Services) -> None:
        """Add what answers presses under a picture, and what begins with one."""
        generation, messages, desk = services.generation, self.messages, self.desk
        media, catalog, gallery = services.media, services.catalog, services.records.gallery
        controls = EditControls(service=generation, catalog=catalog, messages=messages, desk=desk)
        self.add_cog(controls)
        self.add_cog(Remix(inputs=Inputs(generation), controls=controls))
        self.add_cog(Deleting(self, service=generation))
        self.add_cog(JobInfo(service=generation, gallery=gallery))
        rights = services.moderation.rights
        self.add_cog(
            Why(timelines=services.timelines, service=generation, gallery=gallery, rights=rights, clock=services.clock)
        )
        self.add_cog(Picks(service=generation, media=media, messages=messages, desk=desk))
        self.add_cog(AsInput(service=generation, sources=PictureSources(generation, media), desk=desk))
        self.add_cog(Pictures(service=generation, media=media, catalog=catalog, desk=desk))
        words = {"service": generation, "media": media, "catalog": catalog, "seeing": services.wording.seeing}
        self.add_cog(PictureWords(desk=desk, tags=services.money.tags, clock=services.clock, **words))  # type: ignore[arg-type]

    def _add_cogs(self, services: Services, *, message_content: bool) -> None:
        generation, media, catalog, desk = services.generation, services.media, services.catalog, self.desk
        self.add_cog(ErrorHandler(self))
        self._add_drawing_cogs(services)
        self._add_card_cogs(services)
        self.add_cog(Deletions(service=services.generation, desk=self.desk))
        self.add_cog(Connections(connections=services.connections, service=services.generation, clock=services.clock))
        self.add_cog(Workflows(workflows=services.workflows))
        self.add_cog(Preferences(preferences=services.preferences, service=generation, clock=services.clock))
        self.add_cog(Models(catalog=services.catalog))
        self.add_cog(QueueStatus(service=services.generation, catalog=services.catalog))
        self.add_cog(
            Engines(
                self,
                service=services.generation,
                catalog=services.catalog,
                connections=services.connections,
                rentals=services.upkeep.rentals,
                text=services.wording.text,
                rights=services.moderation.rights,
                clock=services.clock,
            )
        )
        self.add_cog(Compare(compare=services.compare, messages=self._comparisons, catalog=catalog, desk=desk))
        prompts, clock = services.wording.prompts, services.clock
        votes = self._votes
        self.add_cog(
            Versus(versus=services.versus, votes=votes, prompts=prompts, catalog=catalog, desk=desk, clock=clock)
        )
        self.add_cog(
            Gallery(
                gallery=services.records.gallery,
                media=media,
                service=generation,
                messages=self.messages,
            )
        )
        self.add_cog(Reactions(self, service=generation, gallery=services.records.gallery, letters=self._letters))
        self.add_cog(Sharing(self, service=generation, messages=self.messages, letters=self._letters))
        self._add_replies(services)
        self.add_cog(Collecting(gallery=services.records.gallery, service=generation))
        self.add_cog(Exports(gallery=services.records.gallery, media=media))
        chat, tags = services.wording.chat, services.money.tags
        self.add_cog(DrawChat(self, chat=chat, tags=tags, clock=services.clock))
        self.add_cog(Forget(forgetting=services.records.forgetting))
        self._add_moderation(services)
        self.add_cog(Help())
        self.add_cog(Welcome(desk=desk))
        self.add_cog(self._presence)
        if not message_content:
            self.add_cog(Unreadable(services.clock))
        presses = Presses()
        for cog in self.cogs.values():
            presses.add(cog)
        self.add_cog(presses)

    def _add_replies(self, services: Services) -> None:
        self._replies = Replies(
            service=services.generation,
            media=services.media,
            catalog=services.catalog,
            desk=self.desk,
            reader=services.wording.replies,
            clock=services.clock,
        )
        self.add_cog(self._replies)

    def _add_moderation(self, services: Services) -> None:
        moderation = services.moderation
        self.add_cog(Administration(services=services))
        self.add_cog(Caps(moderation=moderation, clock=services.clock))
        self.add_cog(CostCommands(books=services.money.books, rules=services.house.rules, clock=services.clock))
        self.add_cog(EngineHolds(moderation=moderation, models=services.models, clock=services.clock))
        self.add_cog(Moderating(moderation=moderation))
        self.add_cog(ModerationNotices(self, moderation=moderation, messages=self.messages, direct=self._direct))
        self.add_cog(Reports(service=services.generation, moderation=moderation))

    def get_interaction(self, data: Any, *, cls: Any = nextcord.Interaction) -> Any:
        """Return an interaction as nextcord makes it, with what a layout holds, which that does not read."""
        interaction = super().get_interaction(data, cls=cls)
        note_place(interaction, data)
        if interaction.message is not None:
            complete(interaction.message, data.get("message"))
        return interaction

    async def on_connect(self) -> None:
        """Register the commands in place of nextcord's own way, which takes a request for each."""
        await self._command_sync.sync_all()

    async def on_guild_available(self, guild: nextcord.Guild) -> None:
        """Do so for a server that has come back or was joined."""
        await self._command_sync.sync_guild(guild.id)

    async def on_ready(self) -> None:
        """Comes at the start and after every new session: taking up is safe to repeat."""
        count = await self.take_up()
        user = self.user.name if self.user else "?"
        log.info("ready as %s, servers: %d, answers taken up: %d", user, len(self.guilds), count)

    async def take_up(self) -> int:
        """Go on with what earlier processes left; return how many answers. Safe to repeat."""
        return await self.messages.take_up() + await self.desk.take_up()

    async def process_commands(self, message: nextcord.Message) -> None:
        """Run the command of a message; words that can only be meant for the bot are drawn without one."""
        if not message.author.bot:
            ctx: commands.Context[Any] = await self.get_context(message)
            if ctx.command is None and await self._take_reply(ctx):
                return
            give_command(ctx)
            if ctx.command is None and (hint := slash_hint(ctx)):
                await reply_to(ctx, content=hint)
                return
            await self.invoke(ctx)

    async def _take_reply(self, ctx: commands.Context[Any]) -> bool:
        """Carry out a reply in plain words; what it raises is answered as a command's failure."""
        try:
            return await self._replies.take(ctx)
        except Exception as error:
            self.dispatch("command_error", ctx, commands.CommandInvokeError(error))
            return True

    async def on_message_edit(self, before: nextcord.Message, after: nextcord.Message) -> None:
        """Take a slip that was corrected at once, `!dreem` to `!dream`; what was taken is not taken again."""
        if may_be_mended(before, after):
            ctx: commands.Context[Any] = await self.get_context(before)
            give_command(ctx)
            if ctx.command is None and not self._replies.means_something(ctx):
                await self.process_commands(after)

    async def on_error(self, event_method: str, *args: object, **kwargs: object) -> None:
        """Log what a listener raised; nextcord would print it past our log. What a stop cuts off is no fault."""
        if not self.is_closed():
            log.exception("a listener failed", extra={"event": event_method})

    async def close(self) -> None:
        """End in order; nextcord closes it itself where Discord refuses it, and whoever has dialled does so again."""
        if self._is_ended:
            return
        self._is_ended = True
        await self._presence.aclose()
        await self._command_sync.aclose()
        await self.desk.aclose()
        await self.messages.aclose()
        await self._comparisons.aclose()
        await self._votes.aclose()
        await self._spender.aclose()
        await super().close()
