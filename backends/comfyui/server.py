"""The calls to one server, each with its limit of size and time, and its failures translated.

Source: recorded answers of ComfyUI 0.33. `/api/jobs` exists only under `/api`; everything else at the root too. No
Origin header is sent: the server answers a strange one with an empty 403.
"""

from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from backends.answers import read_json, read_model
from backends.comfyui.failures import refused
from backends.comfyui.nodes import ObjectInfo
from backends.comfyui.wire import (
    UPLOAD_FOLDER,
    HistoryEntry,
    OutputFile,
    PromptAnswer,
    Queue,
    SystemStats,
    Uploaded,
    client_of,
)
from backends.http import read_bounded, translate
from constants import MAX_IMAGE_BYTES, MAX_VIDEO_BYTES
from generation.errors import BackendUnavailable, GenerationError, RequestRejected, UnexpectedAnswer
from generation.request import SourceImage
from utils.threads import read_apart

CALL_TIMEOUT_S: Final = 30.0
CANCEL_TIMEOUT_S: Final = 4.0
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024  # a queue holds the whole graphs of all users
MAX_INFO_BYTES: Final = 128 * 1024 * 1024  # 0.75 MB without extensions, tens of MB with hundreds of them
INTERRUPT_BY_ID: Final = (0, 3, 56)  # older ones ignore the id and stop whatever runs
RECENT_JOBS: Final = 32
CANCEL_BY_ID: Final = (0, 25)

Answer = TypeVar("Answer", bound=BaseModel)


