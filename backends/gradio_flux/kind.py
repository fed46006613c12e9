"""Facts about gradio apps that draw, known before one is asked. Source: `/config` of gradio 4 to 6 as recorded."""

from typing import Final

from pydantic import BaseModel, ValidationError

from backends.kind import EngineKind, Option, Product, Sign, clean_name, made_by, max_batch, max_side
from net.answers import read_model
from texts.text import _

NAME: Final = "gradio_flux"
DEFAULT_URL: Final = "http://127.0.0.1:7860/"


class _Config(BaseModel):
    class Component(BaseModel):
        class Props(BaseModel):
            label: object = None

        props: Props = Props()

    version: str
    title: str = ""
    components: list[Component]


def read_config(body: bytes) -> Product | None:
    """Know a gradio app by its page; it is of this kind where it asks for a prompt."""
    try:
        config = read_model(_Config, body)
    except ValidationError:
        return None
    labels = [str(component.props.label).casefold() for component in config.components]
    kind = NAME if any("prompt" in label for label in labels) else ""
    if b"flux" in body.lower():
        return Product(name=_("Flux (gradio app)"), kind=kind)
    title = clean_name(config.title)
    return Product(
        name=_("gradio app “{title}”", title=title) if title not in {"", "Gradio"} else _("gradio app"), kind=kind
    )


KIND = EngineKind(
    name=NAME,
    title=_("Flux in Pinokio"),
    noun=_("a Flux gradio app"),
    make=made_by("backends.gradio_flux.backend:GradioFluxBackend"),
    labels={"flux": "Flux", "gradio": _("gradio app"), "pinokio": _("Pinokio app")},
    help=_("A gradio app that draws with Flux, as Pinokio starts it. Its share link works, too."),
    example="https://abc123.gradio.live",
    check_path="/config",
    local_url=DEFAULT_URL,
    port=7860,
    local_ports=(7860, 7861),
    signs=(Sign(path="/config", read=read_config, is_late=True),),
    key_use="login",
    start_hint=_("Start the app in Pinokio; its page shows its address and port."),
    key_hint=_("Connect again with the user:password of the app as the key."),
    is_flux_app=True,
    options=(
        Option(
            name="api_name", default=_("found by itself"), help=_("which of the app's functions to call, like /infer")
        ),
        max_side(_("the app's")),
        max_batch(),
    ),
)
