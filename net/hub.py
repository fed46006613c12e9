"""The Hugging Face hub: the files of a model with sizes and hashes, and fetching one, resumed where it broke off.

Source: the hub's own documentation, "Hub API endpoints" (`/api/models/{repo}/revision/{revision}?blobs=true` with
`lfs.sha256` and `blobId`) and "Downloading files" (`/{repo}/resolve/{revision}/{path}` redirects and takes ranges).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

import httpx
from pydantic import BaseModel

from constants import APP_NAME, VERSION
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, GenerationError, RequestRejected
from lazy import dataclass
from net.guard import owners_transport, trusted_authorities
from texts.text import _

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 60.0
CONNECT_TIMEOUT_S: Final = 15.0
ATTEMPTS: Final = 6  # in a row that bring nothing
WAIT_S: Final = 1.0  # before the second, then twice as long each time
MOST_FILES: Final = 2000

OnBytes = Callable[[int], None]
Sleep = Callable[[float], Awaitable[None]]


class _Lfs(BaseModel):
    sha256: str = ""
    size: int = 0


class _Sibling(BaseModel):
    rfilename: str
    size: int | None = None
    blobId: str = ""
    lfs: _Lfs | None = None


class _Revision(BaseModel):
    sha: str
    siblings: list[_Sibling] = []


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """A file of a model. `blob` is the name of its content: a SHA-256, or for small files the hash that git gives."""

    path: str
    size: int
    blob: str


@dataclass(frozen=True, kw_only=True)
class HubModel:
    """The files of a model at one commit."""

    repo: str
    commit: str
    files: tuple[HubFile, ...]


class ModelHub:
    """Calls to a hub.

    Args:
        url: its address.
        token: sent to it alone, not to where it redirects.
        transport: for tests; replaces the network.
        sleep: waits between two attempts.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        headers = {"User-Agent": f"{APP_NAME}/{VERSION}", "Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        transport = transport or owners_transport()
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            headers=headers,
            transport=transport,
            verify=trusted_authorities() if transport is None else True,  # a transport has its own
            timeout=httpx.Timeout(TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            follow_redirects=True,
        )
        self._sleep = sleep

    async def model(self, repo: str, revision: str = "") -> HubModel:
        """Return the files of a model at a commit, of the newest where none is named.

        Raises:
            GenerationError: there is no such model, or the hub does not answer.
        """
        try:
            path = f"/api/models/{repo}/revision/{revision or 'main'}"
            answer = await self._client.get(path, params={"blobs": "true"})
            if answer.status_code != 200:
                raise _refusal(answer.status_code, repo)
            found = _Revision.model_validate_json(answer.content)
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        except ValueError as error:
            raise BackendError(_("The hub gave an answer that cannot be read."), detail=str(error)) from error
        files = tuple(_file(item) for item in found.siblings[:MOST_FILES])
        return HubModel(repo=repo, commit=found.sha, files=files)

    async def fetch(self, model: HubModel, file: HubFile, target: Path, on_bytes: OnBytes) -> None:
        """Fetch one file into `target`, going on behind what is there already; `on_bytes` gets how many came.

        Raises:
            GenerationError: it cannot be had, or its content is not what the hub says it is.
            OSError: it cannot be written.
        """
        failures = 0
        while True:
            before = await asyncio.to_thread(_size, target)
            try:
                if before < file.size or not file.size:
                    await self._fetch_on(model, file, target, before, on_bytes)
                if await asyncio.to_thread(_size, target) >= file.size:
                    break
                raise httpx.RemoteProtocolError("cut off")  # no text: for the log
            except httpx.TransportError as error:
                failures = failures + 1 if await asyncio.to_thread(_size, target) == before else 1
                log.info("%s broke off: %s", file.path, error, extra={"action": "pull_resumed", "file": file.path})
                if failures >= ATTEMPTS:
                    raise _unreachable(error) from error
                await self._sleep(WAIT_S * 2 ** (failures - 1))
        if not await asyncio.to_thread(is_whole, target, file.blob):
            await asyncio.to_thread(target.unlink)
            raise BackendError(
                _("{name} came damaged, and was thrown away.", name=file.path), hint=_("Fetch the model again.")
            )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _fetch_on(self, model: HubModel, file: HubFile, target: Path, begin: int, on_bytes: OnBytes) -> None:
        headers = {"Range": f"bytes={begin}-"} if begin else {}
        path = f"/{model.repo}/resolve/{model.commit}/{file.path}"
        async with self._client.stream("GET", path, headers=headers) as answer:
            if answer.status_code >= 500 or answer.status_code == 429:
                raise httpx.ReadError(f"HTTP {answer.status_code}")  # no text: for the log
            if answer.status_code not in (200, 206):
                raise _refusal(answer.status_code, model.repo)
            is_whole_again = answer.status_code == 200 and begin > 0
            if is_whole_again:
                on_bytes(-begin)
            with await asyncio.to_thread(_opened, target, "wb" if is_whole_again else "ab") as out:
                async for part in answer.aiter_raw():
                    await asyncio.to_thread(out.write, part)
                    on_bytes(len(part))


def is_whole(path: Path, blob: str) -> bool:
    """Return whether a file has the content that its name stands for. Reads all of it: blocks."""
    try:
        size = path.stat().st_size
        digest: Any = sha256() if len(blob) == 64 else sha1(b"blob %d\0" % size, usedforsecurity=False)
        with path.open("rb") as file:
            while part := file.read(1024 * 1024):
                digest.update(part)
    except OSError:
        return False
    return bool(digest.hexdigest() == blob)


def _file(item: _Sibling) -> HubFile:
    size = item.lfs.size if item.lfs else item.size
    return HubFile(path=item.rfilename, size=size or 0, blob=item.lfs.sha256 if item.lfs else item.blobId)


def _refusal(status: int, repo: str) -> GenerationError:
    if status in (401, 403):
        return BackendAuthError(
            _("The hub gives {repo} only to who has agreed to its terms there.", repo=repo),
            hint=_("Agree on the model’s page at the hub, make a token there, and set HF_TOKEN."),
        )
    if status == 404:
        return RequestRejected(_("The hub has no {repo}, or not at that commit.", repo=repo), field="model")
    return BackendUnavailable(_("The hub answers with HTTP {status}.", status=status))


def _unreachable(error: Exception) -> BackendUnavailable:
    return BackendUnavailable(
        _("The hub cannot be reached, or breaks off again and again."),
        detail=str(error),
        hint=_("Run the same command again: it goes on where it stopped."),
    )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _opened(path: Path, mode: str) -> BinaryIO:
    return path.open(mode)  # type: ignore[return-value]
