"""The facts that Easel knows of Stability AI before it asks it. Source: its REST reference, v1 and v2beta."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "stability"
PUBLIC_URL: Final = "https://api.stability.ai"
BALANCE_PATH: Final = "/v1/user/balance"
DRAWING: Final = ("core", "ultra", "sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium")
REDRAWING: Final = ("sd3.5-large", "sd3.5-large-turbo", "sd3.5-medium", "ultra")
FORMATS: Final = ("png", "webp", "jpeg")


class Balance(BaseModel):
    """An answer of `GET /v1/user/balance`."""

    credits: float


def read_balance(body: bytes) -> Product | None:
    """Know the service by what it says of our account."""
    try:
        read_model(Balance, body)
    except ValidationError:
        return None
    return Product(name=_("Stability AI"), kind=NAME)


KIND = EngineKind(
    name=NAME,
    title=_("Stability AI"),
    noun=_("Stability AI’s API"),
    make=made_by("backends.stability.backend:StabilityBackend"),
    labels={"stability": _("Stability AI")},
    help=_("Stable Image and Stable Diffusion 3.5, edits, control and upscaling by Stability AI."),
    example=PUBLIC_URL,
    check_path=BALANCE_PATH,
    account_path=BALANCE_PATH,
    public_url=PUBLIC_URL,
    cut=("/v1", "/v2beta"),
    signs=(Sign(path=BALANCE_PATH, read=read_balance, is_late=True),),
    key_use="bearer",
    needs_key=True,
    key_hint=_("Connect again with a key of its console; it begins with sk-."),
    variables={"STABILITY_API_KEY": "key"},
    options=(
        Option(name="model", type="choice", choices=DRAWING, default="core", help=_("of a request that names none")),
        Option(
            name="edit_model",
            type="choice",
            choices=REDRAWING,
            default="sd3.5-large",
            help=_("the same, for drawing over a picture"),
        ),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
        Option(name="pause", type="seconds", low=0, high=3600, default="0", help=_("between two requests")),
    ),
)
