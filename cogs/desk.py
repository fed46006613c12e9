"""Take requests in: stored first, then acknowledged, carried out and shown.

Whatever happens to this process after the first step, the next one finds the request and goes on: it edits the answer
to an interaction by its token, or the message that announces the answer to a command. The acknowledgement runs beside
the work, since Discord takes a third of a second for it.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, Final
from zlib import crc32

import nextcord
from nextcord.ext import commands

from cogs.answers import DRAW, DROP, AnswerButton
from cogs.attachments import read_file
from cogs.cards import Row
from cogs.comparisons.messages import CompareMessages
from cogs.error_handler import error_text
from cogs.jobs.messages import JobMessages
from cogs.origin import DOOR, of_interaction, of_message, person_of, person_of_message
from cogs.posting import TRANSIENT, Posted
from cogs.remedies import remedies_for
from cogs.teller import Teller
from cogs.waiting import SOON_S
from generation.deeds import Deed
from generation.errors import Barred
from generation.habits import Habits
from generation.job import Origin
from generation.money import PriceNotAgreed
from generation.order import Order, order_to_json
from generation.person import Person
from services.drawing.intakes import Intake, IntakeService, Made
from services.drawing.questions import QuestionService
from services.people.preferences import PreferenceService
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

ACKNOWLEDGE_AGAIN_S = (0.3, 0.6)
IDS_OF_A_MOMENT: Final = 4000  # Discord counts 4096 in a millisecond


class Desk:
    """One short task per request."""

    def __init__(
        self,
        *,
        intakes: IntakeService,
        messages: JobMessages,
        comparisons: CompareMessages,
        teller: Teller,
        questions: QuestionService,
        preferences: PreferenceService,
        clock: Clock,
    ) -> None:
        self._intakes = intakes
        self._messages = messages
        self._comparisons = comparisons
        self._teller = teller
        self._questions = questions
        self._preferences = preferences
        self._clock = clock
        self._born_at = clock.now()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._announced: dict[str, Intake] = {}  # by the message of ours that announces the answer
        self._given_up: set[str] = set()
        self._is_closed = False

    async def take_press(
        self,
        interaction: nextcord.Interaction,
        order: Order,
        *,
        private: bool | None = None,
        deed: Deed | None = None,
        number: int = 0,
        intake_id: str = "",
        asked_in: str = "",
        via: str = "",
    ) -> None:
        """Take in what a slash command, a button or a form asks for; the answer is a message of its own.

        Args:
            interaction: answered with "thinking".
            order: what is asked for.
            private: only who pressed sees the answer; None: as they always want it, where nothing is shown yet.
            deed: what is done to the picture of the order's job.
            number: of that picture, from 1 on, where the job has several.
            intake_id: of what is confirmed by this press, so that two presses take it in once.
            asked_in: the id of the reply in plain words that it carries out.
            via: how it was asked for.

        Raises:
            StoreUnavailable: it cannot be stored; nobody was told that it was.
        """
        if private is None and interaction.response.is_done():  # the answer has begun, for everybody
            private = False
        habits = await self._preferences.habits(person_of(interaction))
        private = bool(habits.private) if private is None else private
        origin = of_interaction(interaction, self._clock, private=private, asked_in=asked_in, via=via)
        origin = replace(_with_habits(origin, habits, order), deed=deed or "", parent_number=number)
        if intake := await self._intakes.take(intake_id or str(interaction.id), order, origin):
            self._begin(intake.id, self._answer_press(intake, partial(_defer, interaction, private)))

    async def take_message(
        self,
        ctx: commands.Context[Any],
        order: Order,
        *,
        private: bool | None = None,
        deed: Deed | None = None,
        via: str = "",
    ) -> None:
        """Take in what a command in a message asks for; a private answer is a direct message.

        `private`: None where nothing is said, so that it is as they always want it; `deed`: as in `take_press`.

        Raises:
            StoreUnavailable: as in `take_press`.
        """
        habits = await self._preferences.habits(person_of_message(ctx))
        private = bool(habits.private) if private is None else private
        origin = replace(_with_habits(of_message(ctx, private=private, via=via), habits, order), deed=deed or "")
        if intake := await self._intakes.take(str(ctx.message.id), order, origin):
            self._begin(intake.id, self._answer_message(intake, is_repeated=False))

    async def is_private(self, person: Person, wanted: bool | None) -> bool:
        """Return whether the answer is for the person alone: what a request says goes before what they always want."""
        return bool((await self._preferences.habits(person)).private) if wanted is None else wanted

    async def take_up(self) -> int:
        """Go on with what earlier processes took in; return how many requests that were. Safe to repeat."""
        left = [item for item in await self._intakes.left(DOOR, self._born_at) if item.id not in self._tasks]
        for intake in left:
            self._begin(intake.id, self._go_on(intake))
        return len(left)

    async def message_deleted(self, message_ids: list[str]) -> None:
        """Give up what these messages announced and what has no job yet: who may delete one wants it gone."""
        for intake in [self._announced[message_id] for message_id in message_ids if message_id in self._announced]:
            if task := self._tasks.get(intake.id):
                self._given_up.add(intake.id)
                if await self._intakes.close(intake):  # else its jobs were just stored, and the task cancels them
                    task.cancel()

    async def drain(self, timeout_s: float) -> None:
        """Wait until nothing is under way, at most so long; what is left is for the next start."""
        ends_at = self._clock.monotonic() + timeout_s
        while self._tasks and (left_s := ends_at - self._clock.monotonic()) > 0:
            await asyncio.wait(set(self._tasks.values()), timeout=left_s)

    async def aclose(self) -> None:
        """End what is under way; what is heard from now on is stored for the next start."""
        self._is_closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, intake_id: str, work: Coroutine[Any, Any, None]) -> None:
        if self._is_closed:  # the connection that would answer is about to close
            work.close()
            return
        task: asyncio.Task[None] = asyncio.create_task(work, name="intake")
        self._tasks[intake_id] = task
        task.add_done_callback(partial(self._ended, intake_id))

    def _ended(self, intake_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(intake_id, None)
        self._given_up.discard(intake_id)
        self._announced = {message: item for message, item in self._announced.items() if item.id != intake_id}
        if not task.cancelled() and (error := task.exception()):  # it stays open, and the next start goes on with it
            log.error("a request was not answered", extra={"action": "job_failed"}, exc_info=error)

    async def _go_on(self, intake: Intake) -> None:
        is_press = bool(intake.origin.reply_token)
        if not is_press and not intake.origin.message_id:
            intake = await self._attached(intake, await self._teller.find(intake))
        try:
            again = await self._intakes.start_again(intake)
        except Exception as error:
            await self._refuse(intake, error, is_repeated=True)
            return
        if again is None:
            return
        if is_press:
            late = partial(self._teller.acknowledge, again.id, again.origin)
            await self._answer_press(again, late, is_repeated=True)
        else:
            await self._answer_message(again, is_repeated=True)

    async def _answer_press(
        self, intake: Intake, acknowledge: Callable[[], Awaitable[bool]], *, is_repeated: bool = False
    ) -> None:
        work = asyncio.ensure_future(self._intakes.carry_out(intake, read_file))
        try:
            # beside the work, and before anything is shown: until then the answer does not exist
            if await self._acknowledge(acknowledge):
                self._teller.note_thinking(intake.origin)
            made = await work
        except Exception as error:
            await self._refuse(intake, error, is_repeated=is_repeated)
        else:
            await self._show(made, is_repeated=is_repeated, is_thinking=True)
        finally:
            work.cancel()

    async def _acknowledge(self, acknowledge: Callable[[], Awaitable[bool]]) -> bool:
        """Answer within Discord's three seconds; where that fails, the picture comes as a message of its own.

        Return whether the bot is seen thinking since then.
        """
        for wait_s in (*ACKNOWLEDGE_AGAIN_S, None):
            try:
                return await acknowledge()
            except (nextcord.HTTPException, *TRANSIENT) as error:
                if wait_s is None or not isinstance(error, TRANSIENT):
                    log.warning("an interaction could not be acknowledged (%s)", type(error).__name__)
                    break
                await self._clock.sleep(wait_s)
        return False

    async def _answer_message(self, intake: Intake, *, is_repeated: bool) -> None:
        work: asyncio.Future[Made] | None = None
        try:
            if intake.origin.private and not intake.origin.message_id:
                # before the work: people may have closed their direct messages
                intake = await self._attached(intake, await self._teller.announce(intake.origin))
            work = asyncio.ensure_future(self._intakes.carry_out(intake, read_file))
            if not intake.origin.message_id and not (await asyncio.wait({work}, timeout=SOON_S))[0]:
                intake = await self._attached(intake, await self._teller.announce(intake.origin))
            made = await work
            if intake.origin.message_id:
                made = await self._intakes.shown_in(made, intake.origin)
        except Exception as error:
            await self._refuse(intake, error, is_repeated=is_repeated)
        else:
            if intake.id in self._given_up:
                await self._intakes.take_back(made, intake.origin)
            else:
                await self._show(made, is_repeated=is_repeated, is_thinking=bool(intake.origin.message_id))
        finally:
            if work is not None:
                work.cancel()

    async def _attached(self, intake: Intake, posted: Posted | None) -> Intake:
        if posted is None:
            return intake
        self._announced[posted.message_id] = intake
        return await self._intakes.attach(intake, channel_id=posted.channel_id, message_id=posted.message_id)

    async def _show(self, made: Made, *, is_repeated: bool, is_thinking: bool) -> None:
        is_thinking = is_thinking and len(made.views) == 1
        for view in made.views:
            await self._messages.open(view, is_repeated=is_repeated, is_thinking=is_thinking)
        if made.comparison:
            await self._comparisons.open(made.comparison)

    async def _refuse(self, intake: Intake, error: Exception, *, is_repeated: bool) -> None:
        """Notify the person, and only then end the intake: a crash in between tells them again."""
        if isinstance(error, Barred):
            await self._teller.refuse_alone(intake.origin, error_text(error))
        else:
            rows = await self._remedies(intake, error)
            await self._teller.refuse(intake.origin, error_text(error), rows=rows, is_repeated=is_repeated)
        await self._intakes.close(intake)

    async def _remedies(self, intake: Intake, error: Exception) -> tuple[Row, ...]:
        """Keep what would be right in place of a refused order, for the buttons that draw it."""
        buttons: list[AnswerButton] = []
        for remedy in remedies_for(intake.order, error):
            # the id of the request itself is spent; another order has another one, so that none takes another's place
            offset = 1 + crc32(json.dumps(order_to_json(remedy.order)).encode()) % IDS_OF_A_MOMENT
            question_id = str(int(intake.id) + offset)
            await self._questions.keep(question_id, remedy.order, intake.origin)
            buttons.append(
                AnswerButton(
                    action=DRAW, job_id=question_id, label=remedy.label, emoji=remedy.emoji, style=remedy.style
                )
            )
        if buttons and isinstance(error, PriceNotAgreed):
            buttons.append(replace(buttons[0], action=DROP, label=_("Cancel"), emoji="✖️", style="secondary"))
        return (tuple(buttons),) if buttons else ()


def _with_habits(origin: Origin, habits: Habits, order: Order) -> Origin:
    return replace(
        origin,
        agreed_usd=order.agreed_usd,
        spoiler=bool(habits.spoiler) if order.is_spoiler is None else order.is_spoiler,
        previews=habits.previews is not False,
        pings=habits.pings is not False,
        # what is answered in direct messages is there already
        by_letter=bool(habits.dm and origin.guild_id and (origin.reply_token or not origin.private)),
    )


async def _defer(interaction: nextcord.Interaction, private: bool) -> bool:
    if interaction.response.is_done():
        return False
    await interaction.response.defer(ephemeral=private, with_message=True)
    return True
