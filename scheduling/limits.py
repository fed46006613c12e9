"""Limits on what may wait and run at once, and the refusal that says what is full and when to come back."""

from generation.errors import GenerationError, LimitReached
from generation.job import JobError, JobStatus
from settings.queue import QueueSettings
from texts.text import _
from utils.clock import Clock
from utils.text import duration

MAX_REMEMBERED_USERS = 1000
UNKNOWN_TURN_S = 10.0  # when the next place is free in a lane that has not finished anything yet: a round guess
WAITING = frozenset({JobStatus.QUEUED})


def check_places(limits: QueueSettings, waiting: int, own: int, more: int, turn_s: float) -> None:
    """Refuse `more` jobs if `waiting` in all, or `own` of this user, leave no room; a place is free in `turn_s`."""
    most = min(limits.max_waiting, limits.max_waiting_per_user)
    if more > most:
        raise LimitReached(
            _("That would be {more} requests at once; the maximum is {most}. Ask for fewer.", more=more, most=most)
        )
    if (over := waiting + more - limits.max_waiting) > 0:
        raise queue_full(waiting, limits.max_waiting, over * turn_s)
    if (over := own + more - limits.max_waiting_per_user) > 0:
        raise user_full(own, limits.max_waiting_per_user, over * turn_s)


def queue_full(waiting: int, limit: int, wait_s: float) -> LimitReached:
    state = "full" if waiting >= limit else _("almost full")
    return LimitReached(
        _(
            "The queue is {state}: {waiting} of {limit} places are taken. Try again in {wait}.",
            state=state,
            waiting=waiting,
            limit=limit,
            wait=duration(wait_s),
        ),
        retry_after=wait_s,
    )


def user_full(waiting: int, limit: int, wait_s: float) -> LimitReached:
    return LimitReached(
        _(
            "You have {waiting} pictures waiting; the maximum is {limit}. Try again in {wait}, or cancel one.",
            waiting=waiting,
            limit=limit,
            wait=duration(wait_s),
        ),
        retry_after=wait_s,
    )


def too_soon(wait_s: float) -> LimitReached:
    return LimitReached(_("One moment: you can ask again in {wait}.", wait=duration(wait_s)), retry_after=wait_s)


def waited_too_long(limit_s: float) -> JobError:
    return JobError(
        code="expired",
        user_message=_("It waited for more than {limit} and was given up.", limit=duration(limit_s)),
        hint=_("🎲 Run again puts it back in line."),
    )


def patience_over(error: GenerationError, patience_s: float) -> JobError:
    return JobError(
        code=error.code,
        user_message=error.user_message,
        hint=_(
            "It did not come back within {patience}. {hint}", patience=duration(patience_s), hint=error.hint
        ).rstrip(),
        owner_hint=error.owner_hint,
    )


class Cooldown:
    """The minimum time between two requests of one user. What comes together (a repeat) is one request."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self.seconds = seconds
        self._asked: dict[str, float] = {}  # user -> when

    def check(self, user_key: str) -> None:
        """Let a request in and remember it, or refuse it."""
        if self.seconds <= 0:
            return
        now = self._clock.monotonic()
        wait_s = self._asked.get(user_key, float("-inf")) + self.seconds - now
        if wait_s > 0:
            raise too_soon(wait_s)
        if len(self._asked) >= MAX_REMEMBERED_USERS:
            self._asked = {user: asked_at for user, asked_at in self._asked.items() if asked_at + self.seconds > now}
        self._asked[user_key] = now

    def forget(self, user_key: str) -> None:
        self._asked.pop(user_key, None)
