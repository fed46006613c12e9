"""The calls of ComfyUI's own ("classic") API to one server.

Source: recorded answers of ComfyUI 0.33. `/api/jobs` exists only under `/api`; everything else at the root too. No
Origin header is sent: the server answers a strange one with an empty 403.
"""

from typing import Any, Final
from urllib.parse import quote

import httpx

from backends.comfyui.answers import (
    UPLOAD_FOLDER,
    Devices,
    HistoryEntry,
    OutputFile,
    PromptAnswer,
    Queue,
    SystemStats,
    Uploaded,
    client_of,
)
from backends.comfyui.errors import refused, upload_refused
from backends.comfyui.graphs.nodes import ObjectInfo
from constants import MAX_IMAGE_BYTES, MAX_VIDEO_BYTES
from generation.errors import BackendUnavailable, GenerationError, UnexpectedAnswer
from generation.request import SourceImage
from net.answers import read_json
from net.calls import JSON, Calls, Refusal, read_as, translated
from net.reply import Reply
from texts.text import _

CALL_TIMEOUT_S: Final = 30.0
BRIEF_TIMEOUT_S: Final = 4.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024  # a queue holds the whole graphs of all users
MAX_INFO_BYTES: Final = 128 * 1024 * 1024  # 0.75 MB without extensions, tens of MB with hundreds of them
INTERRUPT_BY_ID: Final = (0, 3, 56)  # older ones ignore the id and stop whatever runs
RECENT_JOBS: Final = 32
CANCEL_BY_ID: Final = (0, 25)


def calls_to(label: str, client: httpx.AsyncClient, refusal: Refusal | None = None) -> Calls:
    timeout = httpx.Timeout(CALL_TIMEOUT_S, connect=BRIEF_TIMEOUT_S)
    return Calls(label, client, refusal=refusal, limit=MAX_ANSWER_BYTES, timeout=timeout)


class ComfyServer:
    """One server, as calls. Every failure is one of our errors."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._label = calls.label

    async def stats(self) -> SystemStats:
        return await self._calls.read(SystemStats, "/system_stats")

    async def devices(self) -> Devices:
        return await self._calls.read(Devices, "/system_stats", timeout=BRIEF_TIMEOUT_S)

    async def object_info(self) -> ObjectInfo:
        """Return what the nodes are; a slow call, since the server asks each node again."""
        answer = await self._calls.parse(await self._calls.fetch("GET", "/object_info", limit=MAX_INFO_BYTES))
        if not isinstance(answer, dict) or "KSampler" not in answer:
            raise UnexpectedAnswer(
                _("{label} does not say what it can do.", label=self._label),
                hint=_("Check that the address belongs to ComfyUI."),
            )
        return ObjectInfo(answer)

    async def queue(self) -> Queue:
        return await self._calls.read(Queue, "/queue")

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        """Return a finished job, None for one that is waiting, running or unknown."""
        answer = await self._calls.parse(await self._calls.fetch("GET", f"/history/{quote(prompt_id, safe='')}"))
        entry = answer.get(prompt_id) if isinstance(answer, dict) else None
        with translated(self._label, may_have_run=True):
            return None if entry is None else HistoryEntry.model_validate(entry)

    async def sent_by(self, client_id: str) -> str | None:
        """Return the id of a job that has ended lately, by the client that sent it; None where no list is given."""
        try:
            answer = await self._calls.parse(await self._calls.fetch("GET", f"/history?max_items={RECENT_JOBS}"))
        except BackendUnavailable:
            raise
        except GenerationError:  # a proxy that lets only some paths through, or graphs too large to look at
            return None
        for prompt_id, entry in answer.items() if isinstance(answer, dict) else ():
            item = entry.get("prompt") if isinstance(entry, dict) else None
            if client_of(item) == client_id:
                return str(prompt_id)
        return None

    async def prompt(self, content: bytes) -> PromptAnswer:
        """Queue a job."""
        reply = await self._calls.call("POST", "/prompt", content=content, headers=JSON)
        if not reply.is_success:
            raise refused(self._label, reply)
        return read_as(self._label, PromptAnswer, reply.body, may_have_run=True)

    async def embeddings(self) -> list[str]:
        """Return the embeddings' names, none where the server cannot tell them."""
        reply = await self._calls.call("GET", "/embeddings")
        try:
            answer = read_json(reply.body) if reply.is_success else None
        except ValueError:
            answer = None
        return [name for name in answer if isinstance(name, str) and name] if isinstance(answer, list) else []

    async def upload(self, image: SourceImage) -> str:
        """Put a picture into the server's temporary folder; return how a LoadImage node names it.

        Its name is a hash of its bytes, so the same picture is there once, and no other has that name.
        """
        name, kind = upload_name(image)
        reply = await self._calls.call(
            "POST",
            "/upload/image",
            files={"image": (name, image.data, kind)},
            data={"subfolder": UPLOAD_FOLDER, "type": "temp", "overwrite": "true"},
        )
        if not reply.is_success:
            raise upload_refused(self._label, reply)
        return read_as(self._label, Uploaded, reply.body).reference

    async def view(self, file: OutputFile) -> bytes:
        """Return one file of a finished job.

        Raises:
            BackendUnavailable: it was removed. A graph that was drawn before gives the old file's name again, so the
                server is told to forget what it remembers: the next run draws again.
        """
        params = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        reply = await fetched(self._calls, "/view", file, params=params)
        if reply.status == httpx.codes.NOT_FOUND:
            await self._calls.call("POST", "/free", json={"free_memory": True})
            raise BackendUnavailable(
                _("The finished picture is gone from {label}.", label=self._label),
                detail="404 from /view",
                hint=_("Run it again."),
            )
        if not reply.is_success:
            raise self._calls.refused(reply)
        return reply.body

    async def cancel(self, prompt_id: str, version: tuple[int, ...]) -> None:
        """Cancel one job by the best means this version has; never anybody else's job."""
        if version >= CANCEL_BY_ID:
            path = f"/api/jobs/{quote(prompt_id, safe='')}/cancel"
            reply = await self._calls.call("POST", path, timeout=BRIEF_TIMEOUT_S)
            if reply.is_success:
                return
            if reply.status not in {404, 405}:  # a proxy may let only some paths through
                raise self._calls.refused(reply)
        await self._post("/queue", {"delete": [prompt_id]})
        if (await self.queue()).running(prompt_id) is not None:
            await self._post("/interrupt", {"prompt_id": prompt_id} if version >= INTERRUPT_BY_ID else {})

    async def _post(self, path: str, content: dict[str, Any]) -> None:
        reply = await self._calls.call("POST", path, json=content, timeout=BRIEF_TIMEOUT_S)
        if not reply.is_success:
            raise self._calls.refused(reply)


def upload_name(image: SourceImage) -> tuple[str, str]:
    """Return the name of a picture on the server, made of a hash of its bytes, and its media type."""
    data = image.data
    other = "jpg" if data.startswith(b"\xff\xd8") else "webp"
    suffix = "png" if data.startswith(b"\x89PNG") else other
    return f"{image.media_id[:32]}.{suffix}", f"image/{suffix}"


async def fetched(calls: Calls, path: str, file: OutputFile, **sent: Any) -> Reply:
    """Return the answer to a call for a file; one lost on the way is asked for again, not drawn again."""
    limit = MAX_VIDEO_BYTES if file.is_video else MAX_IMAGE_BYTES
    try:
        return await calls.call("GET", path, limit=limit, **sent)
    except BackendUnavailable:
        return await calls.call("GET", path, limit=limit, **sent)
