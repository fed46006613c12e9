"""Facts about Hordes, known before one is asked. Source: the heartbeat of AI Horde 5.1.5 as recorded."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, clean_name, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "ai_horde"
PUBLIC_URL: Final = "https://aihorde.net"
ANONYMOUS_KEY: Final = "0000000000"
UPSCALERS: Final = (
    "RealESRGAN_x4plus", "RealESRGAN_x2plus", "RealESRGAN_x4plus_anime_6B", "NMKD_Siax", "4x_AnimeSharp",
    "4xNomos8kSC", "4xLSDIRplus", "4xNomosWebPhoto_RealPLKSR", "4xNomos2_realplksr_dysample", "4xNomos2_hq_dat2",
    "2xModernSpanimationV1",
)  # fmt: skip
POST_PROCESSORS: Final = (
    "GFPGAN", "CodeFormers", "RestoreFormer", "GFPGANv1.3", "strip_background", *UPSCALERS,
)  # fmt: skip

HEARTBEAT_PATH = "/api/v2/status/heartbeat"


class _Heartbeat(BaseModel):
    message: str
    version: str


def read_heartbeat(body: bytes) -> Product | None:
    """Know a Horde by its heartbeat."""
    try:
        version = read_model(_Heartbeat, body).version
    except ValidationError:
        return None
    return Product(name="AI Horde", version=clean_name(version), kind=NAME)


def _switch(name: str, default: str, text: str) -> Option:
    return Option(name=name, type="switch", default=default, help=text)


KIND = EngineKind(
    name=NAME,
    title="AI Horde",
    noun=_("an AI Horde"),
    make=made_by("backends.ai_horde.backend:AiHordeBackend"),
    labels={"ai_horde": "AI Horde", "horde": "AI Horde"},
    help=_("Pictures drawn by volunteers. Without a key you wait longer."),
    example="https://aihorde.net",
    check_path=HEARTBEAT_PATH,
    models_path="/api/v2/status/models?type=image&min_count=1",
    account_path="/api/v2/find_user",
    public_url=PUBLIC_URL,
    cut=("/v2", "/api"),
    signs=(Sign(path=HEARTBEAT_PATH, read=read_heartbeat, is_late=True),),
    key_use="apikey",
    anonymous_key=ANONYMOUS_KEY,
    key_hint=_("Connect again with your own key of the Horde, or with none to draw anonymously."),
    no_models=_("no worker draws there now."),
    no_models_hint=_("Try again in a few minutes."),
    options=(
        Option(name="model", default="stable_diffusion", help=_("the model of a request that names none")),
        Option(
            name="post_processing",
            type="choice",
            choices=POST_PROCESSORS,
            is_list=True,
            default="none",
            help=_("applied to every picture; at most one upscaler"),
        ),
        _switch("nsfw", "no", _("also ask workers that refuse such requests otherwise")),
        _switch("censor_nsfw", "no", _("have workers hold back what they think is not safe for work")),
        _switch(
            "replacement_filter", "yes", _("let the Horde replace words it forbids instead of refusing the prompt")
        ),
        _switch("trusted_workers", "no", _("take only workers that the Horde trusts")),
        _switch("slow_workers", "yes", _("take slow workers too; without them kudos are needed beforehand")),
        Option(name="workers", default="all", help=_("ids of at most five workers, with commas between")),
        _switch("allow_downgrade", "no", _("let the Horde make a picture smaller when the kudos are too few for it")),
        _switch("r2", "yes", _("fetch pictures from an address instead of inside the answer")),
        Option(name="contact", default="unknown", help=_("contact for the Horde's operators; sent with every request")),
    ),
)
