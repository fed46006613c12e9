"""Easel's own options that a workflow puts to a use of its own: `--strength` for an input of one of its nodes.

What they say reaches a workflow under the option's name, as text, so that its own range holds: a value that only the
workflow can take is kept as one of its options from the start, one that Easel takes as well is handed on when the
workflow is known. Everything else goes on as if the workflow had no such option.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from generation.errors import RequestRejected
from generation.fields import BY_FIELD
from generation.option_values import set_value
from generation.options import BY_NAME, OPTIONS, as_checked
from generation.request import Draft, GenerationRequest
from generation.workflow_options import WorkflowOption, figure

# By their names, the fields of a draft; what decides how or how often is drawn is not among them.
REPLACED: Final = {option.name: option.field for option in OPTIONS if BY_FIELD[option.field].is_for_workflows}


def own_name(name: str) -> str:
    """Return the name under which an option of Easel's is handed on; any other name as it is."""
    option = BY_NAME.get(name)
    return option.name if option and option.name in REPLACED else name


def routed(draft: Draft, offered: Iterable[WorkflowOption]) -> Draft:
    """Return a draft whose options are those of its workflow: what it takes in place of Easel's own, and no others.

    Raises:
        RequestRejected: a value that Easel's own option cannot have, and the workflow has none of that name.
    """
    names = {option.name for option in offered}
    options, changes = dict(draft.options), dict[str, Any]()
    for name, field in REPLACED.items():
        given = getattr(draft, field)
        if name in names and given is not None:
            options.setdefault(name, given if isinstance(given, str) else figure(given))
            changes[field] = None
        elif name not in names and name in options:
            value = options.pop(name)
            if given is None:
                set_value(BY_NAME[name], value, changes, [])
    return as_checked(replace(draft, options=tuple(options.items()), **changes), draft)


def said_anew(changes: Draft, base: Draft, before: GenerationRequest) -> tuple[Draft, Draft]:
    """Return changes and what they go over so that a field that is said again wins over the option it stood for.

    A field that says what `before` had already, as forms do, says nothing.
    """
    lines = [name for name, _ in base.options if name in REPLACED and getattr(changes, REPLACED[name]) is not None]
    same: dict[str, Any] = {
        REPLACED[name]: None for name in lines if getattr(changes, REPLACED[name]) == getattr(before, REPLACED[name])
    }
    dropped = [name for name in lines if REPLACED[name] not in same]
    kept = tuple((name, value) for name, value in base.options if name not in dropped)
    return replace(changes, **same), replace(base, options=kept)


def as_fields(draft: Draft) -> Draft:
    """Return a draft as somebody would say it: options of Easel's own names in their fields, where these take them."""
    changes, left = dict[str, Any](), list[tuple[str, str]]()
    for name, value in draft.options:
        if name not in REPLACED or not _takes(name, value):
            left.append((name, value))
        else:
            set_value(BY_NAME[name], value, changes, [])
    return replace(draft, options=tuple(left), **changes)


def _takes(name: str, value: str) -> bool:
    try:
        set_value(BY_NAME[name], value, {}, [])
    except RequestRejected:
        return False
    return True
