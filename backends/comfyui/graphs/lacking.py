"""Names of files that a graph holds and a server does not list: told apart from other values, with the nearest it has.

A server lists its files with the slash of its own system; exports come from others, so names are compared without that,
without case and without extension, as long as only one can be meant.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from functools import cached_property
from typing import Final

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.errors import CapabilityError
from generation.named import nearest
from lazy import dataclass, pattern
from texts.text import _, joined

MAX_NAME_CHARS: Final = 60
MAX_LACKING: Final = 5  # named in one refusal
_EXTENSION: Final = pattern(r"\.(safetensors|sft|ckpt|pt2?|pth|bin|gguf|onnx|engine)$", re.IGNORECASE)
# What people call the thing an input names, and the field of a request it comes from.
WORDS: Final = {
    "ckpt_name": ("model", "model"),
    "unet_name": ("model", "model"),
    "gguf_name": ("model", "model"),
    "model_name": ("upscaler", "model"),
    "lora_name": ("LoRA", "loras"),
    "vae_name": ("VAE", "vae"),
    "clip_name": (_("text encoder"), "model"),
    "clip_name1": (_("text encoder"), "model"),
    "clip_name2": (_("text encoder"), "model"),
    "clip_name3": (_("text encoder"), "model"),
    "clip_name4": (_("text encoder"), "model"),
    "control_net_name": ("ControlNet", "model"),
    "style_model_name": (_("style model"), "model"),
}
Ways = Callable[[Slot], str]  # how the file of an input can be overridden, as the end of a sentence


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """A value that an input's list does not hold. `count`: how many it has, empty ones count as one."""

    slot: Slot
    class_type: str
    value: str
    count: int
    is_file: bool
    choices: tuple[str, ...] = field(repr=False)

    @property
    def what(self) -> str:
        """Return what people call it."""
        name = self.slot.input
        if name == "model_name" and "upscale" not in self.class_type.casefold():
            return "model"
        found = next((word for key, (word, __) in WORDS.items() if key == name), "")
        return found or ("LoRA" if "lora" in name.casefold() else "file")

    @property
    def field(self) -> str:
        return WORDS[self.slot.input][1] if self.slot.input in WORDS else self.slot.input

    def sentence(self, way: str = "") -> str:
        """Return what is missing, as the end of a sentence about the engine."""
        names = nearest(self.value, self.choices)
        near = _(" (near: {names})", names=", ".join(map(short, names))) if names else ""
        return _("no {what} “{file}”{near}", what=self.what, file=short(self.value), near=near) + (
            f": {way}" if way else ""
        )


def unlisted(graph: Graph, info: ObjectInfo) -> Iterator[Lacking]:
    """Yield every value of a graph that its input's list on this server does not hold; input pictures are uploaded."""
    lists = _Lists(info)
    for node in graph:
        class_type = class_of(graph, node)
        for name, value in inputs_of(graph, node).items():
            if read_link(value) or not isinstance(value, str) or info.is_upload(class_type, name):
                continue
            if count := info.refuses(class_type, name, value):
                known = lists.of(class_type, name)
                if not known.choices and not known.is_for_file(value):
                    continue  # the browser fills such a list, and the node takes what it is given
                yield Lacking(
                    slot=Slot(node=node, input=name),
                    class_type=class_type,
                    value=value,
                    count=count,
                    is_file=known.is_for_file(value),
                    choices=known.choices,
                )


def lacking_files(graph: Graph, info: ObjectInfo) -> tuple[Lacking, ...]:
    """Return the files a graph names that this server lacks; another may be named in their place."""
    return tuple(item for item in unlisted(graph, info) if item.is_file)


def no_files(lacking: Iterable[Lacking], ways: Ways | None = None) -> CapabilityError | None:
    """Return the error that names them, with `ways` to override each; None if there are none."""
    found = list(lacking)
    if not found:
        return None
    lines = [item.sentence(ways(item.slot) if ways else "") for item in found[:MAX_LACKING]]
    more = _("; and {count} more files are missing", count=len(found) - MAX_LACKING) if len(found) > MAX_LACKING else ""
    return CapabilityError(
        _("This engine has {listed}{more}.", listed=joined(_("; it has "), lines), more=more),
        field=found[0].field,
        detail=f"one of {found[0].count}",
        hint=_("See /models for what it has."),
    )


def with_listed_names(graph: Graph, info: ObjectInfo) -> Graph:
    """Return a graph whose files are named as this server lists them."""
    result, lists = dict(graph), _Lists(info)
    for node, about in graph.items():
        class_type, named = str(about.get("class_type")), dict[str, str]()
        for name, value in inputs_of(graph, node).items():
            if not isinstance(value, str) or not info.refuses(class_type, name, value):
                continue
            known = lists.of(class_type, name)
            if listed := known.meant(value) if known.is_for_file(value) else None:
                named[name] = listed
        if named:
            result[node] = {**about, "inputs": {**inputs_of(graph, node), **named}}
    return result


def file_key(name: str) -> str:
    """Return what two spellings of one file's name have in common."""
    return _EXTENSION.sub("", _folded(name))


def short(name: str) -> str:
    """Return a name fit for a sentence: the server's paths and line breaks do not belong there."""
    name = " ".join(name.split())
    return name if len(name) <= MAX_NAME_CHARS else f"{name[: MAX_NAME_CHARS - 1]}…"


@dataclass(frozen=True)
class _List:
    """The list of a server for one input, looked at once for a graph, however often that names something else."""

    name: str
    choices: tuple[str, ...]

    def is_for_file(self, value: str) -> bool:
        is_path = "/" in value or "\\" in value
        return self.name in WORDS or is_path or bool(_EXTENSION.search(value)) or self._has_files

    def meant(self, value: str) -> str | None:
        for reading, index in self._indexes:
            if found := index.get(reading(value)):
                return found[0] if len(found) == 1 else None
        return None

    @cached_property
    def _has_files(self) -> bool:
        return any(_EXTENSION.search(choice) for choice in self.choices)

    @cached_property
    def _indexes(self) -> tuple[tuple[Callable[[str], str], dict[str, list[str]]], ...]:
        indexes = []
        for reading in (_slashed, _folded, file_key):
            index: dict[str, list[str]] = {}
            for choice in self.choices:
                index.setdefault(reading(choice), []).append(choice)
            indexes.append((reading, index))
        return tuple(indexes)


class _Lists:
    """The lists of a server, each put together once."""

    def __init__(self, info: ObjectInfo) -> None:
        self._info = info
        self._known: dict[tuple[str, str], _List] = {}

    def of(self, class_type: str, name: str) -> _List:
        key = (class_type, name)
        if key not in self._known:
            self._known[key] = _List(name, self._info.choices(class_type, name) or ())
        return self._known[key]


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _folded(name: str) -> str:
    return _slashed(name).casefold()
