"""Vary a picture by a second seed where its engine has one, so that it is drawn again and stays sharp."""

from dataclasses import replace
from typing import Final

from generation.capabilities import Capabilities
from generation.job import Job
from generation.request import Draft, Mode, alone_in

MOST_NEW: Final = 0.4  # of the noise, for a strong variation: more is another picture
SHARE_OF_STRENGTH: Final = 0.6  # what changes a picture drawn over so much, changes noise as much at less


def by_second_seed(job: Job, index: int, changes: Draft, can: Capabilities | None) -> Draft | None:
    """Return a variation as changes to the job that drew a picture; None where it has to be drawn over instead.

    `changes` say how much is new, as they do to one that is drawn over. A picture that has a second seed already, was
    made from another, or by a workflow, cannot be told so.
    """
    request, images = job.request, job.result.images if job.result else ()
    is_plain = request.mode is Mode.TXT2IMG and request.workflow is None and request.subseed_strength is None
    if can is None or not can.supports_subseed or not is_plain or index >= len(images):
        return None
    strength = min(MOST_NEW, (changes.denoising_strength or MOST_NEW) * SHARE_OF_STRENGTH)
    alone = alone_in(request, index, images[index].seed)
    varied = replace(changes, mode=None, denoising_strength=None, **alone)
    return replace(varied, batch_size=changes.batch_size or 1, subseed_strength=round(strength, 2))
