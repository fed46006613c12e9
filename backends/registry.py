"""The engines there are: whose they are, what they can do, and which of them suit a request."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import field

from backends.base import (
    AnnouncedBackend,
    Backend,
    BackendConfig,
    DeviceMemory,
    FinishingBackend,
    LoadedModel,
    LoadingBackend,
    MemoryTellingBackend,
    QuotingBackend,
)
from backends.kinds import kind_of
from backends.prices import PricedBackend
from generation.capabilities import Capabilities, Fit, Refused, fit
from generation.errors import BackendError, BackendUnavailable, GenerationError
from generation.person import Person
from generation.prices import PriceLine
from generation.request import GenerationRequest, Mode
from lazy import dataclass
from texts.text import _
from utils.clock import Clock
from utils.provenance import TRAINED

log = logging.getLogger(__name__)

PROBE_TIMEOUT_S = 10.0
FRESH_S = 60.0  # capabilities older than this are asked for again in the background
FRESH_DOWN_S = 10.0  # the same for an engine that was down
QUOTE_TIMEOUT_S = 2.0  # a form waits for it
MEMORY_WAIT_S = 2.0  # Prometheus waits for it
MB = 1024**2
RETRY_DOWN_S = 5.0  # when it is the only hope, a request waits for a new probe; A1111 dies of more while it boots


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The owner of an engine: the owner of Easel ("easel"), one user ("user") or one server ("guild")."""

    kind: str = "easel"
    id: str = ""

    @classmethod
    def of(cls, person: Person) -> "Owner":
        """Return the owner of what this person brings for themselves."""
        return cls(kind="user", id=person.user_id)

    def shares_with(self, person: Person) -> bool:
        """Return whether this person may use the engine where they are now."""
        if self.kind == "guild":
            return self.id == person.guild_id
        return self.kind == "easel" or self == Owner.of(person)


EASEL = Owner()
_RANK = {"user": 0, "guild": 1, "easel": 2}


@dataclass
class Entry:
    """One engine in use. `capabilities` are the last known ones; `error` says why it is down now."""

    config: BackendConfig
    backend: Backend
    owner: Owner = EASEL
    concurrency: int = 1
    rate_per_minute: float | None = None
    is_fallback: bool = False  # used only by name, or when there is nothing else
    fills: frozenset[Mode] = frozenset()  # of a fallback: what it does wherever no other engine can
    finishes: bool = False  # of a fallback: takes what another composes further, and goes before it
    is_drained: bool = False  # an admin lets it take nothing new
    is_paused: bool = False  # an admin lets it start nothing: others go before it
    is_found: bool = False  # found on this machine, not set: others go before it
    capabilities: Capabilities | None = None
    error: BackendError | None = None
    checked_at: float = field(default=float("-inf"))
    borrowed: int = 0  # jobs running on it now; one that was removed closes after the last of them

    def __post_init__(self) -> None:
        # asked for at each card: to look at a protocol's members takes Python 3.11 a tenth of a millisecond
        self._priced = self.backend if isinstance(self.backend, PricedBackend) else None
        self._loading = self.backend if isinstance(self.backend, LoadingBackend) else None

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def lines_up(self) -> bool:
        """Return whether it takes a request while it draws another."""
        return self.capabilities is not None and self.capabilities.lines_up

    @property
    def label(self) -> str:
        return self.config.label or self.config.name

    @property
    def prices(self) -> tuple[PriceLine, ...]:
        """Return what its models cost, where it charges and knows."""
        return self._priced.prices() if self._priced else ()

    @property
    def loads(self) -> bool:
        """Return whether Easel itself loads its models."""
        return self._loading is not None

    @property
    def loaded(self) -> LoadedModel | None:
        """Return the model in its memory, where Easel itself loads it."""
        return self._loading.loaded() if self._loading else None

    @property
    def rate_per_s(self) -> float | None:
        return self.rate_per_minute / 60 if self.rate_per_minute else None


