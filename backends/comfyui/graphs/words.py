"""Find the inputs that hold the words of one side of a sampler, by what nodes are: `/object_info` and the links."""

import re
from collections.abc import Iterable
from typing import Final

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link, sources, title_of
from backends.comfyui.graphs.kinds import kind_of_input
from backends.comfyui.graphs.nodes import ObjectInfo
from lazy import pattern

TEXT_NAMES: Final = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt", "string", "value")
SILENT: Final = frozenset({"ConditioningZeroOut"})  # what comes out says nothing, whatever went in
CARRIERS: Final = ("PIPE", "CONTEXT", "CTX", "EMBED", "COND", "TUPLE")  # types that bring the words along
BESIDE: Final = (
    "system",
    "template",
    "delimiter",
    "separator",
    "prefix",
    "suffix",
    "lyrics",
    "style",
    "prepend",
    "append",
)
FILLED: Final = ("wildcard_text", "populated_text")  # what is filled in, and what came out of it
PARTS: Final = ("DETECTOR", "SEGS")  # types that make a sampler draw parts of a picture again, by words of their own
PROMPT_TITLE: Final = pattern(r"\bprompt\b|positive|subject|\bscene\b")
BESIDE_TITLE: Final = pattern(r"style|quality|\btags?\b|prefix|suffix|trigger|artist|system|template|instruct")
INSTRUCTION: Final = pattern(r"\s*you are (?:an?|the)\b|.*<prompt start>\s*$", re.IGNORECASE | re.DOTALL)
# What people put around every prompt of theirs.
QUALITY: Final = pattern(
    r"masterpiece|(?:best|high|great|good|top|amazing|normal) quality|absurdres|high-?res|very aesthetic|newest|"
    r"(?:ultra|highly|very|extremely|insanely|intricate(?:ly)?) detail(?:ed|s)?|detailed|sharp(?: focus)?|"
    r"photorealistic|(?:4|8|16)k(?: uhd)?|u?hd|hdr|raw photo|professional|realistic|cinematic(?: lighting)?|"
    r"score_\d(?:_up)?|source_\w+|rating_\w+|award[- ]winning|trending on artstation|"
    r"aesthetic|ultra high res|film grain|bokeh|vivid colou?rs|dramatic lighting|soft lighting"
)
SIDES: Final = ("positive", "negative")
Step = tuple[str, int, str]  # node, output, side


