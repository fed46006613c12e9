"""The facts that Easel knows of fal.ai before it asks it. Source: fal.ai/docs, its queue and platform APIs."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "fal"
PUBLIC_URL: Final = "https://api.fal.ai"  # says what models cost, which proves a key
QUEUE_URL: Final = "https://queue.fal.run"  # draws
KEY_HEADER: Final = "Authorization"
KEY_PREFIX: Final = "Key "
FORMATS: Final = ("png", "jpeg")
MODELS: Final = ("fal-ai/flux-2", "fal-ai/flux-2-pro", "fal-ai/flux-2-flex")
EDIT: Final = "/edit"  # behind a model: the same with pictures
ENDPOINTS: Final = (*MODELS, *(f"{model}{EDIT}" for model in MODELS))
PRICING_PATH: Final = f"/v1/models/pricing?endpoint_id={','.join(ENDPOINTS)}"


class FalPrice(BaseModel):
    """The price of one model, by what is counted there."""

    endpoint_id: str
    unit_price: float
    unit: str
    currency: str = "USD"


class FalPrices(BaseModel):
    """An answer of `GET /v1/models/pricing`."""

    prices: list[FalPrice]


def read_prices(body: bytes) -> Product | None:
    """Know the service by its list of prices."""
    try:
        read_model(FalPrices, body)
    except ValidationError:
        return None
    return Product(name="fal.ai", kind=NAME)


KIND = EngineKind(
    name=NAME,
    title="fal.ai",
    noun=_("fal.ai’s API"),
    make=made_by("backends.fal.backend:FalBackend"),
    labels={"fal": "fal.ai"},
    also=frozenset({"fal.ai", "fal-ai"}),
    help=_("Flux 2 in three sizes of purse: it draws from words and changes pictures by words."),
    example=PUBLIC_URL,
    check_path=PRICING_PATH,
    account_path=PRICING_PATH,
    public_url=PUBLIC_URL,
    cut=("/v1",),
    signs=(Sign(path=PRICING_PATH, read=read_prices, is_late=True),),
    key_use="apikey",
    key_header=KEY_HEADER,
    key_prefix=KEY_PREFIX,
    needs_key=True,
    key_hint=_("Connect again with a key of its dashboard."),
    options=(
        Option(name="model", type="choice", choices=MODELS, default=MODELS[0], help=_("of a request that names none")),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
    ),
)