class Server:
    """One server, as calls. Every failure is one of our errors."""

    def __init__(self, label: str, client: httpx.AsyncClient) -> None:
        self._label = label
        self._client = client

    async def stats(self) -> SystemStats:
        return await self._read(SystemStats, "/system_stats")

    async def object_info(self) -> ObjectInfo:
        """Return what the nodes are; a slow call, since the server asks each node anew."""
        body = await self._get("/object_info", limit=MAX_INFO_BYTES)
        told = await read_apart(self._parse, body)
        if not isinstance(told, dict) or "KSampler" not in told:
            raise UnexpectedAnswer(
                f"{self._label} does not say what it can do.", hint="Check that the address belongs to ComfyUI."
            )
        return ObjectInfo(told)

    async def queue(self) -> Queue:
        return await self._read(Queue, "/queue")

    async def history(self, prompt_id: str) -> HistoryEntry | None:
        """Return a finished job, None for one that is waiting, running or unknown."""
        body = await self._get(f"/history/{quote(prompt_id, safe='')}")
        told = await read_apart(self._parse, body)
        entry = told.get(prompt_id) if isinstance(told, dict) else None
        if entry is None:
            return None
        try:
            return HistoryEntry.model_validate(entry)
        except ValidationError as error:
            raise translate(self._label, error, may_have_run=True) from error

    async def sent_by(self, client_id: str) -> str | None:
        """Return the id of a job that has ended lately, by the client that sent it; None where no list is given."""
        try:
            told = await read_apart(self._parse, await self._get(f"/history?max_items={RECENT_JOBS}"))
        except BackendUnavailable:
            raise
        except GenerationError:  # a proxy that lets only some paths through, or graphs too large to look at
            return None
        for prompt_id, entry in told.items() if isinstance(told, dict) else ():
            item = entry.get("prompt") if isinstance(entry, dict) else None
            if client_of(item) == client_id:
                return str(prompt_id)
        return None

    async def prompt(self, content: bytes) -> PromptAnswer:
        """Queue a job."""
        headers = {"Content-Type": "application/json"}
        response, body = await self._call("POST", "/prompt", content=content, headers=headers)
        if not response.is_success:
            raise refused(self._label, response, body)
        try:
            return read_model(PromptAnswer, body)
        except ValidationError as error:
            raise translate(self._label, error, may_have_run=True) from error

    async def embeddings(self) -> list[str]:
        """Return the embeddings' names, none where the server cannot tell them."""
        response, body = await self._call("GET", "/embeddings")
        try:
            told = read_json(body) if response.is_success else None
        except ValueError:
            told = None
        return [name for name in told if isinstance(name, str) and name] if isinstance(told, list) else []

    async def upload(self, image: SourceImage) -> str:
        """Put a picture into the server's temporary folder; return how a LoadImage node names it.

        Its name is a hash of its bytes, so the same picture is there once, and no other has that name.
        """
        data, name = image.data, image.media_id
        suffix = "png" if data.startswith(b"\x89PNG") else "jpg" if data.startswith(b"\xff\xd8") else "webp"
        response, body = await self._call(
            "POST",
            "/upload/image",
            files={"image": (f"{name[:32]}.{suffix}", data, f"image/{suffix}")},
            data={"subfolder": UPLOAD_FOLDER, "type": "temp", "overwrite": "true"},
        )
        if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            raise RequestRejected(
                f"The picture is too large for {self._label}.", field="image", hint="Send a smaller one."
            )
        if not response.is_success:
            raise translate(self._label, response, body=body)
        try:
            return read_model(Uploaded, body).reference
        except ValidationError as error:
            raise translate(self._label, error) from error

    async def view(self, file: OutputFile) -> bytes:
        """Return one file of a finished job.

        Raises:
            BackendUnavailable: it was removed. A graph that was drawn before gives the old file's name again, so the
                server is told to forget what it remembers: the next run draws anew.
        """
        params = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        limit = MAX_VIDEO_BYTES if file.is_video else MAX_IMAGE_BYTES
        try:
            response, body = await self._call("GET", "/view", params=params, limit=limit)
        except BackendUnavailable:  # it is drawn: a file lost on the way is asked for again, not drawn again
            response, body = await self._call("GET", "/view", params=params, limit=limit)
        if response.status_code == httpx.codes.NOT_FOUND:
            await self._call("POST", "/free", json={"free_memory": True})
            raise BackendUnavailable(
                f"The finished picture is gone from {self._label}.", detail="404 from /view", hint="Run it again."
            )
        if not response.is_success:
            raise translate(self._label, response, body=body)
        return body

    async def cancel(self, prompt_id: str, version: tuple[int, ...]) -> None:
        """Cancel one job by the best means this version has; never anybody else's job."""
        if version >= CANCEL_BY_ID:
            response, body = await self._call("POST", f"/api/jobs/{quote(prompt_id, safe='')}/cancel", is_brief=True)
            if response.is_success:
                return
            if response.status_code not in {404, 405}:  # a proxy may let only some paths through
                raise translate(self._label, response, body=body)
        await self._post("/queue", {"delete": [prompt_id]})
        if (await self.queue()).running(prompt_id) is not None:
            await self._post("/interrupt", {"prompt_id": prompt_id} if version >= INTERRUPT_BY_ID else {})

    async def _post(self, path: str, content: dict[str, Any]) -> None:
        response, body = await self._call("POST", path, json=content, is_brief=True)
        if not response.is_success:
            raise translate(self._label, response, body=body)

    async def _read(self, model: type[Answer], path: str) -> Answer:
        body = await self._get(path)
        try:
            return await read_apart(partial(read_model, model), body)
        except ValidationError as error:
            raise translate(self._label, error) from error

    async def _get(self, path: str, limit: int = MAX_ANSWER_BYTES) -> bytes:
        response, body = await self._call("GET", path, limit=limit)
        if not response.is_success:
            raise translate(self._label, response, body=body)
        return body

    def _parse(self, body: bytes) -> Any:
        try:
            return read_json(body)
        except ValueError as error:
            raise translate(self._label, error) from error

    async def _call(
        self, method: str, path: str, *, limit: int = MAX_ANSWER_BYTES, is_brief: bool = False, **sent: Any
    ) -> tuple[httpx.Response, bytes]:
        timeout = httpx.Timeout(CANCEL_TIMEOUT_S if is_brief else CALL_TIMEOUT_S, connect=CANCEL_TIMEOUT_S)
        try:
            async with self._client.stream(method, path, timeout=timeout, **sent) as response:
                return response, await read_bounded(response, limit)
        except GenerationError:
            raise
        except (httpx.HTTPError, ValueError) as error:
            raise translate(self._label, error) from error
