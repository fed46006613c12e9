"""Read how a picture was made from a ComfyUI graph (the API format that stands in its pictures).

The sampler of the first pass is asked for its numbers, and its links are followed to the words, the model and the size.
A node is told by its inputs, not by its name, so that custom ones count as well.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from lazy import dataclass

MAX_NODES: Final = 2000
TEXTS: Final = ("text", "text_g", "clip_g", "t5xxl", "clip_l", "llama", "qwen25_7b", "positive", "negative", "prompt",
                "user_prompt", "populated_text", "wildcard_text", "string", "value", "text1", "text_1", "string_a",
                "string_b", "text2", "text_2")  # fmt: skip
NOT_WORDS: Final = frozenset({"clip", "model", "vae", "latent", "latent_image", "image", "pixels", "mask",
                              "control_net", "samples", "clip_vision", "style_model"})  # fmt: skip
SILENT: Final = frozenset({"ConditioningZeroOut"})  # what comes out says nothing, whatever went in
BUNDLES: Final = ("pipe", "context", "ctx", "tuple", "embeds")  # in the names of inputs that bring several things
MODELS: Final = ("ckpt_name", "unet_name", "model_name", "model_path", "base_ckpt_name", "model")
SIZE_STARTS: Final = ("", "empty_latent_", "generation_")
JOINED: Final = ("text", "string", "part", "prompt")  # how the parts of a joined text are called
MAX_JOINED: Final = 4  # joined texts within each other
_PARTS: Final = ("noise", "guider", "sampler", "sigmas")

Node = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class GraphSettings:
    """The findings; `values` under Automatic1111's keys."""

    prompt: str
    negative_prompt: str
    width: int | None
    height: int | None
    values: Mapping[str, Any]
    loras: list[tuple[Any, Any]] = field(default_factory=list)


def settings_of_graph(graph: Mapping[str, Any]) -> GraphSettings | None:
    """Read a graph; None where nothing in it samples."""
    nodes = {str(key): node["inputs"] for key, node in list(graph.items())[:MAX_NODES]
             if isinstance(node, dict) and isinstance(node.get("inputs"), dict)}  # fmt: skip
    read = _Graph(nodes, frozenset(key for key in nodes if graph.get(key, {}).get("class_type") in SILENT))
    samplers = [key for key in nodes if read.is_sampler(key)]
    if not samplers:
        return None
    first = next(
        (key for key in samplers if not (read.ancestors(key, "latent_image", "samples") & set(samplers))), samplers[0]
    )
    return read.settings(first, [key for key in samplers if key != first])


