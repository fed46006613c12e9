"""The caller and the lists to choose from: the studio's first request."""

from typing import Final

from fastapi import Request
from pydantic import BaseModel, Field

from api.caller import Anybody, Reader, unknown
from api.context import web_of
from api.errors import errors
from api.routing import Router
from constants import MAX_BATCH_SIZE, MAX_INPUT_IMAGE_BYTES, MAX_PROMPT_CHARS, VERSION
from generation.options import OPTIONS
from generation.person import Person
from services.wording.asking import Purpose, TextService

router = Router(prefix="/api", tags=["session"], responses=errors(401, 403))

SIZES: Final = [(512, 512), (768, 512), (512, 768), (1024, 1024), (1216, 832), (832, 1216)]
ASPECTS: Final = ["1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9"]


class UserOut(BaseModel):
    """The caller."""

    id: str
    name: str
    is_admin: bool
    how: str


class LimitsOut(BaseModel):
    """The limits of a request."""

    prompt_chars: int
    upload_bytes: int
    media_ttl_s: float
    max_batch: int


class TextOut(BaseModel):
    """The text engine: its model, and what an answer costs, about, in US dollars; 0: nothing, or nothing is known."""

    model: str
    enhance_usd: float
    describe_usd: float


class SessionOut(BaseModel):
    """The caller and the server."""

    user: UserOut
    version: str
    sign_in_url: str | None
    limits: LimitsOut
    open_job: str | None
    has_paid_engines: bool = Field(description="Some engine here charges: `/api/jobs/ID/prices` says what.")
    text: TextOut | None = Field(description="None: no text engine is set.")
    discord: str | None = Field(description="Why the bot is not connected to Discord; None: it is, or there is none.")


class OptionOut(BaseModel):
    """One option of the prompt syntax."""

    name: str
    flags: list[str]
    example: str
    meaning: str
    choices: list[str]
    names: str = Field(description="The list of an engine's capabilities that a value is chosen from; empty: of none.")


class OptionsOut(BaseModel):
    """The options of a prompt."""

    options: list[OptionOut]
    sizes: list[tuple[int, int]]
    aspects: list[str]


@router.get("/session")
async def session(request: Request, caller: Anybody) -> SessionOut:
    """Return who calls. Without a session or key, and not at this machine itself: 401 with where to sign in."""
    if caller is None:
        raise unknown(request)
    return await session_of(request, caller)


@router.get("/options")
async def options(caller: Reader) -> OptionsOut:
    """List the options of the prompt syntax, for completion and help."""
    listed = [
        OptionOut(
            name=option.name,
            flags=[f"--{name}" for name in (option.name, *option.aliases)],
            example=option.example,
            meaning=option.meaning,
            choices=[*option.choices],
            names=option.names,
        )
        for option in OPTIONS
    ]
    return OptionsOut(options=listed, sizes=SIZES, aspects=ASPECTS)


async def session_of(request: Request, caller: Person) -> SessionOut:
    web = web_of(request)
    return SessionOut(
        user=UserOut(id=caller.user_key, name=caller.name, is_admin=caller.is_admin, how=caller.how),
        version=VERSION,
        sign_in_url=web.sign_in_url or None,
        limits=LimitsOut(
            prompt_chars=MAX_PROMPT_CHARS,
            upload_bytes=MAX_INPUT_IMAGE_BYTES,
            media_ttl_s=web.services.media.ttl_s,
            max_batch=MAX_BATCH_SIZE,
        ),
        open_job=caller.job_id or None,
        has_paid_engines=any(engine.is_paid for engine in web.services.catalog.engines(caller)),
        text=_text(web.services.wording.text),
        discord=web.own.discord.message or None,
    )


def _text(text: TextService) -> TextOut | None:
    if text.state is None:
        return None
    return TextOut(
        model=text.state.model,
        enhance_usd=text.price(Purpose.ENHANCE),
        describe_usd=text.price(Purpose.DESCRIBE),
    )
