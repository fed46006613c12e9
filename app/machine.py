"""Checks of `doctor` on the engine inside: the GPU, the memory and the disk, and which models fit them."""

import asyncio
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from app.models import make_keeper, model_kind
from config import Settings
from console.doctor import Check
from texts.text import Text, _, joined, template

GB: Final = 1000.0  # megabytes
ROOM: Final = 1.2  # of a model's size, free before it is fetched
FITTING: Final = (
    ("whole", template("whole on the GPU: {names}")),
    ("eight_bits", template("in 8 bits: {names}")),
    ("parts", template("part by part: {names}")),
    ("layers", template("layer by layer, slowly: {names}")),
    ("processor", template("on the processor, slowly: {names}")),
    ("none", template("too large: {names}")),
)


async def check_machine(settings: Settings) -> list[Check]:
    """Look at what would draw with models here."""
    keeper = make_keeper(settings)
    try:
        return await asyncio.to_thread(lambda: list(_checks(settings, keeper)))
    finally:
        await keeper.aclose()


def _checks(settings: Settings, keeper: Any) -> Iterator[Check]:
    kind, machine = model_kind(), keeper.machine()
    gpus = [_gpu(gpu) for gpu in machine.gpus]
    if not kind.is_there():
        found = _("{gpus} could draw. ", gpus=", ".join(gpus)) if gpus else ""
        message = _("{found}What draws with models here is not installed. {hint}", found=found, hint=kind.absent_hint)
        yield Check(name=_("built-in engine"), is_ok=True, message=message)
        return
    if gpus:
        is_blind = _has_no_gpu_build()
        message = joined("; ", gpus)
        hint = _("torch is installed in a build for processors: `pip install torch` from the index for your GPU.")
        yield Check(name="GPU", is_ok=not is_blind, message=message, hint=hint if is_blind else "")
    else:
        yield Check(name="GPU", is_ok=True, message=_("none was found: the processor draws with models, slowly"))
    yield Check(name=_("memory"), is_ok=True, message=_memory(machine))
    yield from _chosen(settings, keeper, machine)
    yield from _files(keeper)
    yield Check(name=_("models"), is_ok=True, message=_fitting(keeper, machine))


def _gpu(gpu: Any) -> str:
    parts = [gpu.name]
    if gpu.driver:
        parts.append(_("driver {driver}", driver=gpu.driver))
    if gpu.total_mb:
        parts.append(_("{size:.1f} GB", size=gpu.total_mb / GB))
    if gpu.free_mb is not None:
        parts.append(_("{size:.1f} GB free", size=gpu.free_mb / GB))
    return joined(", ", parts)


def _has_no_gpu_build() -> bool:
    try:
        return version("torch").endswith("+cpu")
    except PackageNotFoundError:
        return False


def _memory(machine: Any) -> str:
    memory, disk = machine.memory_mb, machine.disk_mb
    words = [] if memory is None else [_("{size:.1f} GB of memory are free", size=memory / GB)]
    words += [] if disk is None else [_("{size:.0f} GB on the disk where models are kept", size=disk / GB)]
    return joined("; ", words or [_("cannot be told on this system")])


def _chosen(settings: Settings, keeper: Any, machine: Any) -> Iterator[Check]:
    """Yield how the model fits that draws where a request names none."""
    shelf = keeper.shelf()
    wanted = settings.engines.fallback_options.get(model_kind().name, {}).get("model", "")
    name = _("model that draws")
    if not shelf.models:
        hint = _("`python main.py models pull` shows which there are and fetches one.")
        yield Check(name=name, is_ok=True, message=_("none is here yet"), hint=hint)
        return
    chosen = next((model for model in shelf.models if wanted in (model.name, model.title)), None)
    if wanted and chosen is None:
        listed = ", ".join(model.name for model in shelf.models)
        message = _("There is no model “{name}” on this machine; there is {listed}.", name=wanted, listed=listed)
        yield Check(name="EMBEDDED_MODEL", is_ok=False, message=message)
    chosen = chosen or shelf.models[0]
    room, words = machine.fit(chosen)
    hint = _("Choose a smaller one: `python main.py models pull` shows which.") if room == "none" else ""
    yield Check(name=name, is_ok=room != "none", message=f"{chosen.name}: {words}", hint=hint)


def _files(keeper: Any) -> Iterator[Check]:
    """Yield which files cannot be drawn with, and why."""
    for file in keeper.shelf().unread:
        yield Check(name=file.name, is_ok=False, message=_("It cannot be drawn with: {why}", why=file.why))


def _fitting(keeper: Any, machine: Any) -> str:
    """Return which models that can be fetched fit, and which the disk has no room for."""
    rooms: dict[str, list[str]] = {}
    models = [model for model in keeper.known() if model.is_whole]
    for model in models:
        rooms.setdefault(str(machine.room_of(model)), []).append(model.name)
    parts: list[str] = [Text(words, {"names": ", ".join(rooms[room])}) for room, words in FITTING if room in rooms]
    large = [
        model.name
        for model in models
        if machine.disk_mb is not None and not keeper.has(model) and model.size_gb * GB * ROOM > machine.disk_mb
    ]
    if large:
        parts.append(_("no room on the disk: {names}", names=", ".join(large)))
    return joined("; ", parts)
