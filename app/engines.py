"""Makes the engines that are set, those found on this machine, and those that are always there."""

import asyncio
from dataclasses import replace

from backends.base import BackendConfig
from backends.kinds import address_of, connectable, kind_names, kind_of, known_kinds, make_backend
from backends.probe import Found, local_port, probe_local
from backends.registry import BackendRegistry, Entry
from config import Settings
from settings.engines import BackendSettings
from settings.reading.problems import Problem, SettingsError
from texts.text import _
from utils.urls import UrlRefused, check_url


async def find_engines(settings: Settings) -> tuple[list[Entry], tuple[str, ...]]:
    """Make the engines that are set and those that answer on this machine besides; the fallbacks are last."""
    entries = [engine_entry(engine, settings) for engine in settings.engines.configured]
    found = await _found_here(settings) if settings.engines.probe_local_ports else []
    findings = tuple(item.message for item in found)
    for item in found:
        if item.is_usable:
            engine = BackendSettings(name=f"local{item.port}", kind=item.kind, url=item.url, label=item.title)
            entries.append(replace(engine_entry(engine, settings), is_found=True))
    entries += [engine_entry(engine, settings) for engine in await asyncio.to_thread(_by_themselves, entries, settings)]
    names = {entry.name for entry in entries}
    for kind in known_kinds():
        if kind.is_fallback and kind.name not in names and kind.is_there():
            options = settings.engines.fallback_options.get(kind.name, {})
            fallback = BackendSettings(name=kind.name, kind=kind.name, options=options)
            entries.append(engine_entry(fallback, settings, is_fallback=True))
    filled = frozenset().union(*(entry.fills for entry in entries))
    for kind in known_kinds():
        if kind.finishes_with and kind.finishes_with <= filled and kind.name not in names:
            options = settings.engines.fallback_options.get(kind.name, {})
            entries.append(engine_entry(BackendSettings(name=kind.name, kind=kind.name, options=options), settings))
    return entries, findings


def _by_themselves(entries: list[Entry], settings: Settings) -> list[BackendSettings]:
    """Return the engines that need no setting since this machine has all they need; one that is set is not doubled."""
    kinds = {entry.config.kind for entry in entries} | {engine.kind for engine in settings.engines.off}
    options = settings.engines.fallback_options
    return [
        BackendSettings(name=kind.name, kind=kind.name, options=options.get(kind.name, {}))
        for kind in known_kinds()
        if kind.name not in kinds and kind.comes_with(options.get(kind.name, {}))
    ]


async def take_up(registry: BackendRegistry, settings: Settings) -> None:
    """Let an engine be there that has all it needs since now, and ask those inside Easel again what they can do."""
    for engine in await asyncio.to_thread(_by_themselves, list(registry), settings):
        registry.add(engine_entry(engine, settings))
    inside = {kind.name for kind in known_kinds() if kind.keep_models}
    for entry in registry:
        if entry.config.kind in inside:
            await registry.refresh(entry.name)


def first_engine() -> str:
    """Return how to come to an engine where there is none."""
    kind = connectable()[0]
    return _("set {name}_URL in .env, or start {title} on this machine", name=kind.name.upper(), title=kind.title)


async def _found_here(settings: Settings) -> list[Found]:
    """Look for engines on the usual ports of this machine; what is set already is not found once more."""
    names = {engine.name for engine in settings.engines.configured}
    ports = {local_port(address_of(backend_config(engine, settings))) for engine in settings.engines.configured}
    return [item for item in await probe_local() if item.port not in ports and f"local{item.port}" not in names]


def engine_entry(engine: BackendSettings, settings: Settings, *, is_fallback: bool = False) -> Entry:
    """Make an engine as it is set; it is asked nothing yet.

    Raises:
        SettingsError: there is no such kind, or it may not be reached at that address.
    """
    prefix = engine.name.upper().replace("-", "_")
    kind = kind_of(engine.kind)
    if kind is None:
        given = engine.kind if engine.kind != engine.name else ""  # it was not said, the name stood for it
        raise SettingsError(
            Problem(
                name=f"{prefix}_KIND", value=given, allowed=_("one of {kind_names}", kind_names=", ".join(kind_names()))
            )
        )
    config = backend_config(engine, settings)
    try:
        if config.url:
            check_url(config.url, config.policy)
        backend = make_backend(config)
    except UrlRefused as refused:
        allowed = _("an address that may be used. {refused}", refused=refused)
        raise SettingsError(Problem(name=f"{prefix}_URL", value=engine.url, allowed=allowed)) from refused
    except ValueError as error:
        allowed = _("values that this kind of engine can read")
        raise SettingsError(Problem(name=f"{prefix}_*", value=", ".join(engine.options), allowed=allowed)) from error
    return Entry(
        config=config,
        backend=backend,
        concurrency=engine.concurrency,
        rate_per_minute=engine.rate_per_minute,
        is_fallback=is_fallback or bool(kind.fills or kind.finishes_with),
        fills=kind.fills,
        finishes=bool(kind.finishes_with),
    )


def backend_config(engine: BackendSettings, settings: Settings) -> BackendConfig:
    """Turn an engine's settings into what its backend receives."""
    return BackendConfig(
        name=engine.name,
        kind=engine.kind,
        url=engine.url,
        key=engine.key.get_secret_value(),
        label=engine.label,
        timeout_s=settings.queue.job_timeout_s,
        allow_insecure_http=settings.safety.allow_insecure_http,
        options=engine.options,
    )
