"""Find the inputs that hold the words of one side of a sampler, by what nodes are: `/object_info` and the links."""

from typing import Final

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link, sources
from backends.comfyui.graphs.nodes import ObjectInfo

TEXT_NAMES: Final = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt", "string", "value")
SILENT: Final = frozenset({"ConditioningZeroOut"})  # what comes out says nothing, whatever went in
CARRIERS: Final = ("PIPE", "CONTEXT", "CTX", "EMBED", "COND")  # types that bring the words along
BESIDE: Final = ("system", "template", "delimiter", "separator", "prefix", "suffix")
SIDES: Final = ("positive", "negative")
Step = tuple[str, int, str]  # node, output, side


class Words:
    """The words of one graph."""

    def __init__(self, graph: Graph, info: ObjectInfo) -> None:
        self.graph = graph
        self.info = info

    def of(self, sampler: str, side: str, seen: set[Step]) -> list[Slot]:
        """Return the texts that lead to one side of a sampler; what is in `seen` was looked behind before."""
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
        return found

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
            inner = self._string_inputs(link[0])
            linked = [item for item in inner if read_link(inputs_of(self.graph, link[0])[item])]
            plain = [item for item in inner if item not in linked]
            named = [item for item in plain if item in TEXT_NAMES] or plain
            # Literals beside a link, or beside one another, are joined to the prompt: none of them is the prompt.
            chosen = linked or (named if len(named) == 1 else [])
            waiting += [(link[0], item) for item in reversed(chosen)]
        return None

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
        kind = self.info.type_of(class_of(self.graph, node), name)
        outputs = self.info.outputs(class_of(self.graph, node))
        if kind == "*":
            return True
        if name in SIDES or name.startswith("cond") or self._is_conditioning(node, name):
            return True
        is_same = output < len(outputs) and outputs[output][0] == kind and "COND" in kind
        return is_same or any(word in kind for word in CARRIERS)

    def _is_conditioning(self, node: str, name: str) -> bool:
        kind = self.info.type_of(class_of(self.graph, node), name)
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
        return [slot for name in names if (slot := self.literal(node, name))]

    def _sided_texts(self, node: str, side: str) -> list[Slot]:
        names = [name for name in self._string_inputs(node) if side_of(name) == side]
        return [slot for name in names if (slot := self.literal(node, name))]

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

    def _may_be_words(self, node: str, name: str, value: object) -> bool:
        class_type = class_of(self.graph, node)
        kind = self.info.type_of(class_type, name)
        if any(word in name.lower() for word in BESIDE):
            return False
        if read_link(value):
            is_word_node = any(kind == "STRING" for kind, _ in self.info.outputs(class_type))
            return kind == "STRING" or (not kind and name in TEXT_NAMES) or (kind == "*" and is_word_node)
        if not isinstance(value, str) or kind not in {"STRING", ""} or (value and not any(map(str.isalnum, value))):
            return False
        return name in TEXT_NAMES or bool(self.info.settings_of(class_type, name).get("multiline"))


def side_of(name: str) -> str:
    """Return the side that the name of an input or output stands for, empty if none."""
    low = name.lower()
    if low.startswith("neg") or "negative" in low or low.endswith("-"):
        return "negative"
    return "positive" if low in {"pos", "positive"} or "positive" in low or low.endswith("+") else ""
