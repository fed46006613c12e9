"""The facts that Easel knows of Black Forest Labs' API before it asks it. Source: docs.bfl.ai."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "bfl"
PUBLIC_URL: Final = "https://api.bfl.ai"
CREDITS_PATH: Final = "/v1/credits"
KEY_HEADER: Final = "x-key"
FORMATS: Final = ("png", "jpeg")
MODELS: Final = ("flux-2-pro", "flux-2-max", "flux-2-flex", "flux-2-klein-9b", "flux-2-klein-4b")


class BflCredits(BaseModel):
    """An answer of `GET /v1/credits`."""

    credits: float


def read_credits(body: bytes) -> Product | None:
    """Know the service by what it says of our credits."""
    try:
        read_model(BflCredits, body)
    except ValidationError:
        return None
    return Product(name=_("Black Forest Labs"), kind=NAME)


KIND = EngineKind(
    name=NAME,
    title=_("Black Forest Labs"),
    noun=_("Black Forest Labs’ API"),
    make=made_by("backends.bfl.backend:BflBackend"),
    labels={"bfl": _("Black Forest Labs")},
    also=frozenset({"black-forest-labs", "flux-api"}),
    help=_("Flux 2 by those who make it: it draws from words and changes pictures by words."),
    example=PUBLIC_URL,
    check_path=CREDITS_PATH,
    account_path=CREDITS_PATH,
    public_url=PUBLIC_URL,
    cut=("/v1",),
    signs=(Sign(path=CREDITS_PATH, read=read_credits, is_late=True),),
    key_use="apikey",
    key_header=KEY_HEADER,
    needs_key=True,
    key_hint=_("Connect again with a key of its dashboard."),
    variables={"BFL_API_KEY": "key"},
    options=(
        Option(name="model", type="choice", choices=MODELS, default=MODELS[0], help=_("of a request that names none")),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
    ),
)
