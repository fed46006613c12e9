"""Drafts: four quick pictures, small and of few steps, one of which is finished in full.

A job keeps in its `request` what was asked for in full, and in `drawn` the quick form of it; so after a restart too it
is known what finishing means.
"""

from collections.abc import Callable
from typing import Final

from generation.framing import Size, exact_size, nearest_size
from generation.job import Job
from generation.request import Draft, GenerationRequest, Mode
from generation.values import changed
from texts.text import _

PICTURES: Final = 4
SIDE_SHARE: Final = 0.5
LEAST_SIDE_PX: Final = 384  # smaller ones show little of what models draw, which are made for 512 and more
STEPS_SHARE: Final = 0.4
LEAST_STEPS: Final = 6
MOST_STEPS: Final = 12


def can_be_quick(what: Draft | GenerationRequest, mode: Mode) -> bool:
    """Return whether a draft can be made of it: what is drawn from words alone, in the engine's own way."""
    return mode is Mode.TXT2IMG and what.workflow is None and not what.control


def fit_draft(
    request: GenerationRequest, *, grid: int, limits: tuple[int, int], has_steps: bool, say: Callable[[str], None]
) -> GenerationRequest:
    """Return a request that asks for a draft in its quick form; `limits` are the engine's least and greatest side."""
    if not request.draft:
        return request
    whole = changed(request, draft=None)
    if not can_be_quick(request, request.mode):
        say(_("--draft ignored: it is for pictures from text alone"))
        return whole
    width, height = _quick_size((request.width, request.height), grid, limits)
    quick = changed(whole, width=width, height=height, steps=_quick_steps(request.steps), hires=None)
    if has_steps and _is_smaller(request, quick):
        return quick
    # where each picture takes as long and costs as much as a finished one, four are not what was meant
    say(_("--draft ignored: this engine draws nothing quicker, so one picture is drawn in full"))
    return changed(whole, batch_size=1 if request.batch_size == PICTURES else request.batch_size)


def is_unfinished(job: Job) -> bool:
    """Return whether a job's pictures are drafts that can be finished."""
    request, drawn = job.request, job.drawn
    if not (request.draft and can_be_quick(request, request.mode) and _is_smaller(request, drawn)):
        return False
    images = job.result.images if job.result else ()
    is_small = any(image.width * image.height < request.width * request.height for image in images)
    return is_small or not images or drawn.steps < request.steps


def full_size(request: GenerationRequest) -> Size:
    """Return the pixels of what a draft becomes."""
    return request.result_size


def _is_smaller(request: GenerationRequest, drawn: GenerationRequest) -> bool:
    return drawn.width * drawn.height < request.width * request.height or drawn.steps < request.steps


def _quick_size(size: Size, grid: int, limits: tuple[int, int]) -> Size:
    """Return half of each side, or less of a small picture, on the engine's grid and in the same shape if that goes."""
    share = min(1.0, max(SIDE_SHARE, LEAST_SIDE_PX / min(size)))
    if share == 1:
        return size
    smaller = round(size[0] * share), round(size[1] * share)
    exact = exact_size(size, smaller[0] * smaller[1], grid)
    is_fit = exact is not None and limits[0] <= min(exact) and max(exact) <= limits[1] and exact[0] < size[0]
    return exact if exact is not None and is_fit else nearest_size(smaller, grid, limits)


def _quick_steps(steps: int) -> int:
    return min(steps, max(LEAST_STEPS, min(MOST_STEPS, round(steps * STEPS_SHARE))))
