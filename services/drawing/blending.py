"""Several pictures drawn into one: which engine can, and what would be needed where none can."""

from typing import Final

from generation.capabilities import Capabilities
from generation.errors import CapabilityError, RequestRejected
from generation.person import Person
from generation.request import Mode
from services.engines.catalog import Catalog, no_engine
from texts.text import _, joined

LEAST, MOST = 2, 5
WORDS: Final = "Blend these pictures into one: take what is in each of them."  # no text: a prompt
NEEDED: Final = _(
    "That takes an engine that draws from several pictures: a service with reference pictures "
    "(`OPENAI_IMAGES_KEY`), or ComfyUI and a workflow with as many Load Image nodes, which `/workflow add` brings "
    "here; name it with `workflow:`."
)


def most_blended(capabilities: Capabilities) -> int:
    """Return how many pictures an engine draws from together. Of one that restyles the second only lends its style."""
    if Mode.IMG2IMG not in capabilities.modes or Mode.RESTYLE in capabilities.modes:
        return 1
    return capabilities.max_images


def blending_engine(catalog: Catalog, person: Person, count: int, backend: str | None = None) -> str:
    """Return the name of the engine that blends so many pictures: the one that is named, or the first that can.

    Raises:
        CapabilityError: it cannot, or none here can; what would be needed is said.
        RequestRejected: there is no engine of that name.
        BackendUnavailable: there is no engine at all.
    """
    engines = catalog.engines(person)
    if backend:
        named = catalog.engine(backend, person)
        if named is None:
            names = ", ".join(engine.label for engine in engines)
            raise RequestRejected(
                _("There is no engine “{backend}” here. Available: {names}.", backend=backend, names=names),
                field="backend",
            )
        engines = [named]
    if not engines:
        raise no_engine()
    known = [(engine, engine.capabilities) for engine in engines if engine.capabilities]
    able = [engine for engine, capabilities in known if most_blended(capabilities) >= count]
    if not able:
        reasons = joined(
            "; ",
            [
                _("{engine} draws from one picture", engine=engine.label)
                if (most := most_blended(capabilities)) == 1
                else _("{engine} draws from {most} pictures", engine=engine.label, most=most)
                for engine, capabilities in known
            ],
        )
        raise CapabilityError(
            _("No engine here blends {count} pictures: {reasons}.", count=count, reasons=reasons)
            if reasons
            else _("No engine here blends {count} pictures.", count=count),
            hint=NEEDED,
        )
    return min(able, key=lambda engine: engine.error is not None).name
