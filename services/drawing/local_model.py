"""Requests as a local model service took them: a prompt, a size, and the model by name, else the one loaded before.

Every door that speaks its dialect asks here: HTTP (`api/dialects/local_model.py`) and the message bus (`bus/`).
"""

from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final

from generation.person import Person
from generation.request import Draft
from services.engines.catalog import Catalog, Engine
from services.engines.model_names import ModelMissing, name_model
from texts.text import _

USUAL_MODEL: Final = "flux-schnell"
MOST_REMEMBERED: Final = 1000


class LocalModels:
    """The models of each person: which there are, and which draws where a request names none."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._loaded: OrderedDict[str, str] = OrderedDict()  # by person; forgotten at a restart

    def load(self, person: Person, wanted: str) -> str:
        """Draw with this model from now on, where a request of the same person names none; return its name.

        Raises:
            ModelMissing: no engine has it.
            BackendUnavailable: there is no engine.
        """
        draft = name_model(self._catalog, person, Draft(), wanted)
        name = draft.model or draft.backend or wanted
        self._loaded[person.user_key] = name
        self._loaded.move_to_end(person.user_key)
        while len(self._loaded) > MOST_REMEMBERED:
            self._loaded.popitem(last=False)
        return name

    async def bring(self, person: Person, name: str) -> None:
        """Have a model in memory where an engine inside Easel has it, so that the next picture begins at once.

        Raises:
            GenerationError: it cannot be loaded.
        """
        engines = (engine for engine in self._catalog.engines(person) if engine.error is None)
        if engine := next((engine for engine in engines if name in _names(engine)), None):
            await self._catalog.load(engine, name)

    def put_in(self, person: Person, draft: Draft, named: str | None) -> tuple[Draft, tuple[str, ...]]:
        """Put the model in: the one named, else the one loaded; where nobody has the usual one, the engine's own.

        Raises:
            ModelMissing: no engine has it.
            BackendUnavailable: there is no engine.
        """
        wanted = self._loaded.get(person.user_key, USUAL_MODEL) if named is None else named
        if not wanted:
            return draft, ()
        try:
            return name_model(self._catalog, person, draft, wanted), ()
        except ModelMissing:
            if named not in (None, USUAL_MODEL):
                raise
        note = _("model {wanted} is not here: the engine's own was used", wanted=wanted)
        return replace(draft, model=None), (note,)

    def info(self, person: Person) -> dict[str, Any]:
        """Return which model draws for this person, which is in memory, on what, and which others there are."""
        engines = self._catalog.engines(person)
        chosen = self._loaded.get(person.user_key)
        best = next((engine for engine in engines if engine.error is None and engine.capabilities), None)
        if chosen:
            best = next((engine for engine in engines if chosen in _names(engine)), best)
        offered = best.capabilities if best else None
        models = (offered.models if offered else None) or ()
        memory = best.loaded if best else None
        loaded = memory.model if memory else next((model.name for model in models if model.is_loaded), None)
        engine = best.name if best else None
        usual = models[0].name if models else engine
        drawn_by = offered.remark or best.kind if offered and best else None
        return {
            "model": chosen or loaded or usual,
            "current_model": memory.model if memory else chosen or loaded or usual,
            "device": memory.device_title if memory else drawn_by,
            "dtype": memory.dtype if memory else None,
            "offload": memory.way if memory else None,
            "memory_total_mb": memory.total_mb if memory else None,
            "memory_free_mb": memory.free_mb if memory else None,
            "memory_used_mb": memory.used_mb if memory else None,
            "loaded_since": memory.since.isoformat() if memory else None,
            "engine": best.label if best else None,
            "loaded": best is not None and (memory is not None or not best.loads),
            "available_models": [name for engine in engines for name in _names(engine)],
            "max_width": offered.max_side if offered else None,
            "max_height": offered.max_side if offered else None,
        }


def _names(engine: Engine) -> list[str]:
    models = engine.capabilities.models if engine.capabilities else None
    return [model.name for model in models or ()] or [engine.name]
