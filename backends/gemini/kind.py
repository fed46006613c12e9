"""The facts that Easel knows of Google's Gemini API before it asks it. Source: its REST reference, v1beta."""

from typing import Any, Final

from backends.kind import EngineKind, Option, Product, Sign, made_by
from net.answers import read_json
from texts.text import _

NAME: Final = "gemini"
PUBLIC_URL: Final = "https://generativelanguage.googleapis.com"
MODELS_PATH: Final = "/v1beta/models"
KEY_HEADER: Final = "x-goog-api-key"
SIZES: Final = ("512", "1K", "2K", "4K")
BY_REQUEST: Final = "auto"


def read_models(body: bytes) -> Product | None:
    """Know the service by its list of models, whose names begin with `models/`."""
    try:
        answer: Any = read_json(body)
    except ValueError:
        return None
    listed = answer.get("models") if isinstance(answer, dict) else None
    names = [item.get("name") for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    is_google = bool(names) and all(isinstance(name, str) and name.startswith("models/") for name in names)
    return Product(name="Gemini", kind=NAME) if is_google else None


KIND = EngineKind(
    name=NAME,
    title="Gemini",
    noun=_("Google’s Gemini API"),
    make=made_by("backends.gemini.backend:GeminiBackend"),
    labels={"gemini": "Gemini"},
    also=frozenset({"google", "nano-banana", "nano_banana"}),
    help=_("Google’s picture models (Nano Banana): they draw from words and change pictures by words."),
    example=PUBLIC_URL,
    check_path=MODELS_PATH,
    models_path=MODELS_PATH,
    models_in="models",
    account_path=MODELS_PATH,
    public_url=PUBLIC_URL,
    cut=("/v1beta",),
    signs=(Sign(path=MODELS_PATH, read=read_models, is_late=True),),
    key_use="apikey",
    key_header=KEY_HEADER,
    needs_key=True,
    refuses_keys_as_bad=True,
    key_hint=_("Connect again with a key of Google AI Studio."),
    no_models=_("it lists no model that draws."),
    no_models_hint=_("Look in AI Studio whether the key may use one."),
    variables={"GEMINI_API_KEY": "key", "GOOGLE_API_KEY": "key"},
    options=(
        Option(name="model", default=_("the best known of the list"), help=_("the model of a request that names none")),
        Option(
            name="image_size",
            type="choice",
            choices=(BY_REQUEST, *SIZES),
            default=BY_REQUEST,
            help=_("size of the pictures; auto: the nearest to what is asked for"),
        ),
    ),
)
