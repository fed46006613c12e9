"""Lists to choose from: engines, models, samplers, LoRAs. Answers from memory, probing is done elsewhere."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from backends.base import DeviceMemory, LoadedModel
from backends.kinds import grade_of_kind, kind_of, kind_typed
from backends.registry import BackendRegistry, Entry
from generation.capabilities import Capabilities, Fit, fit
from generation.errors import BackendUnavailable
from generation.person import Person
from generation.prices import PriceLine
from generation.request import Draft, Mode
from generation.resolve import resolve_for
from generation.samplers import match_name
from lazy import dataclass, pattern
from texts.text import _

MAX_CHOICES = 25
ENGINES = "engines"
FLUX = pattern(r"flux|schnell", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One engine as people see it: no URL, no key. `error` says why it is down."""

    name: str
    label: str
    kind: str
    owner_kind: str  # "easel", "user", "guild"
    is_fallback: bool
    capabilities: Capabilities | None
    error: str | None
    hint: str = ""
    owner_hint: str = ""
    is_paid: bool = False
    is_flux_app: bool = False
    kind_title: str = ""
    grade: str = ""  # of its support, in a word
    fills: frozenset[Mode] = frozenset()  # what it does wherever no other engine can
    prices: tuple[PriceLine, ...] = ()  # what its models cost, where it charges and they are known
    loads: bool = False  # Easel itself loads its models
    loaded: LoadedModel | None = None  # in its memory, where that is so

    @property
    def is_up(self) -> bool:
        """Return whether no fault is known; one that was just connected may not have been asked yet."""
        return self.error is None

    @property
    def is_flux(self) -> bool:
        """Return whether it is a Flux app, or has a Flux model."""
        models = (self.capabilities.models if self.capabilities else None) or ()
        return self.is_flux_app or any(FLUX.search(f"{model.name} {model.title}") for model in models)


@dataclass(frozen=True, kw_only=True)
class NameList:
    """One of an engine's lists: `title` in words, the names as people see them; `loaded` are in memory there."""

    key: str
    title: str
    names: tuple[str, ...]
    loaded: frozenset[str] = frozenset()
    licences: Mapping[str, str] = field(default_factory=dict)  # by the name, where they are known


def lists_of(capabilities: Capabilities) -> list[NameList]:
    """Return everything an engine has by name, the lists that are empty or not known left out."""
    models = capabilities.models or ()
    loaded = frozenset(model.title for model in models if model.is_loaded)
    titles, licences = tuple(model.title for model in models), {m.title: m.licence for m in models if m.licence}
    lists = [NameList(key="models", title=_("models"), names=titles, loaded=loaded, licences=licences)]
    for key, title, names in (
        ("loras", _("LoRAs"), capabilities.loras),
        ("vaes", _("VAEs"), capabilities.vaes),
        ("upscalers", _("upscalers"), capabilities.upscalers),
        ("controls", _("ControlNets"), (*capabilities.control_kinds, *(capabilities.control_models or ()))),
        ("embeddings", _("embeddings"), capabilities.embeddings),
        ("samplers", _("samplers"), capabilities.samplers),
        ("schedulers", _("schedulers"), capabilities.schedulers),
        ("styles", _("styles"), capabilities.styles),
    ):
        lists.append(NameList(key=key, title=title, names=tuple(dict.fromkeys(names or ()))))
    return [entry for entry in lists if entry.names]


