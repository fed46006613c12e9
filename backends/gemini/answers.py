"""The answers of the Gemini API, as far as they are read. Source: its REST reference, v1beta."""

from typing import Any, Final

from pydantic import BaseModel, Field, field_validator

DRAWING: Final = ("image", "banana")
MAX_TOKENS: Final = 10_000_000


class InlineData(BaseModel):
    """A picture inside an answer, as base64."""

    data: str


class GeminiPart(BaseModel):
    """One part of what the model says: words or a picture. A thought is not meant for people."""

    text: str = ""
    inlineData: InlineData | None = None
    thought: bool = False


class GeminiContent(BaseModel):
    """Everything that the model says."""

    parts: list[GeminiPart] = []


class GeminiCandidate(BaseModel):
    """One answer of the model, and why it ended."""

    content: GeminiContent = Field(default_factory=GeminiContent)
    finishReason: str = ""
    finishMessage: str = ""

    @field_validator("content", mode="before")
    @classmethod
    def _content(cls, value: Any) -> Any:
        return {} if value is None else value


class TokenCount(BaseModel):
    """The tokens of one kind: TEXT or IMAGE."""

    modality: str = ""
    tokenCount: int = Field(default=0, ge=0, le=MAX_TOKENS)


class GeminiUsage(BaseModel):
    """The tokens that came out."""

    candidatesTokensDetails: list[TokenCount] = []

    @property
    def image_tokens(self) -> int:
        return sum(item.tokenCount for item in self.candidatesTokensDetails if item.modality == "IMAGE")


class PromptFeedback(BaseModel):
    """The reason why a prompt was not answered at all."""

    blockReason: str = ""


class GeminiAnswer(BaseModel):
    """An answer of `generateContent`."""

    candidates: list[GeminiCandidate] = []
    promptFeedback: PromptFeedback | None = None
    usageMetadata: GeminiUsage | None = None

    @property
    def parts(self) -> list[GeminiPart]:
        listed = self.candidates[0].content.parts if self.candidates else []
        return [part for part in listed if not part.thought]

    @property
    def picture(self) -> str:
        """Return the last picture, as base64: earlier ones are drafts of it."""
        given = [part.inlineData.data for part in self.parts if part.inlineData]
        return given[-1] if given else ""

    @property
    def words(self) -> str:
        return " ".join(part.text for part in self.parts if part.text).strip()

    @property
    def reason(self) -> str:
        """Return why there is no picture, in their word."""
        if self.promptFeedback and self.promptFeedback.blockReason:
            return self.promptFeedback.blockReason
        return self.candidates[0].finishReason if self.candidates else ""


class ListedModel(BaseModel):
    """A model that the key may use."""

    name: str
    displayName: str = ""
    supportedGenerationMethods: list[str] = []

    @property
    def id(self) -> str:
        return self.name.removeprefix("models/")

    @property
    def draws(self) -> bool:
        return "generateContent" in self.supportedGenerationMethods and any(word in self.id for word in DRAWING)


class ListedModels(BaseModel):
    """All of them."""

    models: list[ListedModel]
