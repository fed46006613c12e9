"""Keeps the message of a vote true while people vote, and shows the outcome when it is over; after a restart too."""

import logging
from typing import Final

import nextcord

from cogs.comparisons import versus_card
from cogs.posting import TRANSIENT, Poster
from cogs.spender import Spender
from services.drawing.versus import Ballot, VersusService
from utils.clock import Clock
from utils.loops import Loops

log = logging.getLogger(__name__)

LOOP: Final = "votes"
LOOK_EVERY_S: Final = 20.0
GIVEN_UP_AFTER_S: Final = 24 * 3600.0  # a message that cannot be edited for so long stays as it is


class VoteMessages:
    """Edits messages; who may vote is decided by the service."""

    def __init__(self, *, poster: Poster, versus: VersusService, spender: Spender, loops: Loops, clock: Clock) -> None:
        self._poster = poster
        self._versus = versus
        self._spender = spender
        self._loops = loops
        self._clock = clock
        self._is_looking = False

    def open(self) -> None:
        """Look for votes that are over, from now on; safe to repeat."""
        if not self._is_looking:
            self._is_looking = True
            self._loops.start(LOOP, self._look)

    async def aclose(self) -> None:
        await self._loops.cancel(LOOP)

    async def refresh(self, ballot: Ballot) -> None:
        """Show how a vote stands, soon: of several that come together, the last one is shown."""
        views = await self._versus.views(ballot)
        origin = views[0].job.origin

        async def send() -> None:
            if (current := await self._versus.get(ballot.id)) is not None:
                await self._show(current)

        self._spender.offer(self._poster.bucket(origin), ballot.id, send)

    async def finish(self, ballot: Ballot) -> None:
        """Show the outcome and forget who voted for what; one that Discord does not take now is tried again."""
        try:
            await self._show(ballot)
        except (nextcord.NotFound, nextcord.Forbidden) as error:
            log.info("the message of a vote is gone (%s)", type(error).__name__)
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("the outcome of a vote could not be shown yet (%s)", type(error).__name__)
            closed_at = ballot.closed_at or self._clock.now()
            if (self._clock.now() - closed_at).total_seconds() < GIVEN_UP_AFTER_S:
                return
        await self._versus.drop(ballot)

    async def _show(self, ballot: Ballot) -> None:
        views = await self._versus.views(ballot)
        card = versus_card.card(ballot.id, views, ballot, self._clock.now())
        await self._poster.edit(views[0].job, card)

    async def _look(self) -> None:
        while True:
            for ballot in await self._versus.due():
                await self.finish(ballot)
            await self._clock.sleep(LOOK_EVERY_S)
