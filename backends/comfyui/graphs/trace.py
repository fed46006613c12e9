"""Find out what the inputs of a graph are for, by following its links from the samplers back.

Names alone mislead (two text nodes look the same, `model_name` may be an upscaler), so a text is the prompt only if it
leads to a sampler's positive side. Source: the graphs in `tests/data/comfyui/workflows` and `/object_info`.
"""

import re
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Final

from backends.comfyui.graphs.branches import without_idle
from backends.comfyui.graphs.graph import (
    Graph,
    Slot,
    class_of,
    inputs_of,
    is_sampler,
    reached,
    read_link,
    sources,
    upstream,
    users_of,
)
from backends.comfyui.graphs.kinds import ANYTHING, kind_of_input, kind_of_output
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.graphs.values import read_number
from backends.comfyui.graphs.words import Words
from lazy import dataclass, pattern

NUMBER_NAMES: Final = ("value", "int", "float", "number", "seed", "noise_seed")
MODEL_NAMES: Final = ("ckpt_name", "unet_name", "model_name", "gguf_name")
SIZE_STARTS: Final = ("", "empty_latent_", "generation_", "resize_type.")  # no text: names of inputs
_SIZE: Final = pattern(r"\d{3,4}\s*[x×:]\s*\d{3,4}|\d+:\d+")
WORKED_ON: Final = ("MODEL", "LATENT", "COND", "EMBED", "PIPE", "CONTEXT", "TUPLE")  # what a sampler is given
SEED_NAMES: Final = ("seed", "noise_seed")
PIXEL_PATH: Final = frozenset(
    {"latent_image", "samples", "latent", "pixels", "image", "images", "start_image", "init_image"}
)
CHOSEN: Final = frozenset({"sampler_name", "scheduler"})  # settings that are no numbers
SETTING_PATH: Final = frozenset({"sampler", "sigmas", "guider", "noise"})
FILE_INPUTS: Final = {"images": "images", "image": "images", "video": "video", "audio": "audio"}
MAX_SETTING_NODES: Final = 64  # nobody spreads a sampler's settings over more nodes; each sampler is looked behind
MOVING: Final = ("video", "webp", "webm", "gif", "animated")


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The place where the size of a picture is set."""

    width: tuple[Slot, ...] = ()
    height: tuple[Slot, ...] = ()
    batch: Slot | None = None


class Trace:
    """One graph being read; `first` is the sampler that decides size and look, later ones only refine."""

    def __init__(self, graph: Graph, info: ObjectInfo) -> None:
        self.graph = graph = without_idle(graph)
        self.info = info
        self.words = Words(graph, info)
        self.outputs = self._outputs()
        self.live: dict[str, None] = {}
        for node, _ in self.outputs:
            if node not in self.live:
                self.live |= dict.fromkeys(upstream(graph, node, self.live))
        self.users = users_of(graph, self.live)
        self.samplers = [node for node in graph if node in self.live and self._draws(node)]
        self.first = self._first_of([node for node in self.samplers if self._has_words(node)]) or self._first_of(
            self.samplers
        )

    def _first_of(self, samplers: list[str]) -> str | None:
        behind = reached(self.users, [user for node in samplers for user, _ in self.users.get(node, ())])
        return next((node for node in samplers if node not in behind), None)

    def _has_words(self, sampler: str) -> bool:
        """Return whether a sampler is told what to draw: others make a map of a picture, for example."""
        return bool(self.words.of(sampler, "positive", set()))

    @property
    def is_moving(self) -> bool:
        return any(kind != "images" for _, kind in self.outputs)

    def texts(self, side: str) -> tuple[Slot, ...]:
        """Return the texts that lead to one side ("positive", "negative") of the samplers."""
        found = [*self.words.of_all(self.samplers, side)]
        if not self.samplers and side == "positive":  # a service behind a node: what is called prompt is the prompt
            names = [(node, name) for node in self.live for name in ("prompt", "text") if self._text(node, name)]
            found += [Slot(node=node, input=name) for node, name in names[:1]]
        return tuple(dict.fromkeys(found))

    def seeds(self) -> tuple[Slot, ...]:
        nodes = self.samplers or list(self.live)
        found = [self.setting(name, node) for node in nodes for name in SEED_NAMES]
        return tuple(dict.fromkeys(slot for slot in found if slot))

    def setting(self, name: str, sampler: str | None = None) -> Slot | None:
        """Return where a setting of a sampler is: at the node itself, or at those that feed its settings."""
        start = sampler or self.first
        for node in self._follow([start], SETTING_PATH, MAX_SETTING_NODES) if start else ():
            if name in inputs_of(self.graph, node):
                return self._literal(node, name) if name in CHOSEN else self._number(node, name)
        return None

    def _number(self, node: str, name: str) -> Slot | None:
        """Return the slot that holds a number; what computes one, or has a list of them, is none."""
        slot = self._literal(node, name)
        value = inputs_of(self.graph, slot.node).get(slot.input) if slot else None
        return None if read_number(value) is None else slot

    def guidance(self) -> Slot | None:
        for node in upstream(self.graph, self.first) if self.first else ():
            if "guidance" in inputs_of(self.graph, node) and (slot := self._number(node, "guidance")):
                return slot
        return None

    def sides(self) -> Sides:
        """Return the size: of the empty picture, or of the nearest scaling of the source."""
        for node in [*self._source_path(), *([self.first] if self.first else [])]:
            names = inputs_of(self.graph, node)
            start = next((item for item in SIZE_STARTS if {f"{item}width", f"{item}height"} <= names.keys()), None)
            if start is not None:
                width, height = self._number(node, f"{start}width"), self._number(node, f"{start}height")
                batch = self._number(node, "batch_size")
                if width and self._is_preset(width.node):
                    return Sides(batch=batch)
                return Sides(width=(width,) if width else (), height=(height,) if height else (), batch=batch)
        return Sides()

    def _is_preset(self, node: str) -> bool:
        """Return whether a list of sizes decides instead, one in which "custom" would leave it to numbers."""
        for name, value in inputs_of(self.graph, node).items():
            choices = self.info.choices(class_of(self.graph, node), name) or ()
            if any("custom" in item.lower() for item in choices) and any(_SIZE.search(item) for item in choices):
                return isinstance(value, str) and "custom" not in value.lower()
        return False

    def model(self) -> tuple[Slot | None, tuple[Slot, ...], tuple[str, int] | None]:
        """Return the model, the LoRAs on its way to the sampler, and the loader's output."""
        loras: list[Slot] = []
        users = [n for n in self._follow([self.first], SETTING_PATH) if self._model_link(n)] if self.first else []
        link = self._model_link(users[0]) if users else None
        seen: set[str] = set()
        while link and link[0] in self.graph and link[0] not in seen:
            node = link[0]
            seen.add(node)
            inputs = inputs_of(self.graph, node)
            if isinstance(inputs.get("lora_name"), str):
                loras.append(Slot(node=node, input="lora_name"))
            before = self._model_link(node)  # what changes a model has a file of its own, perhaps
            for name in (*MODEL_NAMES, *self._model_lists(node)) if before is None else ():
                if isinstance(inputs.get(name), str):
                    takes_loras = kind_of_output(self.graph, self.info, *link) in {"MODEL", ""}
                    return Slot(node=node, input=name), tuple(loras), link if takes_loras else None
            link = before
        return None, tuple(loras), None

    def _model_link(self, node: str) -> tuple[str, int] | None:
        """Return where the model of a node comes from: a node's output, or one that holds it among other things."""
        links = {name: (source, output) for name, source, output in sources(self.graph, node)}
        if "model" in links:
            return links["model"]
        kinds = {name: kind_of_input(self.graph, self.info, node, name) for name in links}
        models = [name for name, kind in kinds.items() if kind == "MODEL"]
        bundles = [name for name, kind in kinds.items() if _is_bundle(kind)]
        return next((links[name] for name in (*models, *bundles)), None)

    def _model_lists(self, node: str) -> list[str]:
        """Return the inputs of a loader of its own kind that choose the model."""
        names = [name for name in ("model", "base_ckpt_name") if name in inputs_of(self.graph, node)]
        return [name for name in names if self.info.choices(class_of(self.graph, node), name) is not None]

    def clip(self, texts: Iterable[Slot]) -> tuple[str, int] | None:
        """Return the loader's output that the text encoder of the prompt comes from."""
        encoders = [node for node in self.live if "clip" in inputs_of(self.graph, node)]
        fed = reached(self.users, {slot.node for slot in texts})
        for node in encoders:
            if node not in fed:
                continue
            link = read_link(inputs_of(self.graph, node)["clip"])
            seen: set[str] = set()
            while link and link[0] not in seen:
                seen.add(link[0])
                link = read_link(inputs_of(self.graph, link[0]).get("clip")) or link
            return link
        return None

    def pictures(self) -> tuple[tuple[Slot, ...], tuple[Slot, ...], tuple[tuple[str, int], ...], bool]:
        """Return input pictures (sources first), masks, masks in a picture's alpha, and whether one is drawn over."""
        path = set(self._source_path() if self.first else self.live)
        images: list[Slot] = []
        masks: list[Slot] = []
        alphas: list[tuple[str, int]] = []
        for node in self._in_order():
            slot = self._file_of(node)
            if slot is None:
                continue
            users = self.users.get(node, [])
            if class_of(self.graph, node) == "LoadImageMask":
                masks.append(slot)
                continue
            if any(output == 1 for _, output in users):
                alphas.append((node, 1))
            if any(output == 0 for _, output in users):
                (masks if self._is_only_mask(node) else images).append(slot)
        images.sort(key=lambda slot: slot.node not in path)
        needs_image = bool(images) and images[0].node in path
        return tuple(images), tuple(masks), tuple(alphas), needs_image

    def _is_only_mask(self, node: str) -> bool:
        """Return whether a picture is used as a mask alone, scaled before perhaps."""
        found, waiting, is_mask = {node}, [node], False
        while waiting:
            here = waiting.pop()
            outputs = self.info.outputs(class_of(self.graph, here))
            for user, output in self.users.get(here, ()):
                if (output < len(outputs) and outputs[output][0] == "MASK") or user in found:
                    continue
                kinds = {kind for kind, _ in self.info.outputs(class_of(self.graph, user))}
                if kinds == {"MASK"}:
                    is_mask = True
                elif "IMAGE" in kinds and not kinds & {"LATENT", "CONDITIONING"}:
                    found.add(user)
                    waiting.append(user)
                else:
                    return False
        return is_mask

    def _in_order(self) -> list[str]:
        """Return the nodes that outputs drawn by a sampler come from, in the order of the inputs they feed."""
        drawn = reached(self.users, self.samplers) if self.samplers else set(self.live)
        waiting = [self.first] if self.first else []
        waiting = [node for node, _ in reversed(self.outputs) if node in drawn] + waiting
        found: dict[str, None] = {}
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = None
                links = sorted(sources(self.graph, node), key=partial(self._place, node), reverse=True)
                waiting += [source for _, source, _ in links]
        return list(found)

    def _place(self, node: str, link: tuple[str, str, int]) -> tuple[bool, int, str, int]:
        """Return where an input stands: what goes through a chain of nodes comes first, then as the editor shows it."""
        name = link[0]
        is_chain = kind_of_input(self.graph, self.info, node, name) in {"CONDITIONING", "MODEL"}
        names = list(self.info.inputs(class_of(self.graph, node)))
        number = re.search(r"[0-9]{1,4}$", name)
        place = names.index(name) if name in names else len(names)
        return not is_chain, place, name[: number.start()] if number else name, int(number[0]) if number else 0

    def _outputs(self) -> tuple[tuple[str, str], ...]:
        found = []
        for node in self.graph:
            class_type = class_of(self.graph, node)
            kinds = [kind for name, kind in FILE_INPUTS.items() if name in inputs_of(self.graph, node)]
            if self.info.is_output(class_type) and kinds:
                moves = kinds[0] == "images" and any(word in class_type.lower() for word in MOVING)
                found.append((node, "animation" if moves else kinds[0]))
        # Some nodes draw and save in one, without taking a picture.
        return tuple(found) or tuple((node, "images") for node in self.graph if self._saves(node))

    def _saves(self, node: str) -> bool:
        class_type = class_of(self.graph, node)
        return self.info.is_output(class_type) and any(kind == "IMAGE" for kind, _ in self.info.outputs(class_type))

    def _follow(self, start: list[str], names: frozenset[str], most: int | None = None) -> list[str]:
        found = dict.fromkeys(start)
        waiting = deque(start)
        while waiting and (most is None or len(found) < most):
            for name, source, _ in sources(self.graph, waiting.popleft()):
                if name in names and source not in found:
                    found[source] = None
                    waiting.append(source)
        return list(found)

    def _source_path(self) -> list[str]:
        """Return the nodes that the latent picture of the first sampler comes from, nearest first."""
        found = dict.fromkeys([self.first] if self.first else [])
        waiting = deque(found)
        while waiting:
            node = waiting.popleft()
            for name, source, _ in sources(self.graph, node):
                kind = kind_of_input(self.graph, self.info, node, name)
                leads = name in PIXEL_PATH or kind in {"*", "LATENT"} or _is_bundle(kind) or "IMAGE_EMBEDS" in kind
                if source not in found and leads:
                    found[source] = None
                    waiting.append(source)
        return list(found)[1:]

    def _draws(self, node: str) -> bool:
        names = inputs_of(self.graph, node).keys()
        if is_sampler(self.graph, node):
            return True
        if not {"steps", "cfg"} <= names and not {"steps", "embedded_guidance_scale"} <= names:
            return False
        links = [kind_of_input(self.graph, self.info, node, name) for name, _, _ in sources(self.graph, node)]
        works = any(not kind or any(word in kind for word in WORKED_ON) for kind in links)
        return works and any(seed_name in names for seed_name in SEED_NAMES)

    def _literal(self, node: str, name: str, depth: int = 8) -> Slot | None:
        """Return the slot that holds an input's value, behind primitive nodes and contexts if need be."""
        value = inputs_of(self.graph, node).get(name)
        link = read_link(value)
        if link is None:
            return None if value is None else Slot(node=node, input=name)
        outputs = self.info.outputs(class_of(self.graph, link[0]))
        words = outputs[link[1]][1].lower() if link[1] < len(outputs) else name
        return self._behind(link[0], (name, words), depth)

    def _behind(self, source: str, names: tuple[str, ...], depth: int) -> Slot | None:
        """Return the slot that an output's value comes from; a context passes on several, each under its own name."""
        if depth == 0 or source not in self.graph:
            return None
        is_bundle = any(_is_bundle(kind) for kind, _ in self.info.outputs(class_of(self.graph, source)))
        begun = [name for name in inputs_of(self.graph, source) if name.startswith(f"{names[-1]}_")]
        passed = [name for name, _, _ in sources(self.graph, source) if self._passes(source, name)]
        others = (*names, *NUMBER_NAMES, *begun, *passed, *self._strings(source))
        for inner in names if is_bundle else others:
            if inner in inputs_of(self.graph, source):
                return self._literal(source, inner, depth - 1)
        before = [node for name, node, _ in sources(self.graph, source) if self._is_bundled(source, name)]
        return self._behind(before[0], names, depth - 1) if is_bundle and before else None

    def _passes(self, node: str, name: str) -> bool:
        return self.info.type_of(class_of(self.graph, node), name) in ANYTHING

    def _is_bundled(self, node: str, name: str) -> bool:
        return _is_bundle(self.info.type_of(class_of(self.graph, node), name))

    def _strings(self, node: str) -> list[str]:
        return [n for n in inputs_of(self.graph, node) if self.info.type_of(class_of(self.graph, node), n) == "STRING"]

    def _text(self, node: str, name: str) -> bool:
        value = inputs_of(self.graph, node).get(name)
        return isinstance(value, str) and self.info.type_of(class_of(self.graph, node), name) == "STRING"

    def _file_of(self, node: str) -> Slot | None:
        class_type = class_of(self.graph, node)
        for name, value in inputs_of(self.graph, node).items():
            if isinstance(value, str) and self.info.settings_of(class_type, name).get("image_upload"):
                return Slot(node=node, input=name)
        return None


def _is_bundle(kind: str) -> bool:
    """Return whether a type holds several things in one, as those of context and pipe nodes do."""
    return any(word in kind for word in ("PIPE", "CONTEXT", "TUPLE"))
