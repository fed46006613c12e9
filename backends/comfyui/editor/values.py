"""Match saved values to widgets.

The editor saves values by place, so a node that has gained or lost a widget since would get wrong ones. Where their
number is not what the server's description makes, the one assignment that types, ranges and lists allow is taken; where
there are several, none is.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from backends.comfyui.editor.fields import CONTROLS, Widget, WidgetKind, chosen_fields
from backends.comfyui.editor.saved import SavedNode
from lazy import dataclass, pattern
from texts.text import _

DISAGREE: Final = _("its values by name and by place do not agree")
STEPS: Final = 5_000  # looked at before a search for the right places is given up: at one node, in a file
STEPS_IN_ALL: Final = 30_000
MISSING: Final = object()
_FILE: Final = pattern(r"\.[A-Za-z][A-Za-z0-9]{1,11}( \[(input|output|temp)\])?$")
Values = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Unfit:
    """The reason the values of a node cannot be assigned, as the end of a sentence."""

    reason: str


@dataclass(kw_only=True)
class Search:
    """The effort of finding the right places: steps left in a whole file and at a node, all its values kept or not."""

    left: int = STEPS_IN_ALL
    here: int = STEPS
    may_drop: bool = False


def assign(node: SavedNode, fields: list[Widget], linked: frozenset[str], search: Search) -> Values | Unfit:
    """Return the values of a node's widgets by name; those not saved have their default.

    Args:
        node: as it was saved.
        fields: the widgets of its class, without those that a choice brings.
        linked: the names of widgets whose value comes over a link, so that a saved one hardly matters.
        search: how far the right places are looked for.
    """
    today = [field for field in fields if field.kind is not WidgetKind.FORCED]
    if isinstance(node.values, dict):
        return _named(node.values, today, linked, is_whole=True)
    values = list(node.values or ())
    straight = _straight(today, values, linked)
    if straight is None and len(today) < len(fields):
        straight = _straight(fields, values, linked)
    if node.named_values is not None:
        return _of_two(node, today, straight, linked, search)
    return _searched(node, today, values, linked, search=search) if straight is None else straight


def _of_two(
    node: SavedNode, fields: list[Widget], straight: Values | None, linked: frozenset[str], search: Search
) -> Values | Unfit:
    """Return the values of a node that were saved by place and by name: those by name decide where widgets changed."""
    by_name, values = node.named_values or {}, list(node.values or ())
    placed = _searched(node, fields, values, linked, search=search) if straight is None else straight
    if not isinstance(placed, Unfit) and list(by_name) == _names(fields, placed):
        return placed  # programs that change a file often leave the old values by name in it
    named = _named(by_name, fields, linked, is_whole=False)
    if isinstance(named, Unfit):
        return named
    if straight is None:
        return _searched(node, fields, values, linked, search=search, named=named)
    return straight if _agree(named, straight, linked) else Unfit(reason=DISAGREE)


def default_of(field: Widget) -> Any:
    """Return what the editor gives a widget of which nothing was saved; `MISSING` for nothing, and for any file."""
    given = field.settings.get("default")
    if field.kind in {WidgetKind.COMBO, WidgetKind.CHOOSING}:
        if given and field.kind is WidgetKind.COMBO:
            return given
        return field.options[0] if field.options and not _is_of_files(field) else MISSING
    if given is not None:
        return given
    plain: dict[WidgetKind, Any] = {
        WidgetKind.INT: 0,
        WidgetKind.FLOAT: 0,
        WidgetKind.BOOLEAN: False,
        WidgetKind.STRING: "",
    }
    return plain.get(field.kind, MISSING)


def fits(field: Widget, value: Any, *, is_strict: bool = False) -> bool:
    """Return whether a value can be one of this widget; strictly: in its range, and in its list."""
    if field.kind in {WidgetKind.INT, WidgetKind.FLOAT, WidgetKind.SIDE}:
        return _is_number(field, value, is_strict=is_strict)
    if field.kind is WidgetKind.BOOLEAN:
        return isinstance(value, bool)
    if field.kind is WidgetKind.STRING:
        return isinstance(value, str)
    if field.kind is WidgetKind.COMBO:
        return _is_choice(field, value, is_strict=is_strict)
    if field.kind is WidgetKind.CHOOSING:
        return str(value) in (field.options or ())
    if field.kind is WidgetKind.CONTROL:
        return value in CONTROLS
    if field.kind is WidgetKind.FILTER:
        return isinstance(value, str)
    if field.kind is WidgetKind.BUTTON:
        return not is_strict or value is None or value in ("", "image")
    return field.kind is WidgetKind.FORCED or not is_strict or value is not None


def _is_number(field: Widget, value: Any, *, is_strict: bool) -> bool:
    if isinstance(value, str) and not is_strict:
        try:
            value = float(value)
        except ValueError:
            return False
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    if field.kind is WidgetKind.INT and value != int(value):
        return False
    low, high = field.settings.get("min"), field.settings.get("max")
    limits = [item for item in (low, high) if isinstance(item, int | float)]
    return not is_strict or len(limits) < 2 or limits[0] <= value <= limits[1]


def _is_choice(field: Widget, value: Any, *, is_strict: bool) -> bool:
    """Return whether a list has a value, or could have it on another day: files come and go."""
    if isinstance(value, list) and field.settings.get("multi_select"):
        return all(isinstance(item, str) for item in value)
    options = field.options or ()
    if any(value == option and isinstance(value, bool) is isinstance(option, bool) for option in options):
        return True
    is_likely = not is_strict or not options or (_is_of_files(field) and bool(_FILE.search(str(value))))
    return isinstance(value, str) and is_likely


def _is_of_files(field: Widget) -> bool:
    """Return whether a list is one of files: the first of them is nobody's choice."""
    options = field.options or ()
    is_listed = any(isinstance(option, str) and _FILE.search(option) for option in options)
    return field.kind is WidgetKind.COMBO and (is_listed or not options)


