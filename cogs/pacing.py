"""Plan the few edits between the first words about a picture and the picture itself.

Each edit is a request, and all messages of a channel share five in five seconds, pictures that are ready among them.
Discord itself counts down the times that a message names, so a bar that moves three times tells as much as one that
moves thirty times. Numbers: `docs/decisions/043-discord-at-scale.md`.
"""

import asyncio
from collections.abc import Callable, Hashable
from typing import Final

from lazy import dataclass
from utils.clock import Clock, sleep_until

SOON_S: Final = 1.5  # a picture that comes within it needs no edit
READ_S: Final = 2.0  # as long people need to read the last one
LATE_S: Final = 60.0  # between those beyond the plan, where it takes longer than was thought
MOST_EDITS: Final = 3
PING_EDITS: Final = 1  # a ping takes two requests more, so the plan has one edit less
MIN_STEP: Final = 0.05  # of the bar: smaller moves are not worth an edit
_NEVER: Final = float("inf")


@dataclass(frozen=True, kw_only=True)
class MessageState:
    """The state that a message would show now, as far as it decides about an edit; times are the clock's, monotonic."""

    is_waiting: bool
    ends_at: float | None = None  # when it is expected to be drawn or, while it waits, to begin
    is_held: bool = False  # it waits behind others, or its engine is gone: worth words at once
    news: Hashable = None  # what is shown as soon as it changes: the engine is gone, it is tried again elsewhere
    words: Hashable = None  # the rest of what is shown
    fraction: float = 0.0

    def has_moved(self, shown: "MessageState") -> bool:
        return ((self.is_waiting, self.news, self.words) != (shown.is_waiting, shown.news, shown.words)) or abs(
            self.fraction - shown.fraction
        ) >= MIN_STEP


class EditPlan:
    """The moments at which one message is worth an edit: pure, so `now` is handed in.

    Args:
        shown: what it shows already; None: nothing but that the bot is thinking.
        now: when it was shown.
        age_s: how long it has been waited for by then.
        ping_after_s: after so long a wait its end is pinged; 0: never.
    """

    def __init__(
        self, shown: MessageState | None, now: float, *, age_s: float = 0.0, ping_after_s: float = 0.0
    ) -> None:
        self._shown = shown
        self._began_at = self._last_at = now
        self._asked_at = now - age_s
        self._ping_after_s = ping_after_s
        self._spent = 0
        self._run_at: float | None = None  # when it was first seen being drawn
        self._is_run_shown = shown is not None and not shown.is_waiting
        self._soon_at: float | None = None  # when it was first thought to come soon

    def wait_s(self, standing: MessageState, now: float) -> float:
        """Return the seconds until an edit is due that shows this; infinite while it would show nothing new."""
        if standing.is_waiting:
            self._run_at = self._soon_at = None
            self._is_run_shown = False
        elif self._run_at is None:
            self._run_at = now
        return max(0.0, self._due_at(standing, now) - now)

    def note_sent(self, standing: MessageState, now: float) -> None:
        """Take in that the message shows this now."""
        if self._shown is None or standing.news == self._shown.news:
            self._spent += 1
        self._shown, self._last_at = standing, now
        self._is_run_shown = not standing.is_waiting

    def _due_at(self, standing: MessageState, now: float) -> float:
        shown = self._shown
        if shown is None:
            return self._began_at if standing.is_held else self._unless_soon(standing, now, self._began_at + SOON_S)
        if not standing.has_moved(shown):
            return _NEVER
        if standing.news != shown.news:
            return self._last_at + SOON_S
        if standing.is_waiting:
            return self._place_at(standing, now)
        return self._unless_soon(standing, now, self._bar_at(standing, now))

    def _place_at(self, standing: MessageState, now: float) -> float:
        """Show a place in line half-way to its turn; one edit is kept for when it is drawn."""
        if self._spent >= self._most(standing, now) - 1:
            return self._late_at()
        left_s = standing.ends_at - self._last_at if standing.ends_at is not None else self._last_at - self._began_at
        return self._last_at + max(2 * READ_S, left_s / 2)

    def _bar_at(self, standing: MessageState, now: float) -> float:
        assert self._run_at is not None, "set where it is first seen being drawn"
        if not self._is_run_shown:
            return max(self._last_at, self._run_at) + SOON_S
        left = self._most(standing, now) - self._spent
        if left <= 0:
            return self._late_at()
        if standing.ends_at is not None and standing.ends_at > now:
            gap_s = (standing.ends_at - self._last_at) / (left + 1)
        else:
            gap_s = 2 * (self._last_at - self._run_at)
        return self._last_at + max(READ_S, SOON_S, gap_s)

    def _late_at(self) -> float:
        """Return when it is shown beyond the plan: after as long as it has taken by now, so ever more rarely."""
        return self._last_at + max(LATE_S, self._last_at - self._began_at)

    def _unless_soon(self, standing: MessageState, now: float, due_at: float) -> float:
        if standing.is_waiting or standing.ends_at is None or standing.ends_at - now > SOON_S:
            return due_at
        if self._soon_at is None:
            self._soon_at = now
        return max(due_at, self._soon_at + 2 * SOON_S)  # if it has not come by then, nobody knows when

    def _most(self, standing: MessageState, now: float) -> int:
        end = max(now, standing.ends_at or now)
        is_pinged = bool(self._ping_after_s) and end - self._asked_at >= self._ping_after_s
        return MOST_EDITS - (PING_EDITS if is_pinged else 0)


class Pacer:
    """Waits for the moments of a plan; `offer` is called at each and leads to `sent`, or to the end of this."""

    def __init__(self, plan: EditPlan, clock: Clock, offer: Callable[[], None]) -> None:
        self._plan = plan
        self._clock = clock
        self._offer = offer
        self._standing: MessageState | None = None
        self._is_offered = False
        self._bell = asyncio.Event()

    def note(self, standing: MessageState) -> None:
        """Take in what it would show now."""
        self._standing = standing
        self._bell.set()

    def sent(self, standing: MessageState) -> None:
        """Take in what was sent."""
        self._plan.note_sent(standing, self._clock.monotonic())
        self._is_offered = False
        self._bell.set()

    async def run(self) -> None:
        """Run until it is cancelled."""
        while True:
            self._bell.clear()
            wait_s = _NEVER
            if self._standing is not None and not self._is_offered:
                wait_s = self._plan.wait_s(self._standing, self._clock.monotonic())
            if wait_s <= 0:
                self._is_offered = True
                self._offer()
            else:
                await sleep_until(self._bell, self._clock, wait_s)
