"""Short prompts written more fully before they are drawn, where the owner has set that; the words typed are kept.

Only what somebody asked for in a few plain words: what has weights, tags or pictures was meant as it stands, and so was
what goes on from a picture. Nothing fails because of it: without an answer the prompt is drawn as it was typed.
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Final

from pydantic import BaseModel, Field

from generation.errors import GenerationError
from generation.job import Origin
from generation.request import Draft
from lazy import pattern
from services.wording.asking import Purpose, TextService
from services.wording.cleaning import clean_prompt
from services.wording.enhancing import TASK
from text_engines.base import TextQuestion
from texts.text import _
from utils.text import cut

MOST_WORDS: Final = 12
MOST_KNOWN: Final = 100
SHOWN_CHARS: Final = 200
_MEANT: Final = pattern(r"[()\[\]<>{}|]|:\d|::")  # no text: signs of a prompt that was written with care


class FullerForm(BaseModel):
    """The answer that is asked for."""

    prompt: str = Field(description="The improved prompt")  # no text: for a model


class FullerPrompts:
    """Writes short prompts more fully; does nothing where that is not set, or no text engine is there."""

    def __init__(self, text: TextService, *, is_on: bool) -> None:
        self._text = text
        self._is_on = is_on
        self._known: OrderedDict[str, str] = OrderedDict()  # parts of one request come one after the other

    def wants(self, draft: Draft, origin: Origin) -> bool:
        """Return whether a draft is one whose words are to be written more fully."""
        if not (self._is_on and self._text.is_on) or origin.group_id:  # prompts side by side are judged as they stand
            return False
        is_of_words = draft.init_image is None and draft.workflow is None and not draft.control
        words = draft.prompt.split()
        return is_of_words and 0 < len(words) <= MOST_WORDS and not _MEANT.search(draft.prompt)

    async def write(self, draft: Draft, origin: Origin) -> tuple[Draft, tuple[str, ...]]:
        """Return a draft with a fuller prompt, and a note with the words that were typed."""
        try:
            fuller = self._known.get(draft.prompt) or await self._ask(draft.prompt, origin)
        except GenerationError as error:
            return draft, (_("drawn as typed, not enhanced: {reason:phrase}", reason=error.user_message),)
        if not fuller or fuller.casefold() == draft.prompt.casefold():
            return draft, ()
        return replace(draft, prompt=fuller), (
            _("enhanced from “{original}”", original=cut(draft.prompt, SHOWN_CHARS)),
        )

    async def _ask(self, prompt: str, origin: Origin) -> str:
        answer = await self._text.ask(TextQuestion(task=TASK, words=prompt, form=FullerForm), origin, Purpose.FULLER)
        self._known[prompt] = fuller = clean_prompt(answer.prompt, prompt)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return fuller
