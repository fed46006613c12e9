"""The services about words in one value."""

from dataclasses import dataclass

from services.house.gate import Gate
from services.wording.asking import TextService
from services.wording.enhancing import PromptService
from settings.text import TextSettings
from store.database import Database
from store.text_uses import TextUse, TextUseStore
from text_engines.base import TextEngine
from utils.clock import Clock


@dataclass(frozen=True, kw_only=True)
class WordServices:
    """The text engine, and what is done with it."""

    text: TextService
    prompts: PromptService
    uses: TextUseStore

    async def totals(self) -> list[TextUse]:
        """Return all that the text engine was ever asked, by model and purpose."""
        return await self.uses.totals()


def make_wording(
    engine: TextEngine | None, *, settings: TextSettings, database: Database, gate: Gate, clock: Clock
) -> WordServices:
    """Wire them; nothing runs yet."""
    uses = TextUseStore(database)
    text = TextService(engine, settings=settings, uses=uses, clock=clock)
    return WordServices(text=text, prompts=PromptService(text, gate), uses=uses)
