"""The fields of the studio's form, as its page brings them: what the table says, and no more."""

import json
from typing import Any

from api.schemas.engines import SUPPORTS
from generation.fields import FIELDS, Control, Field, Kind
from generation.request import Mode

_NAMES = {own: name for name, own in SUPPORTS.items()}


def fields_of_the_page() -> str:
    """Return the fields as the page has them, in JSON."""
    return json.dumps(form_fields(), ensure_ascii=False, separators=(",", ":"))


def form_fields() -> list[dict[str, Any]]:
    """Return the fields that have a place in the form; what goes without saying is left out."""
    return [_described(field, field.control) for field in FIELDS if field.control]


def _described(field: Field, control: Control) -> dict[str, Any]:
    word = field.called
    described = {
        "name": field.name,
        "word": word,
        "label": control.title or f"{word[0].upper()}{word[1:]}",
        "place": control.place,
        "hint": control.hint,
        "list": field.names,
        "needs": _NAMES[f"supports_{field.needs}"] if field.needs else "",
        "choices": list(field.choices),
        "is_flag": field.kind is Kind.FLAG,
        "low": control.low,
        "high": control.high,
        "step": control.step if control.high else 0,
        "usual": control.usual,
        "usual_of": control.usual_of,
        "most": control.most,
        "is_filled": control.is_filled,
        "modes": sorted(field.modes) if field.modes != frozenset(Mode) else [],
    }
    return {name: value for name, value in described.items() if value}
