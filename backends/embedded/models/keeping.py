"""Models in the cache of the Hugging Face hub: what would be fetched, fetching, checking and removing it.

The cache is laid out as the hub's own library does it, so that other programs find the models and theirs are found.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from backends.embedded.models.disk import INCOMPLETE, ModelShelf, snapshot_of
from backends.embedded.models.known import KnownModel, known_models
from backends.embedded.models.machine import OwnMachine, look_at_machine
from generation.errors import GenerationError, RequestRejected
from generation.samplers import match_name
from lazy import dataclass
from net.hub import HubFile, HubModel, ModelHub, is_whole
from texts.text import _
from utils.disks import free_bytes

ROOM: Final = 1.2  # of what is fetched, free before it is begun
GB: Final = 10**9


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The files of a model that are wanted; `left` are the bytes that are not there yet."""

    model: KnownModel
    hub: HubModel
    size: int
    left: int


class ModelKeeper:
    """Keeps the models of one cache. `folder` is the cache's `hub`; `look` tells what this machine has."""

    def __init__(
        self, hub: ModelHub, folder: Path, shelf: Callable[[], ModelShelf], look: Callable[[], OwnMachine] | None = None
    ) -> None:
        self._hub = hub
        self._folder = folder
        self._shelf = shelf
        self._look = look or (lambda: look_at_machine(folder))

    def known(self) -> list[KnownModel]:
        """Return the models that can be fetched."""
        return list(known_models().values())

    def shelf(self) -> ModelShelf:
        """Return what is on this machine. Blocks."""
        return self._shelf()

    @property
    def folder(self) -> Path:
        return self._folder

    def machine(self) -> OwnMachine:
        """Return what this machine has to draw with. Blocks."""
        return self._look()

    def find(self, name: str) -> KnownModel:
        """Return a known model by its name, or a part of it.

        Raises:
            RequestRejected: there is none; those that there are, are named.
        """
        found = match_name(name, known_models())
        if found is None:
            listed = ", ".join(known_models())
            raise RequestRejected(
                _("“{name}” is no model that can be fetched. There are {listed}.", name=name, listed=listed),
                field="model",
            )
        return known_models()[found]

    def has(self, model: KnownModel) -> bool:
        return snapshot_of(self._folder, model.repo, model.revision) is not None

    async def plan(self, model: KnownModel) -> Plan:
        """Ask the hub what would be fetched; nothing is yet.

        Raises:
            GenerationError: the hub does not answer, or there is too little room on the disk.
        """
        found = await self._hub.model(model.repo, model.revision)
        files = tuple(file for file in found.files if _is_wanted(file.path, model.only))
        if not files:
            raise RequestRejected(_("The hub has none of the files that {name} needs.", name=model.name), field="model")
        blobs = self._place(model) / "blobs"
        size, left = sum(file.size for file in files), 0
        for file in files:
            left += max(0, file.size - _there(blobs, file))
        plan = Plan(model=model, hub=HubModel(repo=found.repo, commit=found.commit, files=files), size=size, left=left)
        await asyncio.to_thread(self._check_room, plan)
        return plan

    async def pull(self, plan: Plan, on_bytes: Callable[[int], None]) -> None:
        """Fetch what is missing of a plan; what is there stays, also after it broke off.

        Raises:
            GenerationError: it cannot be had.
            OSError: the disk is full.
        """
        place = self._place(plan.model)
        snapshot = place / "snapshots" / plan.hub.commit
        await asyncio.to_thread(_begin, place, snapshot)
        for file in plan.hub.files:
            blob = place / "blobs" / file.blob
            if not blob.exists():
                partial = blob.with_name(f"{blob.name}.incomplete")
                await self._hub.fetch(plan.hub, file, partial, on_bytes)
                await asyncio.to_thread(partial.rename, blob)
            await asyncio.to_thread(_link, snapshot / file.path, blob)
        await asyncio.to_thread(_end, place, snapshot, plan.hub.commit)

    def verify(self, model: KnownModel) -> list[str]:
        """Return the files of a model that are damaged or missing. Reads all of them: blocks for long.

        Raises:
            RequestRejected: it is not there.
        """
        snapshot = self._snapshot(model)
        files = [path for path in snapshot.rglob("*") if path.is_symlink() or path.is_file()]
        bad = [path for path in files if not is_whole(path, path.resolve().name)]
        return sorted(str(path.relative_to(snapshot)) for path in bad)

    def remove(self, model: KnownModel) -> int:
        """Delete a model; return the bytes that are free again. Blocks.

        Raises:
            RequestRejected: it is not there.
        """
        place = self._place(model)
        if not place.is_dir():
            raise _absent(model)
        size = sum(path.stat().st_size for path in (place / "blobs").glob("*"))
        shutil.rmtree(place)
        return size

    def licence_text(self, model: KnownModel) -> str:
        """Return the licence that came with a model, empty where none did, or the model is not there."""
        snapshot = snapshot_of(self._folder, model.repo, model.revision)
        files = sorted(snapshot.glob("LICENSE*")) if snapshot else []
        return files[0].read_text(encoding="utf-8", errors="replace") if files else ""

    async def aclose(self) -> None:
        await self._hub.aclose()

    def _place(self, model: KnownModel) -> Path:
        return self._folder / f"models--{model.repo.replace('/', '--')}"

    def _snapshot(self, model: KnownModel) -> Path:
        snapshot = snapshot_of(self._folder, model.repo, model.revision)
        if snapshot is None:
            raise _absent(model)
        return snapshot

    def _check_room(self, plan: Plan) -> None:
        free = free_bytes(self._folder)
        needed = plan.left * ROOM
        if free is not None and needed > free:
            raise GenerationError(
                _(
                    "The disk of {folder} has {free:.1f} GB free, and {name} needs {needed:.1f} GB there.",
                    folder=self._folder,
                    free=free / GB,
                    name=plan.model.name,
                    needed=needed / GB,
                ),
                hint=_("Make room there, or set HF_HOME to a folder on another disk."),
            )


def _absent(model: KnownModel) -> RequestRejected:
    return RequestRejected(_("{name} is not on this machine.", name=model.name), field="model")


def _is_wanted(path: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a file is one of those that a model needs; `*` in a pattern stops at a slash."""
    is_safe = not path.startswith("/") and ".." not in Path(path).parts
    return is_safe and any(fnmatch(path, pattern) and path.count("/") == pattern.count("/") for pattern in patterns)


def _there(blobs: Path, file: HubFile) -> int:
    for path in (blobs / file.blob, blobs / f"{file.blob}.incomplete"):
        if path.exists():
            return path.stat().st_size
    return 0


def _begin(place: Path, snapshot: Path) -> None:
    (place / "blobs").mkdir(parents=True, exist_ok=True)
    snapshot.mkdir(parents=True, exist_ok=True)
    (snapshot / INCOMPLETE).touch()


def _link(path: Path, blob: Path) -> None:
    """Let a file of a snapshot stand for its content; where links cannot be made, copy it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        return
    try:
        path.symlink_to(os.path.relpath(blob, path.parent))
    except OSError:
        shutil.copyfile(blob, path)


def _end(place: Path, snapshot: Path, commit: str) -> None:
    (place / "refs").mkdir(exist_ok=True)
    (place / "refs" / "main").write_text(commit, encoding="ascii")
    (snapshot / INCOMPLETE).unlink(missing_ok=True)
