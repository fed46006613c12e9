"""Limits on what may wait and run at once, and on how long."""

from typing import ClassVar

import constants as c
from settings.fields import Group, JobSpan, Span, number, span
from texts.text import _

DAY_S = 86400


class QueueSettings(Group):
    title: ClassVar[str] = _("Queue and limits")
    live: ClassVar[frozenset[str]] = frozenset(
        {
            "max_waiting",
            "max_waiting_per_user",
            "max_running_per_user",
            "max_running",
            "cooldown_s",
            "max_wait_s",
            "patience_s",
        }
    )

    max_waiting: int = number(
        c.DEFAULT_MAX_QUEUE_SIZE, _("Maximum jobs waiting in total"), variable="MAX_QUEUE_SIZE", low=1, high=100_000
    )
    max_waiting_per_user: int = number(
        c.DEFAULT_MAX_WAITING_PER_USER, _("Maximum jobs waiting per user"), low=1, high=100_000
    )
    max_running_per_user: int = number(
        c.DEFAULT_MAX_RUNNING_PER_USER, _("Maximum jobs running per user"), low=1, high=1000
    )
    max_running: int = number(
        0,
        _("Maximum jobs running on all engines together; 0: as many as the engines take"),
        variable="MAX_CONCURRENT_JOBS",
        low=0,
        high=1000,
    )
    max_prompt_chars: int = number(
        c.MAX_PROMPT_CHARS,
        _("Maximum characters of a prompt"),
        variable="MAX_PROMPT_LENGTH",
        low=50,
        high=c.MAX_PROMPT_CHARS,
    )
    cooldown_s: Span = span(0.0, _("Minimum time between two requests of a user"), low=0, high=DAY_S)
    max_wait_s: Span = span(
        c.DEFAULT_MAX_WAIT_S, _("Maximum time a job waits before it is given up"), low=1, high=30 * DAY_S
    )
    patience_s: Span = span(
        c.DEFAULT_ENGINE_PATIENCE_S,
        _("How long a job waits for its only engine while that is gone; 0s: it is tried three times instead"),
        variable="ENGINE_PATIENCE",
        low=0,
        high=30 * DAY_S,
    )
    job_timeout_s: JobSpan = span(
        c.DEFAULT_JOB_TIMEOUT_S,
        _("Maximum time a job may run; a plain number from 1000 on is milliseconds"),
        low=1,
        high=DAY_S,
    )
    grace_s: Span = span(
        c.GRACEFUL_STOP_S,
        _("Time for running jobs to finish when Easel stops"),
        variable="GRACEFUL_STOP",
        low=0,
        high=3600,
    )
