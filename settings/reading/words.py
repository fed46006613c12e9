"""Settings as people read them, in `.env.example`, docs/settings.md and messages."""

from collections.abc import Iterable, Mapping

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from lazy import dataclass
from settings.fields import Group, allowed_of, declared, is_span, variable_of, write_span
from texts.text import _


@dataclass(frozen=True, kw_only=True)
class SettingHelp:
    """One setting as `.env.example` and docs/settings.md show it."""

    name: str
    default: str
    meaning: str
    allowed: str
    is_live: bool = False  # a running Easel takes it up


def help_of(group: type[Group], values: Mapping[str, object], prefix: str = "") -> list[SettingHelp]:
    """Return the settings of a group as people read them; `values` fill the places in braces of their meanings."""
    return [
        SettingHelp(
            name=prefix + variable_of(name, field),
            default=shown(field),
            meaning=(field.description or "").format_map(values),
            allowed=allowed_of(field),
            is_live=name in group.live,
        )
        for name, field in group.model_fields.items()
        if declared(field)
    ]


def shown(field: FieldInfo) -> str:
    """Write a default as it stands in `.env`."""
    value = field.default
    if value is None or isinstance(value, SecretStr | tuple):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return write_span(value) if is_span(field) else str(value)


def listed(values: Iterable[object]) -> str:
    """Return `1, 2 and 3`."""
    *most, last = map(str, values)
    return _("{most} and {last}", most=", ".join(most), last=last) if most else last
