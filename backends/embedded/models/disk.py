"""Models and LoRAs on this machine: folders as the diffusers library saves them, and the cache of the Hugging Face hub.

Source: the hub's documentation of its cache (`models--OWNER--NAME/snapshots/COMMIT`). Blocks.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Final

from backends.embedded.models.controls import CONFIG, ControlNet, controls_at, inner_width, words_width
from backends.embedded.models.drawers import drawn_by
from backends.embedded.models.families import CONTROLLED, FLUX, OPENVINO_UNMASKED, Family, family_of
from backends.embedded.models.gguf import SUFFIX as GGUF_SUFFIX
from backends.embedded.models.known import KnownModel, known_by_repo, known_models
from backends.embedded.models.single import SUFFIXES, SingleFile, UnreadFile, single_file
from backends.embedded.work.orders import DIFFUSERS, OPENVINO
from generation.samplers import match_name
from lazy import dataclass

log = logging.getLogger(__name__)

INDEX: Final = "model_index.json"
OPENVINO_PART: Final = "openvino_model.xml"
DEEPEST: Final = 3  # folders below a folder of models
QUICK_STEPS: Final = 4  # of a model that takes no guidance
NO_MODELS: Final = frozenset({"vae", "vaes", "embeddings", "upscalers", "text_encoders", "clip"})  # folders of parts
LORAS: Final = frozenset({"lora", "loras"})  # names of folders, in lower case
WEIGHTS: Final = frozenset({".safetensors", ".bin"})
MOST_FOLDERS: Final = 5000  # looked at, so that a wrong MODEL_PATH like / ends
MB: Final = 2**20


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A model that can be drawn with."""

    name: str
    path: Path
    family: Family
    weights_mb: int
    steps: int
    cfg_scale: float
    is_guided: bool = True  # False: it takes no guidance (FLUX.1-schnell)
    known: KnownModel | None = None
    lora: Path | None = None  # one that makes it what it is (SDXL Lightning)
    file: Path | None = None  # its weights, where they are in a single file; `path` has what that lacks
    maker: str = DIFFUSERS  # the library that it was saved for
    words_width: int = 0  # numbers that stand for a word, by which ControlNets fit
    inner_width: int = 0  # numbers that stand for a piece of a picture, the same

    @property
    def title(self) -> str:
        return self.known.title if self.known else self.name

    @property
    def is_packed(self) -> bool:
        """Return whether its weights are smaller than 8 bits would make them, in a `.gguf` file."""
        return self.file is not None and self.file.suffix == GGUF_SUFFIX

    @property
    def takes_masks(self) -> bool:
        return self.maker == DIFFUSERS or self.family.name not in OPENVINO_UNMASKED


@dataclass(frozen=True, kw_only=True)
class ModelShelf:
    """All that is on this machine, models by name."""

    models: tuple[LocalModel, ...] = ()
    loras: tuple[Path, ...] = ()
    controls: tuple[ControlNet, ...] = ()
    drawers: Mapping[str, Path] = field(default_factory=dict)  # networks that draw maps for ControlNets, by kind
    alone: tuple[SingleFile, ...] = ()  # files that lack a model of their family beside them
    unread: tuple[UnreadFile, ...] = ()  # files that cannot be drawn with

    def controls_for(self, model: LocalModel, mode: str = "txt2img") -> list[ControlNet]:
        """Return the ControlNets that fit a model in a mode."""
        is_steered = mode in CONTROLLED.get(model.family.name, ()) and model.maker == DIFFUSERS
        widths = (model.words_width, model.inner_width)
        return [net for net in self.controls if is_steered and net.fits(model.family.name, *widths)]

    def lora(self, name: str) -> Path | None:
        """Return the file of a LoRA by the name that people know it by."""
        found = match_name(name, [path.stem for path in self.loras])
        return next((path for path in self.loras if path.stem == found), None)


def hub_folder(home: str) -> Path:
    """Return where the hub's cache is; `home` is `HF_HOME`, empty for the usual place."""
    return (Path(home).expanduser() if home else Path.home() / ".cache" / "huggingface") / "hub"


