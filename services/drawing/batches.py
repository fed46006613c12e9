"""Several prompts at once: each becomes a job of its own, all in one commit, one starting a while after the other.

    submit_batch(generation, drafts, origin, *, delay_s=2.0) -> tuple[JobView, ...]

The delay is a property of the jobs, so the queue keeps it through a restart, and nothing here waits.
"""

from collections.abc import Sequence
from typing import Final

from generation.errors import RequestRejected
from generation.job import JobView, Origin
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.drawing.idempotency import numbered
from texts.text import _

DELAY_S: Final = 2.0
MAX_DELAY_S: Final = 3600.0
MAX_PROMPTS: Final = 20


async def submit_batch(
    generation: GenerationService, drafts: Sequence[Draft], origin: Origin, *, delay_s: float = DELAY_S
) -> tuple[JobView, ...]:
    """Submit drafts in their order, each to start `delay_s` after the one before at the earliest.

    Raises:
        RequestRejected: there are too many or none, one of them is wrong, or the delay is. The field names the prompt
            (`prompts.3`).
        LimitReached: so many may not wait.
        In each case none is submitted.
    """
    if not 1 <= len(drafts) <= MAX_PROMPTS:
        raise RequestRejected(
            _("A batch has 1 to {most} prompts, not {count}.", most=MAX_PROMPTS, count=len(drafts)),
            field="prompts",
        )
    if not 0 <= delay_s <= MAX_DELAY_S:
        raise RequestRejected(
            _("The delay is 0 to {most:.0f} s, not {delay_s:g}.", most=MAX_DELAY_S, delay_s=delay_s),
            field="delay",
        )
    for number, draft in enumerate(drafts):
        if not draft.prompt.strip():  # looked at before the first is submitted
            raise RequestRejected(
                _("Prompt {number} of the batch is empty.", number=number + 1), field=f"prompts.{number + 1}"
            )
    async with generation.together(len(drafts)) as submission:
        for number, draft in enumerate(drafts):
            try:
                await submission.add(draft, numbered(origin, number), delay_s=number * delay_s)
            except RequestRejected as error:
                message = _("Prompt {number} of the batch: {reason}", number=number + 1, reason=error.user_message)
                raise RequestRejected(
                    message, field=f"prompts.{number + 1}", detail=error.detail, hint=error.hint
                ) from error
        return tuple(await submission.commit())