class Catalog:
    """Choices for one person in one server."""

    def __init__(self, registry: BackendRegistry, *, off: Mapping[str, str] | None = None, preferred: str = "") -> None:
        self._registry = registry
        self._preferred = preferred
        self.off = off or {}  # the name of an engine that is switched off, by its kind

    def preferred(self, person: Person) -> Engine | None:
        """Return the engine that is set to draw where a request names none."""
        return self.engine(self._preferred, person) if self._preferred else None

    def announce(self, remote_id: str) -> bool:
        """Have a remote job asked for now that its server calls back for; return whether it is one of ours."""
        return self._registry.announce(remote_id)

    def how_to_get(self, word: str) -> tuple[str, str] | None:
        """Return what a service is called that a word stands for, and which setting brings it here."""
        kind = kind_typed(word) or kind_of(word)
        if kind is None:
            return None
        if name := self.off.get(kind.name):
            variable = f"{name.upper().replace('-', '_')}_ENABLED"
            return kind.title, _("It is switched off: set {variable}=yes, then start Easel again.", variable=variable)
        variable = kind.key_variable if kind.is_hosted else f"{kind.name.upper()}_URL"
        return kind.title, _("Set {variable} in .env, then start Easel again.", variable=variable)

    def engines(self, person: Person, *, with_fallback: bool = False) -> list[Engine]:
        """Engines this person may use here, the preferred first; the fallback only when asked for or the only one."""
        entries = self._registry.visible(person)
        if with_fallback:
            return [_engine(entry) for entry in entries]
        real = [entry for entry in entries if not entry.is_fallback]
        return [_engine(entry) for entry in real or entries if not entry.fills]

    async def memory(self, engines: Iterable[Engine]) -> Mapping[str, tuple[DeviceMemory, ...]]:
        """Return the memory of the GPUs of engines that tell it, by the engine's name."""
        return await self._registry.memory(engine.name for engine in engines)

    async def load(self, engine: Engine, model: str) -> LoadedModel | None:
        """Have a model in an engine's memory; None where that is not for Easel to do.

        Raises:
            GenerationError: it cannot be loaded.
        """
        return await self._registry.load(engine.name, model)

    def engines_and_fillers(self, person: Person) -> list[Engine]:
        """Return the engines this person may use here, and what does for them what they cannot."""
        fillers = [entry for entry in self._registry.visible(person) if entry.fills]
        return [*self.engines(person), *map(_engine, fillers)]

    def engine(self, wanted: str, person: Person) -> Engine | None:
        """Find an engine by name, label or kind; the fallback too, since it may be asked for by name."""
        entry = find_entry(wanted, self._registry.visible(person))
        return _engine(entry) if entry else None

    def engines_for(self, draft: Draft, person: Person) -> list[Engine]:
        """Return the engines that a draft may go to: the one it names, else all."""
        named = self.engine(draft.backend, person) if draft.backend else None
        return [named] if named else self.engines(person)

    def engines_and_fillers_for(self, draft: Draft, person: Person) -> list[Engine]:
        """Return the engines that a draft may go to: the one it names, else all, and what fills their gaps."""
        named = self.engine(draft.backend, person) if draft.backend else None
        return [named] if named else self.engines_and_fillers(person)

    def modes(self, person: Person) -> frozenset[Mode]:
        """Return what any engine here can do for this person."""
        engines = self.engines_and_fillers(person)
        return frozenset().union(
            *(engine.fills or engine.capabilities.modes for engine in engines if engine.capabilities)
        )

    def all_modes(self) -> frozenset[Mode]:
        """Return what the engines can do that anybody has connected, also those that are down now."""
        known = [entry for entry in self._registry if entry.capabilities]
        return frozenset().union(*(entry.fills or entry.capabilities.modes for entry in known if entry.capabilities))

    def is_known(self) -> bool:
        """Return whether every engine has told what it can do."""
        return all(entry.capabilities for entry in self._registry)

    def most_pictures(self, person: Person) -> int:
        """Return how many input pictures the engine takes that takes most, without a workflow named for it."""
        known = [engine.capabilities for engine in self.engines(person) if engine.capabilities]
        return max((capabilities.max_images for capabilities in known), default=1)

    async def refresh(self, person: Person) -> None:
        """Ask the visible engines again, so that lists shown next are fresh."""
        entries = self._registry.visible(person)
        await asyncio.gather(*(self._registry.refresh(entry.name) for entry in entries))

    def without_unknown(self, draft: Draft, person: Person) -> tuple[Draft, tuple[str, ...]]:
        """Leave out the names in a draft that no engine here knows; return the rest, and a remark on each."""
        known = [engine.capabilities for engine in self.engines(person) if engine.capabilities]
        notes: list[str] = []

        def is_known(**named: Any) -> bool:
            probe = Draft(prompt="fox", mode=Mode.TXT2IMG, **named)
            return not known or any(isinstance(fit(resolve_for(probe, can), can), Fit) for can in known)

        for what, word in {"model": "model", "sampler": "sampler", "scheduler": "scheduler", "vae": "VAE"}.items():
            name = getattr(draft, what)
            if name and not is_known(**{what: name}):
                notes.append(_("{what} {name} is not here", what=word, name=name))
                draft = _without(draft, what)
        loras = tuple(lora for lora in draft.loras if is_known(loras=(lora,)))
        styles = tuple(style for style in draft.styles if is_known(styles=(style,)))
        notes += [_("LoRA {name} left out", name=lora.name) for lora in draft.loras if lora not in loras]
        notes += [_("style {style} is not here", style=style) for style in draft.styles if style not in styles]
        if draft.hires and draft.hires.upscaler and not is_known(hires=draft.hires):
            notes.append(_("upscaler {upscaler} is not here", upscaler=draft.hires.upscaler))
            draft = replace(draft, hires=replace(draft.hires, upscaler=None))
        return replace(draft, loras=loras, styles=styles), tuple(notes)

    def suggest(self, what: str, typed: str, person: Person, *, backend: str | None = None) -> list[tuple[str, str]]:
        """Return up to 25 (shown, value) pairs for `what`: a list of `Capabilities`, or `ENGINES`.

        Substring match; names that start with what was typed come first, loaded models before others (● / ○).
        """
        engines = self.engines(person)
        if backend and (wanted := self.engine(backend, person)):
            engines = [wanted]
        if what == ENGINES:
            pairs = [(engine.label, engine.name) for engine in engines]
        else:
            pairs = _pairs(what, [engine.capabilities for engine in engines if engine.capabilities])
        needle = typed.casefold().strip()
        once: dict[str, tuple[str, str]] = {}
        for pair in pairs:  # one that several engines have is listed once, as loaded where it is on any
            if pair[1] not in once or pair[0].startswith("●"):
                once[pair[1]] = pair
        hits = [pair for pair in once.values() if needle in pair[0].casefold() or needle in pair[1].casefold()]
        hits.sort(key=lambda pair: not any(name.lstrip("●○ ").casefold().startswith(needle) for name in pair))
        return [(shown[:100], value) for shown, value in hits if len(value) <= 100][:MAX_CHOICES]


