"""Names of models as people and programs say them, matched with what the engines there are have."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from generation.errors import RequestRejected
from generation.person import Person
from generation.request import Draft
from generation.samplers import match_name
from services.engines.catalog import Catalog, Engine, no_engine
from texts.text import _

NEAREST: Final = 3


class ModelMissing(RequestRejected):
    """No engine here has that model."""

    code = "model_missing"


def name_model(catalog: Catalog, person: Person, draft: Draft, wanted: str) -> Draft:
    """Ask for a model by name; an engine's own name stands for what that draws with.

    Raises:
        ModelMissing: no engine has it.
        BackendUnavailable: there is no engine.
    """
    engines = catalog.engines(person)
    if not engines:
        raise no_engine()
    models = _model_names(engines)
    found = match_name(wanted, models)
    if found or not all(engine.capabilities and engine.capabilities.models is not None for engine in engines):
        return replace(draft, model=models[found] if found else wanted)
    if named := match_name(wanted, [engine.name for engine in catalog.engines(person, with_fallback=True)]):
        return replace(draft, backend=named)
    names = [*models, *(engine.name for engine in engines)]
    near = get_close_matches(wanted.casefold(), names, n=NEAREST, cutoff=0.3) or names[:NEAREST]
    raise ModelMissing(
        _("Model {wanted} not loaded", wanted=wanted[:100]),
        field="model",
        hint=_("Available: {near}.", near=", ".join(near)),
    )


def _model_names(engines: Sequence[Engine]) -> dict[str, str]:
    """Every name and title of a model, with the name its engine knows it by."""
    known = [model for engine in engines if engine.capabilities for model in engine.capabilities.models or ()]
    return {model.title: model.name for model in known} | {model.name: model.name for model in known}
