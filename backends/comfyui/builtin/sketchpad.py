"""A graph being drawn up, node by node."""

from typing import Any

from backends.comfyui.graphs.graph import Graph


class Sketchpad:
    """Gives nodes their ids: numbers, as older web interfaces want."""

    def __init__(self) -> None:
        self.graph: Graph = {}

    def add(self, class_type: str, **inputs: Any) -> str:
        """Add a node and return its id."""
        node = str(len(self.graph) + 1)
        self.graph[node] = {"class_type": class_type, "inputs": inputs}
        return node