def look_for_models(folders: tuple[Path, ...], hub: Path, *, has_gguf: bool = True) -> ModelShelf:
    """Return the models and LoRAs in some folders and in the hub's cache; what cannot be read is passed over.

    `has_gguf`: whether the package that unpacks `.gguf` files is installed.
    """
    models: dict[str, LocalModel] = {}
    loras: dict[str, Path] = {}
    controls: dict[tuple[str, str], ControlNet] = {}  # by name and kind
    drawers: dict[str, Path] = {}
    singles: dict[str, SingleFile] = {}
    unread: dict[str, UnreadFile] = {}
    for folder in folders:
        for place in _walk(folder):
            if (place / INDEX).is_file():
                if model := _model(place, place.name, known=None):
                    models.setdefault(model.name, model)
            elif place.name.lower() in LORAS:
                for path in sorted(place.rglob("*.safetensors")):
                    loras.setdefault(path.stem, path)
            elif (place / CONFIG).is_file() and (here := controls_at(place, place.name)):
                controls |= {(net.name, net.kind): net for net in here if (net.name, net.kind) not in controls}
            elif kind := drawn_by(place):
                drawers.setdefault(kind, place)
            elif place.name.lower() not in NO_MODELS:
                for path in sorted(path for path in place.glob("*.*") if path.suffix in SUFFIXES):
                    match single_file(path, has_gguf=has_gguf):
                        case SingleFile() as single:
                            singles.setdefault(single.name, single)
                        case UnreadFile() as file:
                            unread.setdefault(file.name, file)
    for place, repo in _snapshots(hub, CONFIG):
        known = known_by_repo(repo)
        if kind := drawn_by(place):
            drawers.setdefault(kind, place)
        here = controls_at(place, known.name if known else repo.rpartition("/")[2])
        controls |= {(net.name, net.kind): net for net in here if (net.name, net.kind) not in controls}
    for place, repo in _snapshots(hub, INDEX):
        known = known_by_repo(repo)
        if model := _model(place, known.name if known else repo.rpartition("/")[2], known):
            models.setdefault(model.name, model)
    for known in known_models().values():
        if (
            known.base in models
            and models[known.base].maker == DIFFUSERS
            and not known.control
            and (lora := _lora_in(hub, known)) is not None
        ):
            base = models[known.base]
            models[known.name] = replace(
                base, name=known.name, steps=known.steps, cfg_scale=known.cfg_scale, known=known, lora=lora
            )
    alone = [single for name, single in singles.items() if name not in models and not _put_in(models, single)]
    return ModelShelf(
        models=tuple(models.values()),
        loras=tuple(loras.values()),
        controls=tuple(controls.values()),
        drawers=drawers,
        alone=tuple(alone),
        unread=tuple(unread.values()),
    )


def _put_in(models: dict[str, LocalModel], single: SingleFile) -> bool:
    """Add the model in a single file, where one of its family lends it what it lacks; return whether one does."""
    lends = [model for model in models.values() if model.family.name == single.family and not model.lora]
    whole = [model for model in lends if not model.file and model.maker == DIFFUSERS]
    fitting = (model for model in whole if single.words_width in (0, model.words_width))
    lender = next((model for model in fitting if model.is_guided == single.is_guided), None)
    if lender is None:
        return False
    usual = lender.family.steps if single.is_guided else QUICK_STEPS
    lent_mb = _weights_mb(lender.path, without="transformer") if single.is_part else 0
    models[single.name] = replace(
        lender, name=single.name, file=single.path, weights_mb=single.weights_mb + lent_mb, steps=usual,
        cfg_scale=lender.family.cfg_scale, known=None,
    )  # fmt: skip
    return True


def _lora_in(hub: Path, known: KnownModel) -> Path | None:
    place = snapshot_of(hub, known.repo, known.revision)
    return next(iter(sorted(place.glob("*.safetensors"))), None) if place else None


def snapshot_of(hub: Path, repo: str, revision: str = "") -> Path | None:
    """Return the folder of a model in the hub's cache, of the commit that its branch `main` is at unless one is named.

    None where it is not there, or not whole.
    """
    folder = hub / f"models--{repo.replace('/', '--')}"
    if not revision:
        try:
            revision = (folder / "refs" / "main").read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
    place = folder / "snapshots" / revision
    return place if place.is_dir() and not (place / INCOMPLETE).exists() else None


INCOMPLETE: Final = ".easel-incomplete"  # stands in a snapshot while its files are fetched


def _snapshots(hub: Path, named: str) -> Iterator[tuple[Path, str]]:
    try:
        folders = sorted(hub.glob("models--*"))
    except OSError:
        return
    for folder in folders:
        repo = folder.name.removeprefix("models--").replace("--", "/")
        known = known_by_repo(repo)
        place = snapshot_of(hub, repo, known.revision if known else "") or snapshot_of(hub, repo)
        if place is not None and (place / named).is_file():
            yield place, repo


def _walk(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Yield a folder and those below it; what lies in a model's own folder belongs to it."""
    looked_at = 0
    places = [(folder.expanduser(), depth)]
    while places and looked_at < MOST_FOLDERS:
        place, depth = places.pop(0)
        looked_at += 1
        yield place
        if depth >= DEEPEST or (place / INDEX).is_file():
            continue
        try:
            with os.scandir(place) as entries:
                below = sorted(entry.path for entry in entries if entry.is_dir() and not entry.name.startswith("."))
        except OSError:
            continue
        places += [(Path(path), depth + 1) for path in below]


def _model(folder: Path, name: str, known: KnownModel | None) -> LocalModel | None:
    family = family_of(str(_json(folder / INDEX).get("_class_name", "")))
    if family is None:
        log.debug("no family of models fits %s", folder)
        return None
    is_guided = family.name != FLUX or bool(_json(folder / "transformer" / "config.json").get("guidance_embeds"))
    steps = family.steps if is_guided else QUICK_STEPS
    config = _json(folder / "unet" / "config.json") or _json(folder / "transformer" / "config.json")
    return LocalModel(
        name=name,
        path=folder,
        family=family,
        weights_mb=_weights_mb(folder),
        steps=known.steps if known else steps,
        cfg_scale=known.cfg_scale if known else family.cfg_scale,
        is_guided=is_guided,
        known=known,
        maker=OPENVINO if any(folder.glob(f"*/{OPENVINO_PART}")) else DIFFUSERS,
        words_width=words_width(config),
        inner_width=inner_width(config),
    )


def _weights_mb(folder: Path, without: str = "") -> int:
    files = [path for path in folder.glob("*/*") if path.suffix in WEIGHTS and path.parent.name != without]
    return sum(path.stat().st_size for path in files if path.exists()) // MB


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
