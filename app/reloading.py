"""Take up a changed `.env` while Easel works: what can be at once, all of it or nothing; the rest is named.

A setting is taken up where its group says so (`Group.live`), and `_apply` gives it to whoever holds it.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from app.engines import backend_config, engine_entry
from app.services import always_checked
from app.text import open_text_engine
from backends.base import PictureCheck
from backends.kinds import address_of, kind_of
from backends.probe import local_port
from backends.registry import Entry
from config import FILTER, Settings, group_types
from generation.errors import GenerationError
from lazy import dataclass
from scheduling.house_screen import HouseScreen
from services.people.access import LOCAL_USER
from services.reloading import ReloadReport, read_nothing
from services.rentals.machines import make_providers
from settings.engines import BackendSettings, EnginesSettings
from settings.fields import declared, variable_of
from settings.reading.engines import INSTANCE_FIELDS, prefix_of
from settings.reading.problems import Problem, SettingsError
from store.image_cache import CacheUnavailable
from texts.text import _

if TYPE_CHECKING:
    from app.build import Easel

# what an engine takes up without being made again, which would unload its model
ADJUSTED: Final = frozenset({"label", "concurrency", "rate_per_minute"})


@dataclass(kw_only=True)
class Difference:
    """Differences of two readings, by the names of the variables, and the engines that come, stay changed, or go."""

    changed: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    made: list[BackendSettings] = field(default_factory=list)
    adjusted: list[BackendSettings] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)  # of what is taken up


def differing(old: Settings, new: Settings) -> Difference:
    """Compare two readings of the settings."""
    difference = Difference()
    for name, group in group_types().items():
        for setting, about in group.model_fields.items():
            if not declared(about) or getattr(getattr(old, name), setting) == getattr(getattr(new, name), setting):
                continue
            is_live = setting in group.live
            (difference.changed if is_live else difference.waiting).append(variable_of(setting, about))
            if is_live:
                difference.groups.add(name)
    _compare_engines(old.engines, new.engines, difference)
    return difference


def _compare_engines(old: EnginesSettings, new: EnginesSettings, difference: Difference) -> None:
    before = {engine.name: engine for engine in old.configured}
    now = {engine.name: engine for engine in new.configured}
    for name, engine in now.items():
        names = list(_differing_in(before.get(name), engine))
        kind = kind_of(engine.kind)
        if names and kind and kind.is_inside:
            difference.waiting += names
        elif names:
            difference.changed += names
            is_adjusted = {item.removeprefix(prefix_of(name)).lower() for item in names} <= ADJUSTED and name in before
            (difference.adjusted if is_adjusted else difference.made).append(engine)
    for name in before.keys() - now.keys():
        kind = kind_of(before[name].kind)
        if kind and kind.is_inside:
            difference.waiting.append(f"{prefix_of(name)}ENABLED")
        else:
            difference.gone.append(name)
            difference.changed += _differing_in(None, before[name])
    for name in sorted({*old.fallback_options, *new.fallback_options}):
        options = old.fallback_options.get(name, {}), new.fallback_options.get(name, {})
        difference.waiting += [f"{prefix_of(name)}{option.upper()}" for option in _differing_options(*options)]
    difference.changed = sorted(set(difference.changed))
    difference.waiting = sorted(set(difference.waiting))


def _differing_in(old: BackendSettings | None, new: BackendSettings) -> Iterator[str]:
    """Yield the variables of an engine that differ; of one that comes or goes, those that are set."""
    prefix = prefix_of(new.name)
    other = old or BackendSettings(name=new.name, kind=new.kind)
    for setting in INSTANCE_FIELDS:
        if getattr(other, setting) != getattr(new, setting):
            yield f"{prefix}{setting.upper()}"
    yield from (f"{prefix}{option.upper()}" for option in _differing_options(other.options, new.options))


def _differing_options(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [option for option in sorted({*old, *new}) if old.get(option) != new.get(option)]


def taken_up(old: Settings, new: Settings) -> Settings:
    """Return the settings that count after a reload: those of before, but for what can be taken up."""
    groups = {}
    for name, group in group_types().items():
        values = {setting: getattr(getattr(new, name), setting) for setting in group.live}
        groups[name] = getattr(old, name).model_copy(update=values)
    kept = [engine for engine in old.engines.configured if (kind := kind_of(engine.kind)) and kind.is_inside]
    names = {engine.name for engine in kept}
    others = tuple(engine for engine in new.engines.configured if engine.name not in names and not _is_inside(engine))
    groups["engines"] = groups["engines"].model_copy(update={"configured": (*kept, *others)})
    return old.model_copy(update=groups)


def _is_inside(engine: BackendSettings) -> bool:
    kind = kind_of(engine.kind)
    return bool(kind and kind.is_inside)


def _problems(error: SettingsError | GenerationError | OSError) -> tuple[str, ...]:
    if isinstance(error, SettingsError):
        return tuple(map(str, error.problems))
    if isinstance(error, GenerationError):
        return (error.user_message,)
    return (_("LOG_DIR cannot be used: {reason}", reason=error.strerror or error),)


def _check_filter(settings: Settings, check: PictureCheck | None) -> None:
    """Refuse a filter that could not look at anything: its packages came after the start."""
    if settings.filter.is_on and check is None:
        raise SettingsError(Problem(name=FILTER, value="true", allowed=_("set before a start: restart Easel")))


class Reloader:
    """Reads and applies for one Easel. Give `reload` to the `ReloadService`."""

    def __init__(self, easel: "Easel") -> None:
        self._easel = easel

    async def reload(self) -> ReloadReport:
        """Take up what has changed; a wrong value changes nothing."""
        easel = self._easel
        if easel.source is None:
            return await read_nothing()
        made: list[Entry] = []
        try:
            new = await asyncio.to_thread(easel.source.read)
            difference = differing(easel.settings, new)
            settings = taken_up(easel.settings, new)
            _check_filter(settings, easel.check)
            made += [engine_entry(engine, settings) for engine in difference.made]
            text_engine = open_text_engine(settings) if "text" in difference.groups else None
            easel.source.set_logging(settings)  # from now on no line has a new secret in it
            if "webhooks" in difference.groups:
                await easel.web.webhooks.use(settings.webhooks)
        except (SettingsError, GenerationError, OSError) as error:
            for entry in made:
                await entry.backend.aclose()
            with suppress(OSError):
                easel.source.set_logging(easel.settings)
            return ReloadReport(wrong=_problems(error))
        if "text" in difference.groups:
            easel.services.wording.text.use(text_engine, settings.text)
        await self._apply(settings, difference.groups)
        notes = await self._change_engines(settings, difference, made)
        easel.settings = settings
        for tell in easel.on_settings:
            tell(settings)
        return ReloadReport(
            changed=easel.source.as_typed(difference.changed),
            waiting=easel.source.as_typed(difference.waiting),
            notes=(*notes, *new.warnings, *easel.source.hints()),
        )

    async def _apply(self, settings: Settings, groups: set[str]) -> None:
        """Give each part what is its own."""
        services, web = self._easel.services, self._easel.web
        services.money.budgets.settings = settings.money
        services.records.alerts.limits = settings.alerts
        services.records.alerts.budget_usd = settings.money.everybody_usd
        if "queue" in groups:
            self._easel.queue.use(settings.queue)
        if "filter" in groups:
            always = always_checked(settings.filter, self._easel.check)
            screen = self._easel.queue.screen
            assert isinstance(screen, HouseScreen), "it is built with one"
            screen.use(settings.filter.threshold, always)
            if settings.filter.is_on:
                with suppress(CacheUnavailable):  # then it recalls nothing either
                    await self._easel.cache.forget_all_results()
        services.upkeep.rentals.settings = settings.rentals
        if groups & {"people", "rentals"}:
            services.upkeep.rentals.machines.use(make_providers(settings.rentals), settings.people)
        if groups & {"people", "safety"}:
            admins = settings.people.admin_ids
            services.moderation.rights.name_admins(admins)
            web.access.name_admins(admins)
            web.sign_in.use(settings.people)
            services.connections.use(settings.safety, frozenset({LOCAL_USER, *admins}))
        web.uploads.quota_mb = settings.storage.max_upload_mb_per_user

    async def _change_engines(self, settings: Settings, difference: Difference, made: list[Entry]) -> list[str]:
        """Let engines come, change and go; return how those answer that came."""
        registry = self._easel.registry
        self._easel.services.catalog.off = {engine.kind: engine.name for engine in settings.engines.off}
        for engine in difference.adjusted:
            if entry := registry.get(engine.name):
                entry.config = backend_config(engine, settings)
                entry.concurrency, entry.rate_per_minute = engine.concurrency, engine.rate_per_minute
                registry.adjusted(engine.name)
        for name in difference.gone:
            await registry.remove(name)
        ports = {port for entry in made if (port := local_port(address_of(entry.config)))}
        for entry in registry:
            if entry.is_found and local_port(address_of(entry.config)) in ports:
                await registry.remove(entry.name)  # it is set now, and would be there twice
        for entry in made:
            if (before := registry.get(entry.name)) is not None:
                entry = replace(entry, is_drained=before.is_drained, is_paused=before.is_paused)
            registry.add(entry)
        probed = await asyncio.gather(*(registry.refresh(entry.name) for entry in made))
        return [
            _("{engine}: {error}", engine=entry.label, error=entry.error.user_message)
            if entry.error
            else _("{engine} answers.", engine=entry.label)
            for entry in probed
            if entry is not None
        ]
