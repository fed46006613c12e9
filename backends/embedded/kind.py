"""The engine inside Easel, which is there where its packages and a model are."""

from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from backends.base import Backend, BackendConfig
from backends.embedded.models.disk import ModelShelf, hub_folder, look_for_models
from backends.embedded.work.orders import DIFFUSERS, OPENVINO
from backends.kind import EngineKind, Option
from texts.text import _

if TYPE_CHECKING:
    from backends.embedded.models.keeping import ModelKeeper

NAME: Final = "embedded"
PACKAGES: Final = {
    DIFFUSERS: ("torch", "diffusers", "transformers", "accelerate", "peft"),
    OPENVINO: ("openvino", "openvino_genai", "numpy"),
}
GGUF: Final = "gguf"  # the package that unpacks such files, for diffusers
IDLE_S: Final = 600.0
OFFLOADS: Final = ("auto", "none", "8bit", "model", "sequential")
ABSENT_HINT: Final = _("`make run GPU=1` installs what it needs; `make run CPU=1` what is enough for a processor.")


def make(config: BackendConfig) -> Backend:
    """Make an instance; its options are below."""
    from backends.embedded.backend import EmbeddedBackend  # loaded only where models are drawn with
    from backends.recent import RecentAnswers  # the same

    return EmbeddedBackend(config, recent=RecentAnswers())


def keep_models(options: Mapping[str, str], hub: str, token: str) -> "ModelKeeper":
    """Make what fetches, checks and removes models."""
    from backends.embedded.models.keeping import ModelKeeper  # loaded only where models are fetched
    from backends.embedded.models.machine import look_at_machine  # the same
    from net.hub import ModelHub  # the same

    own, folder = dict(options), hub_folder(options.get("hf_home", ""))
    look = partial(look_at_machine, folder, own.get("visible_devices", ""))
    return ModelKeeper(ModelHub(hub, token), folder, lambda: shelf_of(own), look)


def makers_here() -> frozenset[str]:
    """Return the libraries whose packages are there; none of them is loaded."""
    return frozenset(maker for maker, names in PACKAGES.items() if all(find_spec(name) is not None for name in names))


def is_installed() -> bool:
    """Return whether something that draws is there."""
    return bool(makers_here())


def _has_model(options: Mapping[str, str]) -> bool:
    there = makers_here()
    return bool(there) and any(model.maker in there for model in shelf_of(dict(options)).models)


def shelf_of(options: dict[str, str]) -> ModelShelf:
    """Return the models on this machine, as the options say where they are. Blocks."""
    folders = tuple(Path(part.strip()) for part in options.get("models", "").split(",") if part.strip())
    has_gguf = find_spec(GGUF) is not None
    return look_for_models(folders, hub_folder(options.get("hf_home", "")), has_gguf=has_gguf)


KIND = EngineKind(
    name=NAME,
    title=_("built in, draws with models on this machine"),
    noun=_("the built-in engine"),
    make=make,
    options=(
        Option(
            name="models",
            help=_("Folders with models, as the diffusers library saves them, with commas between; LoRAs in `loras`"),
        ),
        Option(name="hf_home", help=_("Folder of the Hugging Face hub"), default="~/.cache/huggingface"),
        Option(
            name="model", help=_("The model that draws where a request names none"), default=_("the first there is")
        ),
        Option(
            name="device",
            help=_("What draws: auto, cuda, cuda:1, mps, gpu (of Intel) or cpu"),
            default="auto",
        ),
        Option(
            name="offload",
            type="choice",
            choices=OFFLOADS,
            default="auto",
            help=_("How much of a model leaves the GPU's memory while it is not needed"),
        ),
        Option(name="visible_devices", help=_("GPUs that it may see, as CUDA counts them: 0,1"), default=_("all")),
        Option(
            name="idle_s",
            type="seconds",
            low=1,
            high=86_400,
            default=f"{IDLE_S:g}",
            help=_("Idle time after which its memory is freed"),
        ),
    ),
    variables={
        "MODEL_PATH": "models",
        "HF_HOME": "hf_home",
        "CUDA_VISIBLE_DEVICES": "visible_devices",
    },
    is_inside=True,
    comes_with=_has_model,
    is_there=is_installed,
    keep_models=keep_models,
    absent_hint=ABSENT_HINT,
)
