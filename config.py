"""All settings of Easel, read once from `.env` and the environment, which wins. Each group is in `settings`.

`.env.example` and docs/settings.md are written from them (`scripts/write_settings.py`). Only `app` and `console` import
this module; every other part receives its group.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, SecretStr

from backends.kinds import picture_check, usual_ports
from settings.alerts import AlertSettings
from settings.bus import BusSettings
from settings.discord import DiscordSettings
from settings.engines import EnginesSettings
from settings.fields import Group, parts
from settings.filter import FilterSettings
from settings.logs import LogSettings
from settings.models import ModelSettings
from settings.money import MoneySettings
from settings.people import PeopleSettings
from settings.queue import QueueSettings
from settings.reading.engines import EngineReader, options_known, other_names, prefix_of
from settings.reading.env_file import read_env_file
from settings.reading.foreign import OTHER_FILTER, stray_settings, unsafe_settings
from settings.reading.groups import read_group, variables_of
from settings.reading.problems import Problem, SettingsError
from settings.reading.words import SettingHelp, help_of, listed
from settings.rentals import RentalSettings
from settings.safety import SafetySettings
from settings.storage import MarkSettings, StorageSettings
from settings.text import TextSettings
from settings.web import WebSettings
from settings.webhooks import WebhookSettings
from texts.text import _

FILTER = "ENABLE_NSFW_FILTER"


class Settings(BaseModel):
    """All groups, in the order people read them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    discord: DiscordSettings = DiscordSettings()
    engines: EnginesSettings = EnginesSettings()
    models: ModelSettings = ModelSettings()
    safety: SafetySettings = SafetySettings()
    filter: FilterSettings = FilterSettings()
    text: TextSettings = TextSettings()
    queue: QueueSettings = QueueSettings()
    rentals: RentalSettings = RentalSettings()
    web: WebSettings = WebSettings()
    people: PeopleSettings = PeopleSettings()
    bus: BusSettings = BusSettings()
    webhooks: WebhookSettings = WebhookSettings()
    storage: StorageSettings = StorageSettings()
    marks: MarkSettings = MarkSettings()
    money: MoneySettings = MoneySettings()
    alerts: AlertSettings = AlertSettings()
    logs: LogSettings = LogSettings()
    warnings: tuple[str, ...] = ()

    def changed(self, **groups: Mapping[str, object]) -> Self:
        """Return the settings with other values: `changed(queue={"grace_s": 0.0})`."""
        return self.model_copy(update={name: getattr(self, name).changed(**to) for name, to in groups.items()})

    def secrets(self) -> tuple[str, ...]:
        """Return every secret among the settings, for the log to leave out."""
        groups = [getattr(self, name) for name in group_types()]
        values = (value for group in (*groups, *self.engines.configured, *self.engines.off) for __, value in group)
        found = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return tuple(secret for secret in found if secret)


def group_types() -> dict[str, type[Group]]:
    """Return the groups by their names in `Settings`."""
    fields = ((name, field.annotation) for name, field in Settings.model_fields.items())
    return {name: kind for name, kind in fields if isinstance(kind, type) and issubclass(kind, Group)}


def describe() -> dict[str, list[SettingHelp]]:
    """List all settings but those of single engines by the title of their group, in the order people read them."""
    values = {"ports": listed(usual_ports())}
    return {group.title: help_of(group, values) for group in group_types().values()}


def read_settings(env_file: Path, environ: Mapping[str, str]) -> Settings:
    """Read all settings; an empty value counts as not set.

    Raises:
        SettingsError: names everything that is wrong, not only the first.
    """
    try:
        file, unreadable = read_env_file(env_file)
    except UnicodeDecodeError as error:
        raise SettingsError(
            Problem(name=str(env_file), value="unreadable", allowed=_("a text file in UTF-8"))
        ) from error
    variables = {name: value.strip() for name, value in {**file, **environ}.items()}
    known = {variable for group in group_types().values() for variable in variables_of(group)}
    problems: list[Problem] = []
    reader = EngineReader(variables, known, problems)
    names = [*(name.lower() for name in parts(variables.get("BACKENDS", ""))), *reader.named()]
    groups: dict[str, Any] = {}
    for name, group in group_types().items():
        more = _engines(reader, names) if group is EnginesSettings else None
        groups[name] = read_group(group, variables, problems, more=more)
    unsafe = unsafe_settings(file, environ, [prefix_of(name) for name in names])
    problems += [Problem(name=name, value=value, allowed=OTHER_FILTER) for name, value in unsafe if name not in known]
    problems += _unchecked(groups["filter"], variables)
    if problems:
        raise SettingsError(*problems)
    engines: EnginesSettings = groups["engines"]
    kinds = {prefix_of(engine.name): engine.kind for engine in (*engines.configured, *engines.off)}
    kinds = {prefix_of(name): name for name in engines.fallback_options} | kinds
    strays = stray_settings(file, known | other_names().keys(), kinds, options_known())
    return Settings(**groups, warnings=(*unreadable, *strays))


def _unchecked(filter_: FilterSettings | None, variables: Mapping[str, str]) -> Iterator[Problem]:
    """Refuse a check of pictures whose packages are not installed: whoever sets it relies on it."""
    check = picture_check()
    if filter_ and filter_.is_on and not (check and check.is_there()):
        hint = check.absent_hint if check else ""
        allowed = _(
            "false or left out, since what looks at pictures is not installed, and Easel would draw and post what this "
            "is meant to hold back. {hint}",
            hint=hint,
        )
        yield Problem(name=FILTER, value=variables[FILTER], allowed=allowed)


def _engines(reader: EngineReader, names: list[str]) -> dict[str, object]:
    """Return what the variables of single engines say."""
    found = [engine for name in dict.fromkeys(names) if (engine := reader.engine(name))]
    return {
        "configured": tuple(engine for engine in found if engine.enabled),
        "off": tuple(engine for engine in found if not engine.enabled),
        "fallback_options": reader.fallbacks(),
    }
