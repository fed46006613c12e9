"""An engine as another package brings it: Acme, which draws one picture at a time over HTTP.

All that Easel is told of it is `KIND`, named in this package's `entry_points.txt`; `quality.toml` gives it a grade.
"""

from pydantic import BaseModel, TypeAdapter, ValidationError

from backends.base import BackendConfig, ProgressCallback
from backends.kind import EngineKind, Option, Product, Sign, number_of
from backends.kinds import headers_and_auth
from constants import MAX_IMAGE_BYTES
from generation.capabilities import Capabilities, ModelInfo
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult
from net.answers import read_model
from net.calls import Calls
from net.client import make_client


class About(BaseModel):
    acme: str


class Model(BaseModel):
    name: str


MODELS = TypeAdapter(list[Model])


def read_about(body: bytes) -> Product | None:
    """Know Acme by its version."""
    try:
        return Product(name="Acme", version=read_model(About, body).acme, kind="acme")
    except ValidationError:
        return None


class AcmeBackend:
    """One Acme server."""

    kind = "acme"
    is_paid = False

    def __init__(self, config: BackendConfig) -> None:
        self.name = config.name
        self._gloss = number_of(config.options, "gloss", 1)
        headers, auth = headers_and_auth(config)
        client = make_client(config.endpoint, auth=auth)
        client.headers.update(headers)
        self._calls = Calls(config.label or config.name, client)

    async def capabilities(self) -> Capabilities:
        names = [model.name for model in await self._calls.as_kind(MODELS, await self._calls.fetch("GET", "/models"))]
        return Capabilities(
            modes=frozenset({Mode.TXT2IMG}),
            models=tuple(ModelInfo(name=name, title=name) for name in names),
            max_batch=1,
        )

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        query = f"gloss={self._gloss}&seed={request.seed}"
        data = await self._calls.fetch("GET", f"/draw?{query}", limit=MAX_IMAGE_BYTES)
        return GenerationResult(images=(GeneratedImage(data=data, seed=request.seed),))

    async def aclose(self) -> None:
        await self._calls.aclose()


KIND = EngineKind(
    name="acme",
    title="Acme Easel",
    noun="an Acme easel",
    make=AcmeBackend,
    labels={"acme": "Acme", "acme_pro": "Acme Pro"},
    help="Start it with acme serve.",
    example="https://acme.example:7777",
    check_path="/about",
    models_path="/models",
    port=7777,
    local_ports=(7777,),
    signs=(Sign(path="/about", read=read_about),),
    start_hint="Start it with acme serve.",
    options=(Option(name="gloss", type="number", high=9, default="1", help="how much it shines"),),
)
