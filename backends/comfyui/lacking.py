"""Names of files that a graph holds and a server does not list: told apart from other values, with the nearest it has.

A server lists its files with the slash of its own system; exports come from others, so names are compared without that,
without case and without extension, as long as only one can be meant.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from backends.comfyui.graph import Graph, Slot, class_of, inputs_of, read_link
from backends.comfyui.nodes import ObjectInfo
from generation.errors import CapabilityError
from generation.named import nearest

MAX_NAME_CHARS: Final = 60
MAX_LACKING: Final = 5  # named in one refusal
_EXTENSION: Final = re.compile(r"\.(safetensors|sft|ckpt|pt2?|pth|bin|gguf|onnx|engine)$", re.IGNORECASE)
# What people call the thing an input names, and the field of a request it comes from.
WORDS: Final = {
    "ckpt_name": ("model", "model"),
    "unet_name": ("model", "model"),
    "gguf_name": ("model", "model"),
    "model_name": ("upscaler", "model"),
    "lora_name": ("LoRA", "loras"),
    "vae_name": ("VAE", "vae"),
    "clip_name": ("text encoder", "model"),
    "clip_name1": ("text encoder", "model"),
    "clip_name2": ("text encoder", "model"),
    "clip_name3": ("text encoder", "model"),
    "clip_name4": ("text encoder", "model"),
    "control_net_name": ("ControlNet", "model"),
    "style_model_name": ("style model", "model"),
}
Ways = Callable[[Slot], str]  # how the file of an input can be overridden, as the end of a sentence


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """A value that an input's list does not hold. `count`: how many it has; `near`: a few that may have been meant."""

    slot: Slot
    class_type: str
    value: str
    count: int
    is_file: bool
    near: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """What people call it."""
        name = self.slot.input
        if name == "model_name" and "upscale" not in self.class_type.casefold():
            return "model"
        found = next((word for key, (word, _) in WORDS.items() if key == name), "")
        return found or ("LoRA" if "lora" in name.casefold() else "file")

    @property
    def field(self) -> str:
        return WORDS[self.slot.input][1] if self.slot.input in WORDS else self.slot.input

    def sentence(self, way: str = "") -> str:
        """Return what is missing, as the end of a sentence about the engine."""
        near = f" (near: {', '.join(map(short, self.near))})" if self.near else ""
        return f"no {self.what} “{short(self.value)}”{near}" + (f": {way}" if way else "")


def unlisted(graph: Graph, info: ObjectInfo) -> Iterator[Lacking]:
    """Yield every value of a graph that its input's list on this server does not hold; input pictures are uploaded."""
    for node in graph:
        class_type = class_of(graph, node)
        for name, value in inputs_of(graph, node).items():
            if read_link(value) or not isinstance(value, str) or info.is_upload(class_type, name):
                continue
            if count := info.refuses(class_type, name, value):
                choices = info.choices(class_type, name) or ()
                is_file = _names_files(name, value, choices)
                yield Lacking(
                    slot=Slot(node=node, input=name),
                    class_type=class_type,
                    value=value,
                    count=count,
                    is_file=is_file,
                    near=tuple(nearest(value, choices)) if is_file else (),
                )


def lacking_files(graph: Graph, info: ObjectInfo) -> tuple[Lacking, ...]:
    """Return the files a graph names that this server lacks; another may be named in their place."""
    return tuple(one for one in unlisted(graph, info) if one.is_file)


def no_files(lacking: Iterable[Lacking], ways: Ways | None = None) -> CapabilityError | None:
    """Return the error that names them, with `ways` to override each; None if there are none."""
    found = list(lacking)
    if not found:
        return None
    told = [one.sentence(ways(one.slot) if ways else "") for one in found[:MAX_LACKING]]
    more = f"; and {len(found) - MAX_LACKING} more files are missing" if len(found) > MAX_LACKING else ""
    return CapabilityError(
        f"This engine has {'; it has '.join(told)}{more}.",
        field=found[0].field,
        detail=f"one of {found[0].count}",
        hint="See /models for what it has.",
    )


def listed_name(value: str, choices: Iterable[str]) -> str | None:
    """Return how a server lists a file, None where it has none that is meant by it, or several."""
    listed = tuple(choices)
    if value in listed:
        return value
    for reading in (_slashed, _folded, file_key):
        key = reading(value)
        found = [name for name in listed if reading(name) == key]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def with_listed_names(graph: Graph, info: ObjectInfo) -> Graph:
    """Return a graph whose files are named as this server lists them."""
    result = graph
    for node, about in graph.items():
        class_type = str(about.get("class_type"))
        for name, value in inputs_of(graph, node).items():
            if not isinstance(value, str) or not info.refuses(class_type, name, value):
                continue
            choices = info.choices(class_type, name) or ()
            listed = listed_name(value, choices) if _names_files(name, value, choices) else None
            if listed:
                inputs = {**inputs_of(result, node), name: listed}
                result = {**result, node: {**result[node], "inputs": inputs}}
    return result


def file_key(name: str) -> str:
    """Return what two spellings of one file's name have in common."""
    return _EXTENSION.sub("", _folded(name))


def short(name: str) -> str:
    """Return a name fit for a sentence: the server's paths and line breaks do not belong there."""
    name = " ".join(name.split())
    return name if len(name) <= MAX_NAME_CHARS else f"{name[: MAX_NAME_CHARS - 1]}…"


def _names_files(name: str, value: str, choices: Iterable[str]) -> bool:
    is_path = "/" in value or "\\" in value
    return name in WORDS or is_path or any(_EXTENSION.search(one) for one in (value, *choices))


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _folded(name: str) -> str:
    return _slashed(name).casefold()
