"""The server's answers, as far as we read them.

Source: recorded answers of ComfyUI 0.33 (`tests/data/comfyui`).
"""

from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import BaseModel, Field

from backends.base import DeviceMemory
from backends.comfyui.graphs.graph import Graph, read_graph, seed_of
from lazy import dataclass

FILE_LISTS: Final = ("images", "gifs", "video", "videos", "audio")  # "gifs" and "video" are those of third-party nodes
MAX_FILES: Final = 100  # of one job; more than anybody asks for
UPLOAD_FOLDER: Final = "easel"  # of input pictures, in the temporary folder
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
VIDEOS: Final = frozenset({".mp4", ".webm"})


class SystemStats(BaseModel):
    """`GET /system_stats`: what tells ComfyUI from another product."""

    class _System(BaseModel):
        comfyui_version: str = ""

    system: _System


class _Device(BaseModel):
    name: str = ""
    type: str = ""
    vram_total: int = Field(gt=0)
    vram_free: int = Field(ge=0)


class Devices(BaseModel):
    """`GET /system_stats`, what the server draws on."""

    devices: list[_Device] = []

    def memory(self) -> tuple[DeviceMemory, ...]:
        return tuple(
            DeviceMemory(device=each.name, total_bytes=each.vram_total, free_bytes=each.vram_free)
            for each in self.devices
            if each.type != "cpu"
        )


class PromptAnswer(BaseModel):
    """`POST /prompt` with success: that at least one branch of the graph is valid."""

    prompt_id: str = Field(min_length=1)
    node_errors: dict[str, Any] | list[Any] = {}


class Uploaded(BaseModel):
    """`POST /upload/image`: the name to use, which need not be the one that was asked for."""

    name: str = Field(min_length=1)
    subfolder: str = ""
    type: str = "input"

    @property
    def reference(self) -> str:
        """Return the name as an input of LoadImage."""
        path = f"{self.subfolder}/{self.name}" if self.subfolder else self.name
        return path if self.type == "input" else f"{path} [{self.type}]"


def client_of(item: Any) -> str | None:
    """Return who sent a job, by its item of the queue or the history."""
    extra = item[3] if isinstance(item, list) and len(item) > 3 else None
    client_id = extra.get("client_id") if isinstance(extra, dict) else None
    return client_id if isinstance(client_id, str) else None


class Queue(BaseModel):
    """`GET /queue`: `[number, prompt id, graph, extra data, output nodes]` of everybody's jobs."""

    queue_running: list[list[Any]] = []
    queue_pending: list[list[Any]] = []

    def running(self, prompt_id: str) -> list[Any] | None:
        return next((item for item in self.queue_running if len(item) > 1 and item[1] == prompt_id), None)

    def sent_by(self, client_id: str) -> str | None:
        """Return the id of the job that this client sent."""
        items = (*self.queue_running, *self.queue_pending)
        return next((str(item[1]) for item in items if client_of(item) == client_id), None)

    def position(self, prompt_id: str) -> int | None:
        """Return how many pending jobs come before this one; the list itself is a heap, not in order."""
        waiting = sorted(
            (item for item in self.queue_pending if len(item) > 1 and isinstance(item[0], int | float)),
            key=lambda item: item[0],
        )
        return next((n for n, item in enumerate(waiting) if item[1] == prompt_id), None)


class HistoryStatus(BaseModel):
    status_str: str = ""
    completed: bool = False
    messages: list[list[Any]] = []

    def message(self, kind: str) -> dict[str, Any] | None:
        for entry in self.messages:
            if len(entry) > 1 and entry[0] == kind and isinstance(entry[1], dict):
                return entry[1]
        return None


class HistoryEntry(BaseModel):
    """One finished job of `GET /history/{id}`."""

    prompt: Any = None  # as an item of the queue; only its graph is read
    outputs: dict[str, dict[str, Any]] = {}
    status: HistoryStatus | None = None

    @property
    def graph(self) -> Graph:
        return read_graph(self.prompt[2] if isinstance(self.prompt, list) and len(self.prompt) > 2 else {})


class OutputFile(BaseModel):
    filename: str = Field(min_length=1)
    subfolder: str = ""
    type: str = "output"
    asset: str = ""  # what API v2 calls it by

    @property
    def is_video(self) -> bool:
        return PurePosixPath(self.filename).suffix.lower() in VIDEOS

    @property
    def is_shown(self) -> bool:
        """Return whether people can look at it where they asked for it."""
        return self.is_video or PurePosixPath(self.filename).suffix.lower() in PICTURES


@dataclass(frozen=True, kw_only=True)
class Output:
    """One file a job made, and the seed it came from."""

    file: OutputFile
    seed: int | None


def read_outputs(entry: HistoryEntry) -> list[Output]:
    """Return the files of a finished job, in the order of the graph's nodes.

    What was saved wins over what was only previewed; where nothing was saved, the previews are the result.
    """
    graph = entry.graph
    order = [*graph, *(node for node in entry.outputs if node not in graph)]
    listed = [(node, file) for node in order for file in _files(entry.outputs.get(node, {}))][:MAX_FILES]
    seeds = {node: seed_of(graph, node) for node in dict.fromkeys(node for node, _ in listed)}
    found = [Output(file=OutputFile.model_validate(item), seed=seeds[node]) for node, item in listed]
    saved = [output for output in found if output.file.type != "temp"]
    return saved or found


def _files(answer: dict[str, Any]) -> list[dict[str, Any]]:
    lists = [answer[kind] for kind in FILE_LISTS if isinstance(answer.get(kind), list)]
    return [item for listed in lists for item in listed if isinstance(item, dict) and item.get("filename")]