class Words:
    """The words of one graph."""

    def __init__(self, graph: Graph, info: ObjectInfo) -> None:
        self.graph = graph
        self.info = info

    def of(self, sampler: str, side: str, seen: set[Step]) -> list[Slot]:
        """Return the texts that lead to one side of a sampler; what is in `seen` was looked behind before."""
        start_side = side
        guider = read_link(inputs_of(self.graph, sampler).get("guider"))
        start = guider[0] if guider and guider[0] in self.graph else sampler
        found = self._sided_texts(start, side)
        waiting = [] if found else list(reversed(self._first_links(start, side)))
        while waiting:
            node, output, side = step = waiting.pop()
            if step in seen or class_of(self.graph, node) in SILENT:
                continue
            seen.add(step)
            side = self._side_of_output(node, output) or side
            texts = self._texts(node, side)
            found += texts
            if not texts:
                waiting += reversed(self._links(node, output, side))  # depth first, in the order of the inputs
        if start_side == "positive" and len(found) > 1:
            found = [slot for slot in found if not is_quality(self._said(slot))] or found
        return found

    def of_all(self, samplers: Iterable[str], side: str) -> tuple[Slot, ...]:
        """Return the texts that lead to one side of samplers; where parts alone are drawn again, their own stay."""
        found: list[Slot] = []
        seen: set[Step] = set()
        for sampler in sorted(samplers, key=self._draws_parts):
            slots = self.of(sampler, side, seen)
            if found and self._draws_parts(sampler):
                words = {self._said(slot) for slot in found}
                slots = [slot for slot in slots if self._said(slot) in words]
            found += slots
        return tuple(dict.fromkeys(found))

    def _draws_parts(self, sampler: str) -> bool:
        kinds = [self.info.type_of(class_of(self.graph, sampler), name) for name in inputs_of(self.graph, sampler)]
        return any(part in kind for kind in kinds for part in PARTS)

    def _said(self, slot: Slot) -> str:
        return str(inputs_of(self.graph, slot.node).get(slot.input) or "")

    def literals(self, node: str, name: str) -> list[Slot]:
        """Return the slots that hold the words of an input, several where a node holds the same words twice."""
        slot = self.literal(node, name)
        if slot is None:
            return []
        words, kinds = self._said(slot), self._string_inputs(slot.node)
        same = [item for item in kinds if words and inputs_of(self.graph, slot.node)[item] == words]
        filled = [item for item in FILLED if slot.input in FILLED and item in kinds]
        return [Slot(node=slot.node, input=item) for item in dict.fromkeys((slot.input, *same, *filled))]

    def literal(self, node: str, name: str) -> Slot | None:
        """Return the slot that holds the words of an input, behind nodes that pass or join words."""
        waiting, seen = [(node, name)], set[tuple[str, str]]()
        while waiting:
            node, name = item = waiting.pop()
            if item in seen or node not in self.graph:
                continue
            seen.add(item)
            value = inputs_of(self.graph, node).get(name)
            link = read_link(value)
            if link is None:
                if isinstance(value, str):
                    return Slot(node=node, input=name)
                continue
            waiting += [(link[0], item) for item in reversed(self._joined(*link))]
        return None

    def _joined(self, node: str, output: int) -> list[str]:
        """Return the inputs of a node by which the prompt comes to one of its outputs, none where several may."""
        values = inputs_of(self.graph, node)
        if any(kind_of_input(self.graph, self.info, node, item) == "IMAGE" for item in values):
            return []  # what it says of a picture is its own; the words it is given are instructions
        inner = self._of_output(node, output, self._string_inputs(node))
        linked = [item for item in inner if read_link(values[item])]
        if len(linked) > 1:
            linked = self._main_of(node, linked)
        if any(self.literal(node, item) for item in linked):
            return linked
        inner = [item for item in inner if not read_link(values[item])]
        named = [item for item in inner if item in TEXT_NAMES] or inner
        if set(FILLED) <= {*named} or len({values[item] for item in named}) == 1:
            return named[:1]
        if len(named) > 1:
            named = [item for item in named if values[item].strip() and not is_quality(values[item])] or named
        # Literals beside a link, or beside one another, are joined to the prompt: none of them is the prompt.
        return named if len(named) == 1 else []

    def _main_of(self, node: str, linked: list[str]) -> list[str]:
        """Return those of several joined texts that are the prompt: by their titles, or their words."""
        places = {item: slot for item in linked if (slot := self.literal(node, item))}
        if len(set(places.values())) < 2:
            return list(places)[:1]
        titles = {item: title_of(self.graph, slot.node).lower() for item, slot in places.items()}
        texts = {item: str(inputs_of(self.graph, slot.node)[slot.input]) for item, slot in places.items()}
        main = [item for item in places if texts[item].strip() and not is_quality(texts[item])]
        main = [item for item in main if not BESIDE_TITLE.search(titles[item])] or main
        if len(main) > 1:
            main = [item for item in main if PROMPT_TITLE.search(titles[item])] or main
        return main if len(main) == 1 else []

    def _of_output(self, node: str, output: int, names: list[str]) -> list[str]:
        """Return those inputs of a node that gives several texts which one of them comes from."""
        outputs = self.info.outputs(class_of(self.graph, node))
        texts = [number for number, (kind, _) in enumerate(outputs) if kind == "STRING"]
        if output not in texts or len(texts) < 2:
            return names
        named, values = outputs[output][1].lower(), inputs_of(self.graph, node)
        if same := [item for item in values if item.lower() == named and self._is_string(node, item)]:
            return same
        if len(names) < 2:
            return names
        if alike := [item for item in names if named.startswith(f"{item.lower()}_")]:
            return alike
        if side := side_of(named):
            return [item for item in names if side_of(item) == side] or names
        return [names[texts.index(output)]] if len(names) == len(texts) else names

    def _first_links(self, start: str, side: str) -> list[Step]:
        links = self._links(start, 0, side)
        if any(name in inputs_of(self.graph, start) for name in SIDES if name == side):
            return links
        inputs = {(read_link(value) or ("", 0)): name for name, value in inputs_of(self.graph, start).items()}
        plain = [link for link in links if self._is_conditioning(start, inputs.get((link[0], link[1]), ""))]
        if side == "negative":  # what has no side is the positive one
            return [link for link in links if link not in plain or side_of(inputs.get((link[0], link[1]), "")) == side]
        return [*plain[:1], *(link for link in links if link not in plain)]

    def _links(self, node: str, output: int, side: str) -> list[Step]:
        """Return the links by which the words of a side come into a node."""
        carrying = [item for item in sources(self.graph, node) if self._carries(node, item[0], output)]
        of_side = [item for item in carrying if side_of(item[0]) == side]
        neutral = [item for item in carrying if not side_of(item[0])]
        return [(source, source_output, side) for _, source, source_output in of_side or neutral]

    def _carries(self, node: str, name: str, output: int) -> bool:
        kind = kind_of_input(self.graph, self.info, node, name)
        outputs = self.info.outputs(class_of(self.graph, node))
        if kind == "*":
            return True
        if name in SIDES or name.startswith("cond") or self._is_conditioning(node, name):
            return True
        is_same = output < len(outputs) and outputs[output][0] == kind and "COND" in kind
        return is_same or any(word in kind for word in CARRIERS)

    def _is_conditioning(self, node: str, name: str) -> bool:
        kind = kind_of_input(self.graph, self.info, node, name)
        return kind == "CONDITIONING" or (not kind and name.startswith("cond"))

    def _side_of_output(self, node: str, output: int) -> str:
        outputs = self.info.outputs(class_of(self.graph, node))
        if not any(side_of(name) == "negative" for name in inputs_of(self.graph, node)) or output >= len(outputs):
            return ""
        if named := side_of(outputs[output][1]):
            return named
        same = [number for number, (kind, _) in enumerate(outputs) if kind == "CONDITIONING"]
        return SIDES[same.index(output)] if output in same[:2] and len(same) > 1 else ""

    def _texts(self, node: str, side: str) -> list[Slot]:
        names = self._string_inputs(node)
        if any(side_of(name) for name in names):
            return self._sided_texts(node, side)
        if any(self._is_conditioning(node, name) for name, _, _ in sources(self.graph, node)):
            return []  # what is said beside words that are encoded already is not the prompt
        return [slot for name in names for slot in self.literals(node, name)]

    def _sided_texts(self, node: str, side: str) -> list[Slot]:
        names = [name for name in self._string_inputs(node) if side_of(name) == side]
        return [slot for name in names for slot in self.literals(node, name)]

    def _string_inputs(self, node: str) -> list[str]:
        """Return the inputs of a node that may carry words, its own or those of another node."""
        inputs = inputs_of(self.graph, node)
        found = [name for name, value in inputs.items() if self._may_be_words(node, name, value)]
        words = {inputs[name] for name in found if isinstance(inputs[name], str)} - {""}
        same = [
            item for item, value in inputs.items() if isinstance(value, str) and value in words and item not in found
        ]
        return [
            *found,
            *(item for item in same if self.info.type_of(class_of(self.graph, node), item) in {"STRING", ""}),
        ]

    def _is_string(self, node: str, name: str) -> bool:
        return kind_of_input(self.graph, self.info, node, name) == "STRING"

    def _may_be_words(self, node: str, name: str, value: object) -> bool:
        class_type = class_of(self.graph, node)
        kind = kind_of_input(self.graph, self.info, node, name)
        if any(word in name.lower() for word in BESIDE):
            return False
        if read_link(value):
            is_word_node = any(kind == "STRING" for kind, _ in self.info.outputs(class_type))
            return kind == "STRING" or (not kind and name in TEXT_NAMES) or (kind == "*" and is_word_node)
        if not isinstance(value, str) or kind not in {"STRING", ""} or (value and not any(map(str.isalnum, value))):
            return False
        return name in TEXT_NAMES or bool(self.info.settings_of(class_type, name).get("multiline"))


def is_quality(text: str) -> bool:
    """Return whether a text says only how well something should be drawn, or instructs a model: not what to draw."""
    if INSTRUCTION.match(text):
        return True
    plain = re.sub(r":?\d\.\d+|[():\[\]]", "", text.lower())
    parts = [part.strip() for part in re.split(r"[,.\n;]", plain)]
    return any(parts) and all(not part or QUALITY.fullmatch(part) for part in parts)


def side_of(name: str) -> str:
    """Return the side that the name of an input or output stands for, empty if none."""
    low = name.lower()
    if low.startswith("neg") or "negative" in low or low.endswith("-"):
        return "negative"
    is_positive = low == "pos" or low.startswith("pos_") or "positive" in low or low.endswith("+")
    return "positive" if is_positive else ""