def _straight(fields: list[Widget], values: list[Any], linked: frozenset[str]) -> Values | None:
    """Return the values place by place; None where their number or one of them does not fit."""
    found: Values = {}
    waiting, place = list(fields), 0
    while waiting:
        field = waiting.pop(0)
        if place >= len(values):
            return None
        value = values[place]
        place += 1
        if not fits(field, value) and field.name not in linked:
            return None
        _keep(found, field, value)
        if field.kind is WidgetKind.CHOOSING:
            waiting = chosen_fields(field, value) + waiting
    return found if place == len(values) else None


def _named(
    answer: Mapping[str, Any], fields: list[Widget], linked: frozenset[str], *, is_whole: bool
) -> Values | Unfit:
    """Return values saved by name; `is_whole`: with those that only code of the node's pack knows."""
    found: Values = {}
    waiting, known = list(fields), set[str]()
    while waiting:
        field = waiting.pop(0)
        known.add(field.name)
        value = answer.get(field.name, default_of(field))
        if value is MISSING:
            continue
        if not fits(field, value) and field.name not in linked:
            return Unfit(
                reason=_("its {name} is {shown}, which that input does not take", name=field.name, shown=_shown(value))
            )
        _keep(found, field, value)
        if field.kind is WidgetKind.CHOOSING:
            waiting = chosen_fields(field, value) + waiting
    more = {name: value for name, value in answer.items() if name not in known and isinstance(value, str | int | float)}
    return found | more if is_whole else found