class _Graph:
    def __init__(self, nodes: Mapping[str, Node], silent: frozenset[str]) -> None:
        self._nodes = nodes
        self._silent = silent

    def is_sampler(self, key: str) -> bool:
        inputs = self._nodes[key]
        has_seed = inputs.keys() & {"seed", "noise_seed", "noise"}
        return bool(
            has_seed and (inputs.keys() >= {"steps", "cfg"} or inputs.keys() & {"sigmas", "embedded_guidance_scale"})
        )

    def settings(self, key: str, others: list[str]) -> GraphSettings:
        inputs = dict(self._nodes[key])
        for part in _PARTS:
            inputs = {**self._node(inputs.get(part)), **inputs}
        bundle = next((value for name, value in inputs.items() if any(part in name for part in BUNDLES)), None)
        positive = inputs.get("positive") or inputs.get("conditioning") or inputs.get("cond1") or bundle
        seed = inputs.get("seed") if inputs.get("seed") is not None else inputs.get("noise_seed")
        values: dict[str, Any] = {
            "Steps": self._value(inputs.get("steps"), "steps"),
            "Sampler": self._value(inputs.get("sampler_name"), "sampler_name"),
            "Schedule type": self._value(inputs.get("scheduler"), "scheduler"),
            "CFG scale": self._value(inputs.get("cfg"), "cfg"),
            "Distilled CFG Scale": self._along(positive, "guidance"),
            "Seed": self._value(seed),
            "Model": self._first(inputs.get("model") or bundle, MODELS),
            "VAE": self._anywhere("vae_name"),
        }
        layer = self._anywhere("stop_at_clip_layer")
        if isinstance(layer, int) and layer < -1:
            values["Clip skip"] = -layer
        size = self._size(inputs.get("latent_image") or inputs.get("samples") or inputs.get("image_embeds") or bundle)
        size = size if size[0] else self._side_values(self._nodes[key])
        denoise = self._value(inputs.get("denoise"))
        if isinstance(denoise, int | float) and denoise < 1:
            values["Denoising strength"] = denoise
        values |= self._second_pass(key, others, size)
        words, at = self._words(positive, "positive")
        negative, negative_at = self._words(inputs.get("negative") or bundle, "negative")
        return GraphSettings(
            prompt=words,
            negative_prompt="" if at == negative_at else negative,
            width=size[0],
            height=size[1],
            values={name: value for name, value in values.items() if value is not None},
            loras=list(self._loras(inputs.get("model") or bundle)),
        )

    def ancestors(self, key: str, *inputs: str) -> set[str]:
        """Return the nodes behind these inputs of a node."""
        found: set[str] = set()
        for name in inputs:
            found |= {other for other, _ in self._behind(self._nodes[key].get(name))}
        return found

    def _second_pass(self, first: str, others: list[str], size: tuple[int | None, int | None]) -> dict[str, Any]:
        """Return a hires fix: a second sampler over the enlarged result of the first."""
        for key in others:
            behind = self.ancestors(key, "latent_image", "samples")
            if first not in behind:
                continue
            for inputs in (self._nodes[other] for other in behind if other != first):
                factor = self._value(inputs.get("scale_by"))
                method = inputs.get("upscale_method")
                if factor is None and method and size[0] and isinstance(width := self._value(inputs.get("width")), int):
                    factor = width / size[0]
                if isinstance(factor, int | float) and factor > 1:
                    return {
                        "Hires upscale": round(factor, 3),
                        "Hires steps": self._value(self._nodes[key].get("steps")),
                        "Hires upscaler": f"Latent ({method})" if method else None,
                        "Denoising strength": self._value(self._nodes[key].get("denoise")),
                    }
        return {}

    def _behind(
        self, link: object, side: str = "", skipped: frozenset[str] = frozenset()
    ) -> Iterator[tuple[str, Node]]:
        """Yield the nodes behind a link, nearest first; with `side`, through that input where a node has both."""
        waiting, seen = deque([link]), set()
        while waiting:
            key = self._key(waiting.popleft())
            if key is None or key in seen:
                continue
            seen.add(key)
            if side and key in self._silent:
                continue
            inputs = self._nodes[key]
            yield key, inputs
            names = [name for name in inputs if name not in skipped]
            if side:
                names = [name for name in names if _side_of(name) in {side, ""}]
                names = [name for name in names if _side_of(name) and isinstance(inputs[name], list)] or names
            waiting.extend(inputs[name] for name in names)

    def _words(self, link: object, side: str, depth: int = MAX_JOINED) -> tuple[str, object]:
        """Return the words of a side, and the place where they stand."""
        if isinstance(link, str):
            return link, None
        for key, inputs in self._behind(link, side, NOT_WORDS):
            if depth and (words := self._joined(inputs, side, depth - 1)):
                return words, key
            sided = [side] if side in inputs else [name for name in inputs if _side_of(name) == side]
            sided = [name for name in sided if "style" not in name]
            for name in (*sided, *TEXTS):
                text = inputs.get(name)
                if isinstance(text, str) and text.strip() and _side_of(name) in {side, ""}:
                    return text, (key, name)
        return "", object()

    def _joined(self, inputs: Node, side: str, depth: int) -> str:
        """Return the parts of a joined text in one, empty where a node joins none."""
        between = inputs.get("delimiter", inputs.get("separator"))
        if not isinstance(between, str):
            return ""
        names = [name for name in inputs if name.startswith(JOINED)]
        parts = [self._words(inputs[name], side, depth)[0] for name in names]
        return between.join(part for part in parts if part.strip())

    def _loras(self, link: object) -> Iterator[tuple[Any, Any]]:
        for _, inputs in self._behind(link, skipped=frozenset({"clip", "vae"})):
            if isinstance(name := inputs.get("lora_name"), str):
                yield name, self._value(inputs.get("strength_model", 1))

    def _size(self, link: object) -> tuple[int | None, int | None]:
        for _, inputs in self._behind(link, skipped=NOT_WORDS - {"latent", "latent_image", "samples"}):
            size = self._side_values(inputs) if "upscale_method" not in inputs else (None, None)
            if size[0]:
                return size
        return None, None

    def _side_values(self, inputs: Node) -> tuple[int | None, int | None]:
        """Return the width and the height that a node has, where it has both."""
        for start in SIZE_STARTS:
            width, height = (_whole(self._value(inputs.get(f"{start}{side}"), side)) for side in ("width", "height"))
            if width and height:
                return width, height
        return None, None

    def _first(self, link: object, names: tuple[str, ...]) -> object:
        for _, inputs in self._behind(link, skipped=frozenset({"clip", "vae"})):
            for name in names:
                if isinstance(value := self._value(inputs.get(name)), str):
                    return value
        return None

    def _along(self, link: object, name: str) -> object:
        for _, inputs in self._behind(link, "positive", NOT_WORDS):
            if isinstance(value := self._value(inputs.get(name)), int | float):
                return value
        return None

    def _anywhere(self, name: str) -> object:
        return next(
            (value for inputs in self._nodes.values() if (value := self._value(inputs.get(name))) is not None), None
        )

    def _value(self, value: object, name: str = "value") -> Any:
        """Return a number or a text, also where it comes from a node that only holds it, by its name perhaps."""
        for _ in range(8):
            if not isinstance(value, list):
                return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None
            inputs = self._node(value)
            begun = [item for item in inputs if item.startswith(f"{name}_")]
            passed = [item for item in inputs if item.startswith(("any_", "input"))]
            held = (name, "value", "seed", "int", "float", "Number", "number", *begun, *passed)
            value = next((inputs[item] for item in held if item in inputs), None)
        return None

    def _key(self, link: object) -> str | None:
        if not isinstance(link, list) or len(link) != 2:
            return None
        key = str(link[0])
        return key if key in self._nodes else None

    def _node(self, link: object) -> Node:
        key = self._key(link)
        return self._nodes[key] if key is not None else {}


def _side_of(name: str) -> str:
    """Return the side that an input is of, by its name; empty if of none."""
    low = name.lower()
    if low.startswith("neg") or "negative" in low:
        return "negative"
    return "positive" if low.startswith("pos_") or low == "pos" or "positive" in low else ""


def _whole(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None
