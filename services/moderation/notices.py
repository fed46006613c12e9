"""Notices to people and moderators: committed with what they tell of, so that a restart loses nothing.

The door that can tell them (the bot) calls `open`; until then it waits. A notice is told at least once: after a crash
in the moment between telling and noting so, twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from store.database import Write
from store.notices import ModerationNotice as ModerationNotice
from store.notices import NoticeStore
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

BACK_OFF_S: Final = (5.0, 30.0, 120.0, 600.0, 1800.0)
MOST_TRIES: Final = 24  # about half a day
STORE_PAUSE_S: Final = 30.0

Deliver = Callable[[ModerationNotice], Awaitable[None]]


class NoticeKind(StrEnum):
    """The subjects of notices."""

    BANNED = "banned"
    UNBANNED = "unbanned"
    REPORTED = "reported"  # to the moderators: a card that is edited as the report goes on
    DECIDED = "decided"  # to the owner of the picture
    OUTCOME = "outcome"  # to who reported it
    APPEAL = "appeal"  # to the owner: what came of their appeal
    WITHDRAWN = "withdrawn"  # the message that showed the picture is emptied
    ALERT = "alert"


class TellLater(Exception):
    """Discord did not take it now, but may later."""


class NoticeService:
    """Run `run` as one task."""

    def __init__(self, store: NoticeStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._deliver: Deliver | None = None
        self._bell = asyncio.Event()

    def open(self, deliver: Deliver) -> None:
        """Begin to tell through `deliver`, which raises `TellLater` where that may work another time."""
        self._deliver = deliver
        self._bell.set()

    def telling(
        self,
        kind: NoticeKind,
        *,
        guild_id: str = "",
        user_key: str = "",
        channel_id: str = "",
        subject: str = "",
        **details: Any,
    ) -> Write:
        """Return what writes a notice, in the transaction of what it tells of; `wake` then."""
        return self._store.adding(
            kind.value,
            self._clock.now(),
            guild_id=guild_id,
            user_key=user_key,
            channel_id=channel_id,
            subject=subject,
            details=details,
        )

    async def tell(self, kind: NoticeKind, **more: Any) -> None:
        """Write a notice of its own."""
        await self._store.add(self.telling(kind, **more))
        self._bell.set()

    def wake(self) -> None:
        self._bell.set()

    async def run(self) -> None:
        """Deliver what is due until cancelled."""
        while True:
            self._bell.clear()
            await sleep_until(self._bell, self._clock, await self._pause_s())

    async def _pause_s(self) -> float:
        """Deliver what is due; return the seconds until more is."""
        if self._deliver is None:
            return float("inf")
        try:
            while due := await self._store.due(self._clock.now()):
                for notice in due:
                    await self._tell(self._deliver, notice)
            next_due = await self._store.next_due()
        except Exception:
            log.exception("what moderators and people are to be told could not be read", extra={"action": "notices"})
            return STORE_PAUSE_S
        return float("inf") if next_due is None else max(0.1, next_due - self._clock.now().timestamp())

    async def _tell(self, deliver: Deliver, notice: ModerationNotice) -> None:
        try:
            await deliver(notice)
        except Exception as error:  # one that cannot be told must not hold up the others
            is_known = isinstance(error, TellLater)
            extra = {"action": "notices", "kind": notice.kind, "tries": notice.tries + 1}
            log.warning("a notice could not be told (%s)", error, exc_info=None if is_known else error, extra=extra)
            if notice.tries < MOST_TRIES:
                wait_s = BACK_OFF_S[min(notice.tries, len(BACK_OFF_S) - 1)]
                await self._store.later(notice.seq, self._clock.now() + timedelta(seconds=wait_s))
                return
        await self._store.done(notice.seq)
