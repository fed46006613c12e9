"""The kinds of engines: those in this folder, and those of other packages.

Another package names its `EngineKind` as an entry point of the group `easel.backends`, whether it comes with Easel
(`packages/`) or was installed.
"""

import logging
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import httpx

import backends
from backends.base import Backend, BackendConfig
from backends.kind import CheckKind, EngineKind
from backends.packages import PACKAGES, entry_points_in
from backends.quality import answers_of, grade_of
from net.client import BearerAuth, key_auth, make_client
from texts.text import _

log = logging.getLogger(__name__)

ENTRY_POINT_GROUP: Final = "easel.backends"
UNKNOWN: Final = _("that kind of engine")

_kinds: dict[str, EngineKind] = {}
_packages: dict[str, str] = {}  # where each comes from


def register(kind: EngineKind) -> EngineKind:
    """Announce a kind; one of the same name is replaced."""
    _kinds[kind.name] = kind
    return kind


def known_kinds() -> tuple[EngineKind, ...]:
    """Return every kind, those that come with Easel first."""
    _load()
    return tuple(_kinds.values())


def kind_names() -> tuple[str, ...]:
    return tuple(sorted(kind.name for kind in known_kinds()))


def kind_of(name: str) -> EngineKind | None:
    """Return a kind by its name, None if there is none in this version."""
    _load()
    return _kinds.get(name)


def grade_of_kind(name: str) -> str:
    """Return a kind's grade in a word, empty where it has none. The first call for a kind reads its file."""
    return _grade_in(_packages.get(name, "")) if kind_of(name) else ""


def read_grades(names: Iterable[str]) -> None:
    """Read the grades of some kinds, in a thread before anybody asks for one: 3 ms each, as TOML is read in Python."""
    for name in names:
        grade_of_kind(name)


def connectable() -> tuple[EngineKind, ...]:
    """Return the kinds that people may bring one of."""
    return tuple(kind for kind in known_kinds() if kind.is_connectable)


def kind_typed(typed: str) -> EngineKind | None:
    """Return the kind that people mean by a word, its own name or another one for it."""
    word = typed.strip().lower()
    return next((kind for kind in connectable() if word in kind.labels or word in kind.also), None)


def picture_check() -> CheckKind | None:
    """Return the check of finished pictures that can be had, whether or not its packages are there."""
    return next((kind.check for kind in known_kinds() if kind.check), None)


def usual_ports() -> tuple[int, ...]:
    """Return where engines are looked for on this machine."""
    return tuple(sorted({port for kind in known_kinds() for port in kind.local_ports}))


def address_of(config: BackendConfig) -> str:
    """Return where an engine is, at its kind's own address if none was set; empty if it is a part of Easel."""
    kind = kind_of(config.kind)
    return config.url.strip() or (kind.public_url or kind.local_url if kind else "")


def make_backend(config: BackendConfig) -> Backend:
    """Make an engine's backend.

    Raises:
        ValueError: there is no such kind, or it cannot read one of the options.
    """
    kind = kind_of(config.kind)
    if kind is None:
        raise ValueError(f"{config.kind!r} is no kind of backend; known: {', '.join(kind_names())}")
    for name, value in config.options.items():
        if (option := kind.option(name)) and not option.accepts(value):
            raise ValueError(f"{name} of {config.name} is {value!r}; it must be {option.rule}")
    return kind.make(config)


def headers_and_auth(config: BackendConfig) -> tuple[dict[str, str], httpx.Auth | None]:
    """Return how an engine wants its key; an app that is logged in to gets none here."""
    kind = kind_of(config.kind)
    use = kind.key_use if kind else "proxy"
    if kind and use == "apikey":
        key = config.key or kind.anonymous_key
        return ({kind.key_header: f"{kind.key_prefix}{key}"} if key else {}), None
    if use == "bearer":
        return {}, BearerAuth(config.key) if config.key else None
    return {}, None if wants_login(config) else key_auth(config.key)


def hosted_client(
    config: BackendConfig, transport: httpx.AsyncBaseTransport | None
) -> tuple[BackendConfig, httpx.AsyncClient]:
    """Return a hosted engine with the root of its address, else its public one, and a client that sends its key."""
    kind = kind_of(config.kind)
    assert kind, "its own backend asks"
    root = (config.url or kind.public_url).strip().rstrip("/")
    for end in kind.cut:
        root = root.removesuffix(end)
    config = replace(config, url=root)
    headers, auth = headers_and_auth(config)
    client = make_client(config.endpoint, transport=transport, auth=auth)
    client.headers.update(headers)
    return config, client


def wants_login(config: BackendConfig) -> bool:
    """Return whether a user name and a password are traded for a cookie."""
    kind = kind_of(config.kind)
    return kind is not None and kind.key_use == "login" and ":" in config.key


@cache
def _load() -> None:
    """Import the kinds once: another package's entry points mean a walk through all that is installed."""
    for kind, package in (*_built_in(), *_plugged_in()):
        if kind.name not in _kinds:
            _kinds[kind.name] = kind
            _packages[kind.name] = package


def _built_in() -> Iterator[tuple[EngineKind, str]]:
    for folder in pkgutil.iter_modules(backends.__path__):
        if folder.ispkg:
            yield import_module(f"backends.{folder.name}.kind").KIND, f"backends.{folder.name}"


def _plugged_in() -> Iterator[tuple[EngineKind, str]]:
    for point in (*entry_points_in(PACKAGES, ENTRY_POINT_GROUP), *entry_points(group=ENTRY_POINT_GROUP)):
        if (kind := _loaded(point)) is not None:
            yield kind, sys.modules[point.module].__package__ or ""


@cache
def _grade_in(package: str) -> str:
    """Return the grade that a package's folder answers for; a module that is in no package has no such folder."""
    try:
        return grade_of(answers_of(package)) if package else ""
    except (OSError, ValueError) as error:
        log.warning("the grade of %s cannot be computed: %s", package, error, extra={"action": "plugin_failed"})
        return ""


def _loaded(point: EntryPoint) -> EngineKind | None:
    """Return what an entry point names; a package that fails must not keep the other engines away."""
    fields = {"action": "plugin_failed", "plugin": point.name}
    try:
        kind = point.load()
    except Exception as error:
        log.error("the engine %s of another package could not be loaded: %s", point.name, error, extra=fields)
        log.debug("how", exc_info=True)
        return None
    if isinstance(kind, EngineKind):
        return kind
    log.error("the engine %s of another package is no EngineKind: %s", point.name, point.value, extra=fields)
    return None
