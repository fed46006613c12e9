"""ControlNet: which kinds a server can do, and our units in its words.

Source: `/controlnet/control_types` of Forge, where it is built in, and of the extension sd-webui-controlnet for A1111;
the units go as `alwayson_scripts.ControlNet.args`. A unit without a model is accepted and does nothing, so a kind
counts only where a model for it is there.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError

from backends.a1111.pictures import encode
from generation.request import ControlUnit
from generation.samplers import match_name
from lazy import dataclass, pattern
from texts.text import _

NONE: Final = "None"
KINDS_WITHOUT_MODEL: Final = frozenset({"reference"})
_EVERYTHING: Final = "all"  # the list's first entry: every module and every model
_CLASSES: Final = (("flux", pattern(r"flux|schnell", re.I)), ("xl", pattern(r"xl|pony|illustrious|noob", re.I)))


@dataclass(frozen=True, kw_only=True)
class ControlType:
    """The parts that one kind uses: the preprocessor and the models to choose from, the server's favourite first."""

    module: str
    models: tuple[str, ...] = ()

    def model_for(self, checkpoint: str) -> str:
        """Return a model of the checkpoint's own size class, if there is one: the others would fail or do nothing."""
        fitting = [model for model in self.models if _class(model) == _class(checkpoint)]
        return next(iter(fitting or self.models), NONE)


def _class(name: str) -> str:
    return next((label for label, pattern in _CLASSES if pattern.search(name)), "")


class _Type(BaseModel):
    module_list: list[str] = []
    model_list: list[str] = []
    default_option: str = ""
    default_model: str = NONE


_TYPES: Final = TypeAdapter(dict[str, _Type])


def read_types(answer: Any) -> dict[str, ControlType]:
    """Return the kinds that can be used, in lower case; nothing where the answer is no such list."""
    try:
        types = _TYPES.validate_python((answer or {}).get("control_types", {}))
    except (ValidationError, AttributeError):
        return {}
    found = {}
    for label, item in types.items():
        kind = label.casefold()
        models = tuple(dict.fromkeys(m for m in (item.default_model, *item.model_list) if m.casefold() != "none"))
        if kind != _EVERYTHING and (models or kind in KINDS_WITHOUT_MODEL):
            modules = [m for m in (item.default_option, *item.module_list) if m and m.casefold() != "none"]
            found[kind] = ControlType(module=next(iter(modules), NONE), models=models)
    return found


def all_models(types: Mapping[str, ControlType]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(model for item in types.values() for model in item.models))


def to_unit(unit: ControlUnit, types: Mapping[str, ControlType], checkpoint: str) -> dict[str, Any]:
    """Return one unit as both the extension and Forge take it; the extension's are off unless `enabled` says so."""
    item = types.get(unit.kind) or ControlType(module=NONE)
    wanted = match_name(unit.model, all_models(types)) if unit.model else None
    return {
        "enabled": True,
        "module": item.module,
        "model": wanted or item.model_for(checkpoint),
        "weight": max(0.0, min(2.0, unit.weight)),
        "image": encode(unit.image, _("picture for ControlNet")),
        "resize_mode": "Crop and Resize",  # no text: the server’s own
        "control_mode": "Balanced",
        "pixel_perfect": True,
        "guidance_start": 0.0,
        "guidance_end": 1.0,
        "save_detected_map": False,
    }
