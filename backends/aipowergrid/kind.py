"""Facts about the AI Power Grid, known before it is asked. Source: its `/health` as recorded."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_model
from texts.text import _

NAME: Final = "aipowergrid"
PUBLIC_URL: Final = "https://api.aipowergrid.io"
FORMATS: Final = ("webp", "png", "jpeg")

HEALTH_PATH = "/health"


class _Health(BaseModel):
    models_available: list[str]


def read_health(body: bytes) -> Product | None:
    """Know the Grid by what it says of its health."""
    try:
        read_model(_Health, body)
    except ValidationError:
        return None
    return Product(name=_("AI Power Grid"), kind=NAME)


KIND = EngineKind(
    name=NAME,
    title=_("AI Power Grid"),
    noun=_("the AI Power Grid"),
    make=made_by("backends.aipowergrid.backend:AiPowerGridBackend"),
    labels={"aipowergrid": _("AI Power Grid"), "grid": _("AI Power Grid")},
    help=_("Pictures drawn by the Grid's workers."),
    example=PUBLIC_URL,
    check_path=HEALTH_PATH,
    models_path="/v1/status/models",
    account_path="/v1/account/credits",
    public_url=PUBLIC_URL,
    cut=("/v1", "/v2", "/api"),
    signs=(Sign(path=HEALTH_PATH, read=read_health, is_late=True),),
    key_use="bearer",
    needs_key=True,
    key_hint=_("Connect again with a key from its console; it begins with grid_."),
    no_models=_("no worker draws there now."),
    no_models_hint=_("Try again in a few minutes."),
    options=(
        Option(name="model", default=_("the first of the list"), help=_("the model of a request that names none")),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
    ),
)