def _searched(
    node: SavedNode,
    fields: list[Widget],
    values: list[Any],
    linked: frozenset[str],
    *,
    search: Search,
    named: Values | None = None,
) -> Values | Unfit:
    """Return the one way to leave out widgets, or values, that lets all else fit; of several the one by name."""
    shown = {item.widget for item in node.inputs if item.widget}
    is_complete = any(item.widget and item.link is None for item in node.inputs)
    search.here = min(STEPS, search.left)
    for count in range(len(fields) + len(values) + 1):
        ways: list[Values] = []
        for skips, drops in ((count, 0), (0, count)) if count else ((0, 0),):
            for way, skipped in _ways(fields, values, skips, drops, linked, search):
                if is_complete and not shown.isdisjoint(skipped):
                    continue
                if named is not None and _agree(named, way, linked):
                    return way
                if way not in ways:
                    ways.append(way)
                if len(ways) > 1 and named is None:
                    return Unfit(reason=_count(fields, values) + _(", and they could belong to them in several ways"))
            if not search.may_drop:
                break
        if search.here <= 0:
            break
        if ways:
            return Unfit(reason=DISAGREE) if named is not None else ways[0]
    return Unfit(reason=_count(fields, values) + _(", and they do not fit them"))


def _agree(named: Values, placed: Values, linked: frozenset[str]) -> bool:
    names = (named.keys() | placed.keys()) - linked
    return all(named.get(name) == placed.get(name) for name in names)


def _names(fields: list[Widget], values: Values) -> list[str]:
    """Return the names of a node's widgets in their order, with those that its choices bring and those not sent."""
    found: dict[str, None] = {}
    waiting = list(fields)
    while waiting:
        field = waiting.pop(0)
        found[field.name] = None
        if field.kind is WidgetKind.CHOOSING:
            waiting = chosen_fields(field, values.get(field.name)) + waiting
    return list(found)


def _ways(
    fields: list[Widget], values: list[Any], skips: int, drops: int, linked: frozenset[str], search: Search
) -> Iterator[tuple[Values, tuple[str, ...]]]:
    """Yield each assignment that leaves out so many widgets or values, with the names of those widgets.

    Widgets that are not sent, and values that say nothing, are left out beyond that.
    """
    waiting: list[tuple[list[Widget], int, int, Values, tuple[str, ...]]] = [(fields, 0, drops, {}, ())]
    while waiting and search.here > 0:
        search.here -= 1
        search.left -= 1
        left, place, drop, found, skipped = waiting.pop()
        value = values[place] if place < len(values) else MISSING
        if not left and value is MISSING:
            if drop == 0 and len(skipped) == skips:
                yield found, skipped
            continue
        if value is not MISSING and (_is_empty(value) or drop):
            waiting.append((left, place + 1, drop if _is_empty(value) else drop - 1, found, skipped))
        if not left:
            continue
        field, rest = left[0], left[1:]
        if not field.is_sent:
            waiting.append((rest, place, drop, found, skipped))
        elif len(skipped) < skips:
            given = default_of(field)
            more = chosen_fields(field, given) if field.kind is WidgetKind.CHOOSING else []
            waiting.append((more + rest, place, drop, _with(found, field, given), (*skipped, field.name)))
        if value is not MISSING and _may_be(field, value, linked):
            more = chosen_fields(field, value) if field.kind is WidgetKind.CHOOSING else []
            waiting.append((more + rest, place + 1, drop, _with(found, field, value), skipped))


def _may_be(field: Widget, value: Any, linked: frozenset[str]) -> bool:
    return fits(field, value, is_strict=True) or (value is None and field.name in linked)


def _is_empty(value: Any) -> bool:
    """Return whether a saved value says nothing: a button's, or what stands behind a seed."""
    return value in (None, "", "image", [], {}) or value in CONTROLS


def _with(found: Values, field: Widget, value: Any) -> Values:
    copy = dict(found)
    _keep(copy, field, value)
    return copy


def _keep(found: Values, field: Widget, value: Any) -> None:
    if field.is_sent and value is not MISSING:
        found[field.name] = value


def _count(fields: list[Widget], values: list[Any]) -> str:
    return _(
        "it was saved with {count} values where this engine's node has {fields}", count=len(values), fields=len(fields)
    )


def _shown(value: Any) -> str:
    text = str(value)
    return f"“{text[:40]}”" if text else "empty"
