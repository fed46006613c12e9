"""The facts that Easel knows of Replicate before it asks it. Source: its openapi 1.0.0-a1 and its pages."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "replicate"
PUBLIC_URL: Final = "https://api.replicate.com"
ACCOUNT_PATH: Final = "/v1/account"
FORMATS: Final = ("png", "webp", "jpeg")
TITLES: Final = {
    "black-forest-labs/flux-schnell": "Flux Schnell",  # no text: a name
    "black-forest-labs/flux-dev": "Flux Dev",  # no text: a name
    "black-forest-labs/flux-1.1-pro": "Flux Pro",  # no text: a name
    "black-forest-labs/flux-2-pro": "Flux 2 Pro",
    "black-forest-labs/flux-3-image": "Flux 3",
    "bytedance/sdxl-lightning-4step": "SDXL Lightning",
    "stability-ai/sdxl": "SDXL",
    "nightmareai/real-esrgan": "Real-ESRGAN",
}
USUAL: Final = ", ".join(TITLES)
MODEL: Final = "black-forest-labs/flux-schnell"
EDIT_MODEL: Final = "black-forest-labs/flux-dev"


class ReplicateAccount(BaseModel):
    """An answer of `GET /v1/account`."""

    type: str
    username: str


def read_account(body: bytes) -> Product | None:
    """Know the service by what it says of our account."""
    try:
        account = read_model(ReplicateAccount, body)
    except ValidationError:
        return None
    return Product(name="Replicate", kind=NAME) if account.type in {"user", "organization"} else None


KIND = EngineKind(
    name=NAME,
    title="Replicate",
    noun=_("Replicate’s API"),
    make=made_by("backends.replicate.backend:ReplicateBackend"),
    labels={"replicate": "Replicate"},
    help=_("Any picture model of replicate.com, by its own inputs: Flux, SDXL Lightning, Real-ESRGAN and more."),
    example=PUBLIC_URL,
    check_path=ACCOUNT_PATH,
    account_path=ACCOUNT_PATH,
    public_url=PUBLIC_URL,
    cut=("/v1",),
    signs=(Sign(path=ACCOUNT_PATH, read=read_account, is_late=True),),
    key_use="bearer",
    needs_key=True,
    key_hint=_("Connect again with a token of its account page; it begins with r8_."),
    variables={"REPLICATE_API_TOKEN": "key", "REPLICATE_API_KEY": "key"},
    options=(
        Option(name="models", default=USUAL, help=_("models that people may pick: owner/name or owner/name:version")),
        Option(
            name="any_model",
            type="switch",
            default="no",
            help=_("whether people may name any other model of Replicate, whatever it costs"),
        ),
        Option(name="model", default=MODEL, help=_("of a request that names none")),
        Option(name="edit_model", default=EDIT_MODEL, help=_("the same, for drawing over a picture")),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
        Option(
            name="limits", default=_("none"), help=_("most predictions of a model: flux-dev=10/60 is 10 in 60 seconds")
        ),
        Option(
            name="webhook_url",
            default="none",
            help=_("your own https address that ends with /webhooks/replicate; needs REPLICATE_WEBHOOK_SECRET"),
        ),
    ),
)
