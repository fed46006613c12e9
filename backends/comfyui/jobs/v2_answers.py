"""The answers of ComfyUI's API v2, as far as they are read.

Source: recorded answers of comfy-api-proxy 0.1.6 (`tests/data/comfyui/v2`), and the makers' OpenAPI document of v2.
"""

from typing import Any, Final

from pydantic import BaseModel, Field, ValidationError

from backends.comfyui.answers import HistoryEntry, HistoryStatus
from backends.comfyui.graphs.graph import Graph, class_of
from net.answers import read_model

PREVIEW_NODE: Final = "PreviewImage"
PREVIEW_NAME: Final = "ComfyUI_temp_"  # how that node calls its files
MAX_REFUSAL_BYTES: Final = 256 * 1024
HEALTHY: Final = frozenset({"healthy", "ok"})


class Health(BaseModel):
    """`GET /api/v2/health`."""

    status: str

    @property
    def is_good(self) -> bool:
        return self.status in HEALTHY


class Refusal(BaseModel):
    """The form of every answer that is no success."""

    class _Error(BaseModel):
        code: str = Field(min_length=1)
        message: str = ""
        details: dict[str, Any] | None = None

    error: _Error


class Asset(BaseModel):
    """A picture put on the server. The server itself works out the hash, now or later."""

    id: str = Field(min_length=1)
    hash: str | None = None


class JobOutput(BaseModel):
    """One file of a job."""

    id: str = Field(min_length=1)
    name: str = ""
    node_id: str = ""


class ApiJobError(BaseModel):
    message: str = ""
    class_type: str | None = None


class ApiJob(BaseModel):
    """One job. `expired` is also what a proxy says of a job that ComfyUI does not know."""

    id: str = Field(min_length=1)
    status: str
    metadata: Any = None  # what it was sent with: a text of ours
    queue_position: int | None = None
    outputs: list[JobOutput] = []
    error: ApiJobError | None = None

    def as_history(self, graph: Graph) -> HistoryEntry:
        """Return how a finished job ended, as the classic API tells it; `graph` is what ran, empty where not told."""
        outputs: dict[str, dict[str, Any]] = {}
        for output in self.outputs:
            is_preview = output.name.startswith(PREVIEW_NAME) or class_of(graph, output.node_id) == PREVIEW_NODE
            file = {"filename": output.name, "asset": output.id, "type": "temp" if is_preview else "output"}
            outputs.setdefault(output.node_id, {}).setdefault("images", []).append(file)
        return HistoryEntry(prompt=[0, self.id, graph], outputs=outputs, status=self._ended())

    def _ended(self) -> HistoryStatus:
        if self.status == "succeeded":
            return HistoryStatus(status_str="success", completed=True)
        if self.status == "canceled":
            return HistoryStatus(status_str="error", messages=[["execution_interrupted", {}]])
        answer = self.error or ApiJobError()
        died = {"exception_message": answer.message, "node_type": answer.class_type or ""}
        return HistoryStatus(status_str="error", messages=[["execution_error", died]])


class Jobs(BaseModel):
    jobs: list[ApiJob]


class JobGraph(BaseModel):
    """`GET /api/v2/jobs/{id}/workflow`: in the API's format, or as the editor saved it."""

    workflow: dict[str, Any] = {}
    format: str = ""


def refusal_of(body: bytes) -> Refusal | None:
    """Return what the API says where it does not do what was asked, None if these are no words of its."""
    if body.lstrip()[:1] != b"{":
        return None
    try:
        return read_model(Refusal, body)
    except ValidationError:
        return None


def code_of(body: bytes) -> str:
    """Return what the API calls the matter, empty where this is no refusal of its."""
    answer = refusal_of(body) if len(body) <= MAX_REFUSAL_BYTES else None
    return answer.error.code if answer else ""