class BackendRegistry:
    """The engines of this process. Adding and removing is immediate; probing is separate and never raises."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}
        self._probes: dict[int, asyncio.Task[None]] = {}  # by the id of the entry: one name may change hands
        self._closing: set[asyncio.Task[None]] = set()
        self.on_change: list[Callable[[str], None]] = []  # told the name of an engine that came, went or was probed

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def get(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def label(self, name: str) -> str:
        """Return an engine's name as people know it; one that is gone is called by its lane."""
        entry = self._entries.get(name)
        return entry.label if entry else name

    def announce(self, remote_id: str) -> bool:
        """Have a remote job asked for now, whichever engine follows it; return whether one does."""
        hearing = [entry.backend for entry in self if isinstance(entry.backend, AnnouncedBackend)]
        return any([backend.announce(remote_id) for backend in hearing])

    def source_type(self, name: str) -> str:
        """Return how IPTC calls what an engine's pictures come from."""
        entry = self._entries.get(name)
        kind = kind_of(entry.config.kind) if entry else None
        return kind.source_type if kind else TRAINED

    def add(self, entry: Entry) -> Entry:
        """Take an engine in; one of the same name is replaced (and closed)."""
        old = self._entries.get(entry.name)
        self._entries[entry.name] = entry
        if isinstance(entry.backend, FinishingBackend):
            entry.backend.work_with(self)
        if old is not None and old is not entry and not old.borrowed:
            self._close_later(old)
        self._changed(entry.name)
        return entry

    def adjusted(self, name: str) -> None:
        """Publish that an engine takes more or less at once than before, or is called otherwise."""
        self._changed(name)

    async def remove(self, name: str) -> None:
        """Take an engine out: nothing new starts on it, what runs there may finish."""
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._changed(name)
            if not entry.borrowed:
                await _close(entry)

    @asynccontextmanager
    async def borrow(self, name: str) -> AsyncIterator[Backend | None]:
        """Hold an engine for one job; `None` if it is no longer connected."""
        entry = self._entries.get(name)
        if entry is None:
            yield None
            return
        entry.borrowed += 1
        try:
            yield entry.backend
        finally:
            entry.borrowed -= 1
            if not entry.borrowed and self._entries.get(name) is not entry:
                await _close(entry)

    async def load(self, name: str, model: str) -> LoadedModel | None:
        """Have a model in an engine's memory; None where that is not for Easel to do.

        Raises:
            GenerationError: it cannot be loaded.
        """
        async with self.borrow(name) as backend:
            if not isinstance(backend, LoadingBackend):
                return None
            loaded = await backend.load(model)
        await self.refresh(name)
        return loaded

    async def memory(self, names: Iterable[str], wait_s: float = MEMORY_WAIT_S) -> dict[str, tuple[DeviceMemory, ...]]:
        """Ask engines for the memory of their GPUs, all at once; one that does not say in time is left out."""
        asked = tuple(names)
        answers = await asyncio.gather(*(self._memory_of(name, wait_s) for name in asked))
        return {name: devices for name, devices in zip(asked, answers, strict=True) if devices}

    async def _memory_of(self, name: str, wait_s: float) -> tuple[DeviceMemory, ...]:
        entry = self._entries.get(name)
        if entry is None or entry.error:
            return ()
        if (own := entry.loaded) and own.total_mb is not None and own.free_mb is not None:
            return (DeviceMemory(device=own.device, total_bytes=own.total_mb * MB, free_bytes=own.free_mb * MB),)
        async with self.borrow(name) as backend:
            if not isinstance(backend, MemoryTellingBackend):
                return ()
            with suppress(GenerationError, TimeoutError):
                async with asyncio.timeout(wait_s):
                    return await backend.memory()
        return ()

    async def refresh(self, name: str) -> Entry | None:
        """Ask one engine what it can do, and remember that or the error. Several callers share one probe."""
        if name not in self._entries:
            return None
        await asyncio.shield(self._probing(self._entries[name]))
        return self._entries.get(name)

    async def refresh_all(self) -> None:
        await asyncio.gather(*(self.refresh(name) for name in tuple(self._entries)))

    async def ready(self, entries: list[Entry]) -> None:
        """Make sure each engine was probed once; refresh old knowledge in the background.

        An engine that was down is waited for only when nothing is known of any other.
        """
        now = self._clock.monotonic()
        is_any_known = any(entry.capabilities is not None for entry in entries)
        wanted = []
        for entry in entries:
            age_s = now - entry.checked_at
            if entry.capabilities is None and (age_s == float("inf") or not is_any_known):
                if age_s >= RETRY_DOWN_S:
                    wanted.append(self.refresh(entry.name))
            elif age_s > (FRESH_S if entry.error is None else FRESH_DOWN_S):
                self._probing(entry)
        await asyncio.gather(*wanted)

    def visible(self, person: Person) -> list[Entry]:
        """Engines this person may use here: their own first, then the server's, then everybody's; fallbacks last."""
        mine = [entry for entry in self._entries.values() if entry.owner.shares_with(person)]
        return sorted(mine, key=_place)

    def fit(self, name: str, request: GenerationRequest) -> Fit | Refused:
        """Bend a request to one engine by its last known capabilities."""
        entry = self._entries.get(name)
        if entry is None:
            return Refused(reasons=(_("it is no longer connected"),))
        if entry.capabilities is None:
            reason = entry.error.user_message if entry.error else _("it has not answered yet")
            return Refused(reasons=(reason,))
        return fit(request, entry.capabilities)

    async def quote(self, entry: Entry, request: GenerationRequest) -> float | None:
        """Return what a request costs in US dollars, None where nobody can say; asked for a moment only."""
        if not entry.backend.is_paid:
            return 0.0
        if isinstance(entry.backend, QuotingBackend):
            with suppress(BackendError, TimeoutError):
                async with asyncio.timeout(QUOTE_TIMEOUT_S):
                    return await entry.backend.quote(request)
        return None

    def mark_down(self, name: str, error: BackendError) -> None:
        """Remember what jobs found (a wrong key, no answer again and again); the next probe decides again."""
        if entry := self._entries.get(name):
            level = logging.DEBUG if entry.error else logging.ERROR  # told once, not by every job that waits there
            entry.error = error
            fields = {"action": "backend_down", "backend": name, "error": str(error)}
            log.log(level, "backend fails its jobs", extra=fields)
            self._changed(name)

    async def aclose(self) -> None:
        for task in tuple(self._probes.values()):
            task.cancel()
        await asyncio.gather(*self._probes.values(), return_exceptions=True)
        for name in tuple(self._entries):
            await self.remove(name)
        await asyncio.gather(*self._closing)

    def _close_later(self, entry: Entry) -> None:
        task = asyncio.create_task(_close(entry))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _probing(self, entry: Entry) -> asyncio.Task[None]:
        """Return the probe of an engine that is under way, or begin one."""
        task = self._probes.get(id(entry))
        if task is None:
            task = self._probes[id(entry)] = asyncio.create_task(self._probe(entry))
            task.add_done_callback(lambda __: self._probes.pop(id(entry), None))
        return task

    async def _probe(self, entry: Entry) -> None:
        was_down = entry.error is not None
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                capabilities = await entry.backend.capabilities()
        except TimeoutError:
            entry.error = BackendUnavailable(
                _(
                    "{label} did not answer within {probe_timeout_s:.0f} s.",
                    label=entry.label,
                    probe_timeout_s=PROBE_TIMEOUT_S,
                )
            )
        except BackendError as error:
            entry.error = error
        except GenerationError as error:
            failure = BackendError(error.user_message, detail=error.detail, hint=error.hint)
            entry.error = failure.for_owner(error.owner_hint)
        except Exception:  # a fault of ours in one backend must not stop requests to the others
            log.exception("probe crashed", extra={"action": "backend_down", "backend": entry.name})
            entry.error = BackendError(_("{label} could not be asked what it can do.", label=entry.label))
        else:
            if entry.error is not None or entry.capabilities is None:
                log.info("backend is up", extra={"action": "backend_up", "backend": entry.name})
            entry.capabilities, entry.error = capabilities, None
        if entry.error is not None:
            level = logging.DEBUG if was_down else logging.WARNING  # a box that is off for the night is told once
            fields = {"action": "backend_down", "backend": entry.name, "error": str(entry.error)}
            log.log(level, "backend is down", extra=fields)
        entry.checked_at = self._clock.monotonic()
        self._changed(entry.name)

    def _changed(self, name: str) -> None:
        for tell in self.on_change:
            tell(name)


def _place(entry: Entry) -> tuple[bool, bool, bool, int]:
    return entry.is_fallback, bool(entry.fills), not entry.finishes, _RANK[entry.owner.kind]


async def _close(entry: Entry) -> None:
    try:
        await entry.backend.aclose()
    except Exception:
        log.exception("could not close a backend", extra={"action": "backend_down", "backend": entry.name})