def _without(draft: Draft, name: str) -> Draft:
    nothing: dict[str, Any] = {name: None}
    return replace(draft, **nothing)


def find_entry(wanted: str, entries: Iterable[Entry]) -> Entry | None:
    """Find an engine by its name, its label, its kind, or another word for that."""
    entries = list(entries)
    for names in ([e.name for e in entries], [e.label for e in entries], [e.config.kind for e in entries]):
        found = match_name(wanted, names)
        if found is not None:
            return entries[names.index(found)]
    kind = kind_typed(wanted)
    return next((entry for entry in entries if kind and entry.config.kind == kind.name), None)


def no_engine() -> BackendUnavailable:
    """Return what to raise where a person may use no engine at all."""
    return BackendUnavailable(_("There is no engine here yet: connect one, or ask whoever runs Easel to set one."))


def _pairs(what: str, all_capabilities: list[Capabilities]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for capabilities in all_capabilities:
        if what == "models":
            models = sorted(capabilities.models or (), key=lambda model: not model.is_loaded)
            pairs += [(f"{'●' if model.is_loaded else '○'} {model.title}", model.name) for model in models]
        else:
            pairs += [(name, name) for name in getattr(capabilities, what) or ()]
    return pairs


def _engine(entry: Entry) -> Engine:
    kind = kind_of(entry.config.kind)
    return Engine(
        name=entry.name,
        label=entry.label,
        kind=entry.config.kind,
        owner_kind=entry.owner.kind,
        is_fallback=entry.is_fallback,
        capabilities=entry.capabilities,
        error=entry.error.user_message if entry.error else None,
        hint=entry.error.hint if entry.error else "",
        owner_hint=entry.error.owner_hint if entry.error else "",
        is_paid=entry.backend.is_paid,
        is_flux_app=kind is not None and kind.is_flux_app,
        kind_title=kind.title if kind else entry.config.kind,
        grade=grade_of_kind(entry.config.kind),
        fills=entry.fills,
        prices=entry.prices,
        loads=entry.loads,
        loaded=entry.loaded,
    )
