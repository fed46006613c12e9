"""How much may wait and run at once, and the refusal that says what is full and when to come back."""

from dataclasses import dataclass

from constants import (
    DEFAULT_MAX_QUEUE_SIZE,
    DEFAULT_MAX_RUNNING_PER_USER,
    DEFAULT_MAX_WAITING_PER_USER,
    GRACEFUL_STOP_S,
)
from generation.errors import LimitReached
from utils.text import duration


@dataclass(frozen=True, kw_only=True)
class QueueLimits:
    """Limits from the settings; `cooldown_s` is the least time between two requests of one user."""

    max_waiting: int = DEFAULT_MAX_QUEUE_SIZE
    max_waiting_per_user: int = DEFAULT_MAX_WAITING_PER_USER
    max_running_per_user: int = DEFAULT_MAX_RUNNING_PER_USER
    cooldown_s: float = 0.0
    grace_s: float = GRACEFUL_STOP_S


def queue_full(waiting: int, limit: int, wait_s: float) -> LimitReached:
    return LimitReached(
        f"The queue is full: {waiting} of {limit} places are taken. Try again in {duration(wait_s)}.",
        retry_after=wait_s,
    )


def user_full(waiting: int, limit: int, wait_s: float) -> LimitReached:
    return LimitReached(
        f"You have {waiting} pictures waiting, and {limit} is the most. Try again in {duration(wait_s)}, "
        "or cancel one.",
        retry_after=wait_s,
    )


def too_soon(wait_s: float) -> LimitReached:
    return LimitReached(f"One moment: you can ask again in {duration(wait_s)}.", retry_after=wait_s)
