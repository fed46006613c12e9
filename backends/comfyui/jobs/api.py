"""Operations on jobs of one server, by whichever of ComfyUI's two APIs it answers."""

from dataclasses import field
from typing import Protocol

from backends.comfyui.answers import HistoryEntry, OutputFile
from backends.comfyui.graphs.graph import Graph
from backends.comfyui.news.watch import NewsSource
from generation.errors import UnexpectedAnswer
from generation.request import SourceImage
from lazy import dataclass


class ApiGone(UnexpectedAnswer):
    """The server does not answer by this API any more."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The state of a job. `ahead`: how many jobs come before it while it waits; `graph`: where it is told."""

    is_finished: bool = False
    is_running: bool = False
    ahead: int = 0
    graph: Graph = field(default_factory=dict, repr=False)


class JobApi(Protocol):
    """Jobs on one server. Every failure is one of our errors, `ApiGone` where there is no such API."""

    takes_ids: bool  # whether a job has the id that we give it: then it is listened to before it is sent

    def new_intent(self) -> str:
        """Return what a job is sent with, and looked for by where the answer went missing."""
        ...

    async def submit(self, graph: Graph, intent: str, preview: str) -> str:
        """Queue a job once, and return its id.

        Raises:
            BackendUnavailable: `may_have_run` tells whether it may be there all the same.
            CapabilityError, RequestRejected: the server finds a mistake in the graph.
        """
        ...

    async def find(self, intent: str) -> str | None:
        """Return the id of a job by what it was sent with, None where the server never took it."""
        ...

    async def standing(self, job_id: str) -> Standing | None:
        """Return where a job stands, None where the server does not know it (just now, perhaps)."""
        ...

    async def outcome(self, job_id: str) -> HistoryEntry | None:
        """Return how a finished job ended, and its files; None where the server does not know it."""
        ...

    async def view(self, file: OutputFile) -> bytes:
        """Return one file of a finished job."""
        ...

    async def upload(self, image: SourceImage) -> str:
        """Put a picture on the server; return what stands for it in a graph."""
        ...

    async def cancel(self, job_id: str) -> None:
        """Take a job out of the queue, or stop it if it runs; never anybody else's."""
        ...

    def source(self, job_id: str) -> NewsSource:
        """Return where the news of a job come from."""
        ...
