"""What Easel knows of the AI Power Grid before it asks it. Source: its `/health` as recorded."""

from pydantic import BaseModel, ValidationError

from backends.aipowergrid.backend import PUBLIC_URL, AiPowerGridBackend
from backends.aipowergrid.payload import FORMATS
from backends.kind import EngineKind, Option, Product, Sign
from net.answers import read_model

HEALTH_PATH = "/health"


class _Health(BaseModel):
    models_available: list[str]


def read_health(body: bytes) -> Product | None:
    """Know the Grid by what it says of its health."""
    try:
        read_model(_Health, body)
    except ValidationError:
        return None
    return Product(name="AI Power Grid", kind=AiPowerGridBackend.kind)


KIND = EngineKind(
    name=AiPowerGridBackend.kind,
    title="AI Power Grid",
    noun="the AI Power Grid",
    make=AiPowerGridBackend,
    labels={"aipowergrid": "AI Power Grid", "grid": "AI Power Grid"},
    help="Pictures drawn by the Grid's workers.",
    example=PUBLIC_URL,
    check_path=HEALTH_PATH,
    models_path="/v1/status/models",
    account_path="/v1/account/credits",
    public_url=PUBLIC_URL,
    cut=("/v1", "/v2", "/api"),
    signs=(Sign(path=HEALTH_PATH, read=read_health, is_late=True),),
    key_use="bearer",
    needs_key=True,
    key_hint="Connect again with a key from its console; it begins with grid_.",
    no_models="no worker draws there now.",
    no_models_hint="Try again in a few minutes.",
    options=(
        Option(name="model", default="the first of the list", help="the model of a request that names none"),
        Option(name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help="format of the pictures"),
    ),
)
