"""The rules of a server for finished pictures, applied before any picture is kept."""

import logging
from dataclasses import replace
from typing import Protocol

from backends.base import PictureCheck
from generation.errors import ContentBlocked
from generation.house import Flagged
from generation.job import Job, Origin
from generation.result import GeneratedImage, GenerationResult
from scheduling.checking import HINT, UNCHECKED, UNSAFE, Screen
from texts.text import _n
from utils.images import BadImage
from utils.pixels import blurred
from utils.threads import run_in_thread

log = logging.getLogger(__name__)


class PictureRules(Protocol):
    """The part of the house rules that is about finished pictures."""

    async def fate(self, origin: Origin) -> Flagged: ...
    def may_preview(self, origin: Origin) -> bool: ...


class HouseScreen:
    """Covers, blurs or holds back what seems not safe for work. `always` is asked first: the filter of this Easel.

    What cannot be looked at is held back: who has pictures checked relies on it. `rules` come before the first job.
    """

    def __init__(self, check: PictureCheck | None, *, threshold: float, always: Screen | None = None) -> None:
        self._check = check
        self.use(threshold, always)
        self.rules: PictureRules | None = None

    def use(self, threshold: float, always: Screen | None) -> None:
        """Judge what is finished from now on by these."""
        self._threshold, self._always = threshold, always

    @property
    def can_check(self) -> bool:
        return self._check is not None

    def may_preview(self, job: Job) -> bool:
        """Return whether pictures that nothing has checked yet may be shown."""
        if self._always is not None:
            return False
        return self.rules is None or self.rules.may_preview(job.origin)

    async def screened(self, job: Job, result: GenerationResult) -> GenerationResult:
        """Return what of a result may be kept, and how it is to be shown, with the reason in its notes.

        Raises:
            ContentBlocked: none of it may.
        """
        if self._always is not None:
            return await self._always.screened(job, result)
        fate = Flagged.UNCHECKED if self.rules is None else await self.rules.fate(job.origin)
        if fate is Flagged.UNCHECKED:
            return result
        if fate is Flagged.COVERED and job.origin.door != "discord":
            fate = Flagged.BLURRED  # nowhere else is there a spoiler
        return await self._treated(job, result, fate)

    async def _treated(self, job: Job, result: GenerationResult, fate: Flagged) -> GenerationResult:
        kept: list[GeneratedImage] = []
        flagged = unseen = 0
        for image in result.images:
            score = None if self._check is None else await self._check.score(image.data)
            if score is None:
                unseen += 1
            elif score < self._threshold:
                kept.append(image)
            else:
                flagged += 1
                kept += await _shown(image, fate)
        held = len(result.images) - len(kept)
        if not flagged and not held:
            return result
        fields = {"action": "picture_held_back", "job": job.id, "backend": job.lane, "fate": fate.value}
        log.info("%d of %d pictures seemed not safe for work", flagged, len(result.images), extra=fields)
        notes = [_held(held, UNCHECKED if unseen == held else UNSAFE)] if held else []
        if not kept:
            raise ContentBlocked(notes[0], hint=HINT)
        if fate is Flagged.COVERED and flagged:
            notes.append(_covered(flagged))
        elif flagged and (count := flagged - (held - unseen)):
            notes.append(_blurred(count))
        is_covered = result.is_covered or (fate is Flagged.COVERED and flagged > 0)
        return replace(
            result, images=tuple(kept), notes=(*result.notes, *notes), is_covered=is_covered, is_complete=False
        )


async def _shown(image: GeneratedImage, fate: Flagged) -> list[GeneratedImage]:
    if fate is Flagged.COVERED:
        return [image]
    if fate is Flagged.BLURRED:
        try:
            return [replace(image, data=await run_in_thread(blurred, image.data))]
        except BadImage:  # a video, or a file that Pillow cannot read
            return []
    return []


def _held(count: int, reason: str) -> str:
    return _n(
        "{count} picture was held back: {reason}; the check can be wrong",
        "{count} pictures were held back: {reason}; the check can be wrong",
        count=count,
        reason=reason,
    )


def _covered(count: int) -> str:
    return _n(
        "behind a spoiler, since {count} picture seems not safe for work; the check can be wrong",
        "behind a spoiler, since {count} pictures seem not safe for work; the check can be wrong",
        count=count,
    )


def _blurred(count: int) -> str:
    return _n(
        "{count} picture is blurred, since it seems not safe for work; the check can be wrong",
        "{count} pictures are blurred, since they seem not safe for work; the check can be wrong",
        count=count,
    )
