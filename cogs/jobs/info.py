"""The numbers of a job: its seed, and a line that makes it again."""

from dataclasses import replace

from cogs.plain import block, escape
from generation.job import Job, JobStatus
from generation.prompt_syntax import format_prompt
from texts.text import _
from utils.text import cut


def seed_of(job: Job) -> int | None:
    """Return the seed of the first picture, so that only what was changed changes."""
    if job.result and job.result.images:
        return job.result.images[0].seed
    return job.drawn.seed if job.status is not JobStatus.DONE else None


def seeds_of(job: Job) -> str:
    """Return the seeds of all pictures of a job."""
    return " ".join(str(image.seed) for image in job.result.images) if job.result else str(job.drawn.seed)


def info_text(job: Job) -> str:
    """Return seed and a line to copy, each in a block of its own: a phone can copy only whole blocks."""
    line = block(cut(format_prompt(replace(job.settled, seed=seed_of(job) or job.drawn.seed)), 1500))
    model = (job.result.model if job.result else None) or job.drawn.model or _("the engine's default")
    foot = _("-# model {model} · job {short_id}", model=escape(model), short_id=job.short_id)
    text = _(
        "Seed\n```\n{seeds}\n```\nTo make it again\n```\n!dream {line}\n```\n{foot}",
        seeds=seeds_of(job),
        line=line,
        foot=foot,
    )
    return cut(text, 2000)
