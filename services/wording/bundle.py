"""The services about words in one value."""

from lazy import dataclass
from services.engines.describing import DescribingService
from services.house.gate import Gate
from services.wording.asking import TextService, TextUse
from services.wording.chat import ChatService
from services.wording.enhancing import PromptService
from services.wording.fuller import FullerPrompts
from services.wording.mixing import MixService
from services.wording.replying import ReplyReader
from services.wording.seeing import SeeingService
from services.wording.translating import TranslationService
from settings.text import TextSettings


@dataclass(frozen=True, kw_only=True)
class WordServices:
    """The text engine, and what is done with it."""

    text: TextService
    prompts: PromptService
    mixing: MixService
    chat: ChatService
    seeing: SeeingService
    translation: TranslationService
    fuller: FullerPrompts
    replies: ReplyReader

    async def totals(self) -> list[TextUse]:
        """Return all that the text engine was ever asked, by model and purpose."""
        return await self.text.totals()


def make_wording(
    text: TextService, *, gate: Gate, describing: DescribingService, settings: TextSettings
) -> WordServices:
    """Wire them; nothing runs yet."""
    return WordServices(
        text=text,
        prompts=PromptService(text, gate),
        mixing=MixService(text, gate),
        chat=ChatService(text, gate),
        seeing=SeeingService(text, describing),
        translation=TranslationService(text, is_on=settings.translates),
        fuller=FullerPrompts(text, is_on=settings.enhances),
        replies=ReplyReader(text, gate, is_on=settings.replies),
    )
