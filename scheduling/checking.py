"""Holds back finished pictures that a check takes for not safe for work, before any of them is kept."""

import logging
from dataclasses import replace
from typing import Protocol

from backends.base import PictureCheck
from generation.errors import ContentBlocked
from generation.job import Job
from generation.result import GeneratedImage, GenerationResult
from lazy import dataclass
from texts.text import _, _n

log = logging.getLogger(__name__)

UNSAFE = _("the picture check takes what it shows for not safe for work")
UNCHECKED = _("the picture check could not look at it, and this Easel shows only what was checked")
HINT = _("The check can be wrong, above all with drawings. Use other words, or ask whoever runs Easel.")


class Screen(Protocol):
    """Looks at what a job gave before it is kept."""

    async def screened(self, job: Job, result: GenerationResult) -> GenerationResult:
        """Return what of a result may be kept, and why not all of it in its notes.

        Raises:
            ContentBlocked: none of it may.
        """
        ...

    def may_preview(self, job: Job) -> bool:
        """Return whether unfinished pictures, which nothing has checked, may be shown."""
        ...


@dataclass(frozen=True, kw_only=True)
class SafetyScreen:
    """Holds back what scores `threshold` or more, and what could not be looked at: who sets a filter relies on it."""

    check: PictureCheck
    threshold: float

    def may_preview(self, job: Job) -> bool:
        return False

    async def screened(self, job: Job, result: GenerationResult) -> GenerationResult:
        """Return a result without the pictures that are held back.

        Raises:
            ContentBlocked: they all are.
        """
        kept: list[GeneratedImage] = []
        unchecked = 0
        for image in result.images:
            score = await self.check.score(image.data)
            unchecked += score is None
            if score is not None and score < self.threshold:
                kept.append(image)
        held = len(result.images) - len(kept)
        if not held:
            return result
        fields = {"action": "picture_held_back", "job": job.id, "backend": job.lane}
        log.info("%d of %d pictures were held back", held, len(result.images), extra=fields)
        reason = UNCHECKED if unchecked == held else UNSAFE
        if not kept:
            message = _n(
                "The picture was held back: {reason}.",
                "All {count} pictures were held back: {reason}.",
                count=held,
                reason=reason,
            )
            raise ContentBlocked(message, hint=HINT)
        note = _n(
            "{count} picture was held back: {reason}; the check can be wrong",
            "{count} pictures were held back: {reason}; the check can be wrong",
            count=held,
            reason=reason,
        )
        return replace(result, images=tuple(kept), notes=(*result.notes, note), is_complete=False)
