"""Progress of a job: what ComfyUI's websocket tells of it.

Source: recorded sessions of ComfyUI 0.33. Only progress and previews come from here; whether a job is done is decided
by the history. Messages of other people's jobs arrive too, so each is looked at for its prompt id. Anything unknown
comes from extensions and is passed over.
"""

import base64
import json
import struct
from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, class_of, samplers
from generation.job import Progress
from net.answers import read_json
from texts.text import _

MAX_PREVIEW_BYTES: Final = 1024 * 1024
PREVIEW_IMAGE: Final = 1
PREVIEW_WITH_METADATA: Final = 4
JPEG_FORMAT: Final = 1
JPEG_START: Final = b"\xff\xd8\xff"
OVER: Final = frozenset({"succeeded", "failed", "canceled", "expired"})
LOADERS: Final = ("CheckpointLoaderSimple", "UNETLoader", "DualCLIPLoader", "TripleCLIPLoader")
HELLO: Final = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class FrameReader:
    """Turns the frames of one job's websocket into its progress."""

    def __init__(self, prompt_id: str) -> None:
        self.prompt_id = prompt_id
        self.has_started = False
        self.is_over = False
        self.progress = Progress()
        self._graph: Graph = {}
        self._samplers: frozenset[str] = frozenset()
        self._done: dict[str, float] = {}
        self._node: str | None = None  # the one that runs now, of our own job
        self._preview: bytes | None = None

    def know(self, graph: Graph) -> None:
        """Learn the graph: progress is counted in its samplers, which take nearly all of the time."""
        self._graph = graph
        self._samplers = frozenset(samplers(graph))

    def read_text(self, text: str) -> bool:
        """Read a text frame; return whether it says anything new of our job."""
        try:
            message = read_json(text)
        except ValueError:
            return False
        data = message.get("data") if isinstance(message, dict) else None
        if not isinstance(data, dict) or data.get("prompt_id") != self.prompt_id:
            return False
        kind = message.get("type")
        if kind == "executing":
            self._read_executing(data.get("node"))
        elif kind == "progress":
            self._read_progress(str(data.get("node")), data)
        elif kind == "execution_cached":
            nodes = data.get("nodes")
            self._done |= {str(node): 1.0 for node in nodes} if isinstance(nodes, list) else {}
            self._tell()
        else:
            return False
        self.has_started = True
        return True

    def read_binary(self, frame: bytes) -> bool:
        """Read a binary frame; return whether it is a preview of our job."""
        if not 8 < len(frame) <= MAX_PREVIEW_BYTES:
            return False
        kind, number = struct.unpack(">II", frame[:8])
        if kind == PREVIEW_IMAGE and number == JPEG_FORMAT and self._node is not None:
            picture = frame[8:]
        elif kind == PREVIEW_WITH_METADATA and self._is_ours(frame[8 : 8 + number]):
            picture = frame[8 + number :]
        else:
            return False
        if not picture.startswith(JPEG_START):
            return False
        self._preview = picture
        self._tell(self.progress.step, self.progress.steps)
        return True

    def read_event(self, kind: str, data: dict[str, Any]) -> bool:
        """Read an event of our job's own stream, as API v2 sends them; return whether it says anything new."""
        if kind == "progress":
            self._read_progress(str(data.get("current_node")), {"value": data.get("step"), "max": data.get("steps")})
        elif kind == "preview" and isinstance(data.get("data_base64"), str):
            return self._read_picture(data["data_base64"])
        elif kind == "status":
            self.is_over = data.get("status") in OVER
            return self.is_over
        else:
            return False
        self.has_started = True
        return True

    def _read_picture(self, text: str) -> bool:
        if len(text) > MAX_PREVIEW_BYTES * 4 // 3:
            return False
        try:
            picture = base64.b64decode(text, validate=True)
        except ValueError:
            return False
        if not picture.startswith(JPEG_START):
            return False
        self.has_started = True
        self._preview = picture
        self._tell(self.progress.step, self.progress.steps)
        return True

    def _is_ours(self, metadata: bytes) -> bool:
        try:
            answer = read_json(metadata)
        except ValueError:
            return False
        return isinstance(answer, dict) and answer.get("prompt_id") == self.prompt_id

    def _read_executing(self, node: object) -> None:
        if self._node is not None:
            self._done[self._node] = 1.0
        self._node = None if node is None else str(node)
        self.is_over = node is None
        self._tell()

    def _read_progress(self, node: str, data: dict[str, Any]) -> None:
        value, most = data.get("value"), data.get("max")
        if not isinstance(value, int | float) or not isinstance(most, int | float) or most <= 0:
            return
        self._node = node
        self._done[node] = min(1.0, max(0.0, value / most))
        self._tell(int(value), int(most))

    def _tell(self, step: int | None = None, steps: int | None = None) -> None:
        counted = self._samplers or frozenset({self._node} if self._node else ())
        done = sum(self._done.get(node, 0.0) for node in counted) / len(counted) if counted else 0.0
        loads = self._node is not None and class_of(self._graph, self._node) in LOADERS
        self.progress = Progress(
            fraction=max(self.progress.fraction, done),
            step=step,
            steps=steps,
            preview=self._preview,
            note=_("loading the model") if loads else "",
        )
