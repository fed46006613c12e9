"""The facts that Easel knows of servers with OpenAI's images API before it asks one."""

import re
from typing import Any, Final

from backends.kind import EngineKind, Option, Product, Sign, made_by
from backends.openai_images.dialects.known import AUTO, DIALECTS
from lazy import pattern
from net.answers import read_json
from texts.text import _

NAME: Final = "openai_images"
PUBLIC_URL: Final = "https://api.openai.com"
MODELS_PATH: Final = "/v1/models"
DRAWING: Final = pattern(r"diffusion|flux|\bsd\b|sdxl|image|dall-e|krea", re.IGNORECASE)
QUALITIES: Final = ("low", "medium", "high", "xhigh", "max")
FORMATS: Final = ("png", "webp", "jpeg")


def read_models(body: bytes) -> Product | None:
    """Know a server by its list of models, which has OpenAI's form and something that draws in it.

    Most servers of that form only talk, and one that does must not be taken for an engine that was found.
    """
    try:
        answer: Any = read_json(body)
    except ValueError:
        return None
    listed = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(listed, list) or not all(isinstance(item, dict) and "id" in item for item in listed):
        return None
    if answer.get("object") != "list" and not any(item.get("object") == "model" for item in listed):
        return None
    if not any(DRAWING.search(str(item["id"])) for item in listed):
        return None
    return Product(name=_("an OpenAI-compatible server"), kind=NAME)


KIND = EngineKind(
    name=NAME,
    title="OpenAI",
    noun=_("a server with OpenAI’s images API"),
    make=made_by("backends.openai_images.backend:OpenAIImagesBackend"),
    labels={
        "openai": "OpenAI",
        "dalle3": "OpenAI",
        "openrouter": "OpenRouter",
        "xai": "xAI",
        "localai": "LocalAI",
        "sdcpp": "stable-diffusion.cpp",
        "lemonade": "Lemonade",
    },
    also=frozenset({"openai_images", "dalle", "dall-e-3", "together", "vllm", "llama_swap"}),
    addresses={
        "openrouter": "https://openrouter.ai/api",
        "xai": "https://api.x.ai",
        "localai": "",
        "sdcpp": "",
        "lemonade": "",
        "together": "https://api.together.xyz",
        "vllm": "",
        "llama_swap": "",
    },
    help=_("OpenAI, OpenRouter, xAI, or a server of your own that speaks the same API."),
    example=PUBLIC_URL,
    check_path=MODELS_PATH,
    models_path=MODELS_PATH,
    models_in="data",
    public_url=PUBLIC_URL,
    cut=("/images/generations", "/v1"),
    signs=(Sign(path=MODELS_PATH, read=read_models, is_late=True),),
    key_use="bearer",
    key_hint=_("Connect again with a key of that service."),
    no_models=_("it lists no model."),
    no_models_hint=_("Load a model that draws there."),
    variables={
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": "url",
        "OPENAI_ORG_ID": "organization",
        "DALLE_ENABLED": "enabled",
        "DALLE_API_KEY": "key",
        "DALLE_ORGANIZATION": "organization",
    },
    options=(
        Option(name="dialect", type="choice", choices=(AUTO, *DIALECTS), default=AUTO, help=_("which server it is")),
        Option(name="model", default=_("the best known of the list"), help=_("the model of a request that names none")),
        Option(name="edit_model", default=_("the best known of the list"), help=_("the same, for work on a picture")),
        Option(name="quality", type="choice", choices=QUALITIES, default="medium", help=_("decides on price and time")),
        Option(
            name="output_format", type="choice", choices=FORMATS, default=FORMATS[0], help=_("format of the pictures")
        ),
        Option(
            name="background",
            type="choice",
            choices=("auto", "opaque", "transparent"),
            default="auto",
            help=_("of OpenAI’s pictures"),
        ),
        Option(
            name="moderation", type="choice", choices=("auto", "low"), default="auto", help=_("how strict OpenAI is")
        ),
        Option(
            name="partial_images",
            type="number",
            low=0,
            high=3,
            default="0",
            help=_("previews while a picture is drawn; each costs a little"),
        ),
        Option(name="organization", default="none", help=_("OpenAI’s organization that pays")),
        Option(
            name="pause",
            type="seconds",
            low=0,
            high=3600,
            default=_("1 where it charges, else 0"),
            help=_("between two requests"),
        ),
        Option(name="paid", type="switch", default=_("by the server"), help=_("whether its pictures cost money")),
    ),
)
