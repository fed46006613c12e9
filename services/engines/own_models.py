"""Models that Easel itself draws with: which can be fetched, agreeing to one, fetching it, deleting it.

Every door asks here, for admins alone. Nothing is fetched before somebody named the licence that they agree to, and a
request for a picture never fetches anything.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from generation.errors import BackendError, GenerationError, RequestRejected
from generation.person import Person
from lazy import dataclass
from services.moderation.audit import AuditAction, AuditService
from services.moderation.rights import Rights
from texts.text import _
from utils.clock import Clock
from utils.disks import is_full

log = logging.getLogger(__name__)

GB: Final = 10**9


class Known(Protocol):
    """A model that can be fetched; sizes in GB, rounded."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def licence_url(self) -> str: ...
    @property
    def size_gb(self) -> float: ...
    @property
    def memory_gb(self) -> float: ...
    @property
    def good_for(self) -> str: ...
    @property
    def is_commercial(self) -> bool: ...
    @property
    def is_gated(self) -> bool: ...
    @property
    def base(self) -> str: ...


class Keeper(Protocol):
    """Fetches, checks and removes models."""

    def known(self) -> list[Any]: ...
    def find(self, name: str) -> Any: ...
    def has(self, model: Any) -> bool: ...
    def shelf(self) -> Any: ...
    def machine(self) -> Any: ...
    async def plan(self, model: Any) -> Any: ...
    async def pull(self, plan: Any, on_bytes: Callable[[int], None]) -> None: ...
    def verify(self, model: Any) -> list[str]: ...
    def remove(self, model: Any) -> int: ...
    def licence_text(self, model: Any) -> str: ...
    async def aclose(self) -> None: ...


@dataclass(kw_only=True)
class Fetch:
    """Fetching one model: `done` of `total` bytes are here; `error` is what ended it before its end."""

    name: str
    total: int
    done: int
    began: float
    at_begin: int
    is_over: bool = False
    error: GenerationError | None = None
    per_s: float = 0.0

    @property
    def share(self) -> float:
        return min(1.0, self.done / self.total) if self.total else 1.0


@dataclass(frozen=True, kw_only=True)
class ModelOffer:
    """A model that can be fetched. `room` and `fits` say how it fits this machine, in a word and in words."""

    model: Known
    is_here: bool
    room: str
    fits: str
    fetch: Fetch | None = None


@dataclass(frozen=True, kw_only=True)
class ModelTerms:
    """The true size of a model, as the hub tells it, in bytes; `left` is not here yet."""

    offer: ModelOffer
    size: int
    left: int


@dataclass(frozen=True, kw_only=True)
class OwnShelf:
    """All that can be fetched, and the names of other models here; `hint`: how to get what draws with them."""

    offers: tuple[ModelOffer, ...]
    others: tuple[str, ...]
    can_draw: bool
    hint: str


async def nobody_waits() -> None:
    """Do nothing: no engine draws with what came."""


class OwnModels:
    """Fetches one model at a time, in the background. Call `aclose` at the end.

    Args:
        make_keeper: makes what fetches and deletes, with the first question.
        is_there: whether the packages are installed that draw with models; blocks for a moment.
        absent_hint: how to get them.
        rights: who is an admin.
        audit: where it is written down.
        clock: for the speed.
    """

    def __init__(
        self,
        make_keeper: Callable[[], Keeper],
        *,
        is_there: Callable[[], bool],
        absent_hint: str,
        rights: Rights,
        audit: AuditService,
        clock: Clock,
    ) -> None:
        self._make_keeper = make_keeper
        self._is_there = is_there
        self._hint = absent_hint
        self._rights = rights
        self._audit = audit
        self._clock = clock
        self._made: Keeper | None = None
        self._fetches: dict[str, Fetch] = {}
        self._task: asyncio.Task[None] | None = None
        self.on_change: Callable[[], Awaitable[None]] = nobody_waits  # awaited when a model has come or gone

    async def shelf(self, person: Person) -> OwnShelf:
        """Return what can be fetched and what is here.

        Raises:
            NotAllowed: this person is no admin.
        """
        self._rights.check_admin(person)
        return await asyncio.to_thread(self._look)

    def names(self) -> list[str]:
        """Return the names of models that can be fetched."""
        return [model.name for model in self._keeper.known()]

    def licence_of(self, name: str) -> str:
        """Return the name of a model's licence, which was shown to who agrees to it now."""
        return str(self._keeper.find(name).licence)

    async def terms(self, person: Person, name: str) -> ModelTerms:
        """Ask the hub for the size of a model, to be shown with its licence; nothing is fetched.

        Raises:
            NotAllowed: this person is no admin.
            RequestRejected: there is no such model, or another one has to be here first.
            GenerationError: the hub does not answer, or the disk has too little room.
        """
        self._rights.check_admin(person)
        __, terms = await self._planned(name)
        return terms

    async def begin(self, person: Person, name: str, licence: str) -> ModelOffer:
        """Fetch a model in the background, for somebody who names the licence that they agree to.

        Raises:
            NotAllowed, RequestRejected, GenerationError: as `terms`; also where another one is being fetched.
        """
        self._rights.check_admin(person)
        model = self._keeper.find(name)
        if licence.strip() != model.licence:
            message = _("{title} is fetched for who agrees to its licence: {licence}.",
                        title=model.title, licence=model.licence)  # fmt: skip
            raise RequestRejected(message, field="licence")
        if self._task is not None and not self._task.done():
            running = next(fetch.name for fetch in self._fetches.values() if not fetch.is_over)
            if running == model.name:
                return await asyncio.to_thread(self._offer, model, None)
            raise RequestRejected(
                _("{name} is being fetched: wait for its end, or stop it.", name=running), field="model"
            )
        plan, terms = await self._planned(model.name)
        here = terms.size - terms.left
        fetch = Fetch(name=model.name, total=terms.size, done=here, at_begin=here, began=self._clock.monotonic())
        details = _("fetched, agreeing to {licence}", licence=model.licence)
        await self._audit.record(
            self._audit.entry(person, AuditAction.MODELS, subject=model.name, details=str(details))
        )
        self._fetches[model.name] = fetch
        self._task = asyncio.create_task(self._fetch(plan, fetch))
        return await asyncio.to_thread(self._offer, model, None)

    async def stop(self, person: Person, name: str) -> None:
        """Stop fetching; what is here stays for the next time.

        Raises:
            NotAllowed: this person is no admin.
            RequestRejected: it is not being fetched.
        """
        self._rights.check_admin(person)
        fetch = self._fetches.get(self._keeper.find(name).name)
        if fetch is None or fetch.is_over or self._task is None:
            raise RequestRejected(_("{name} is not being fetched.", name=name), field="model")
        await _ended(self._task)

    async def remove(self, person: Person, name: str) -> int:
        """Delete a model; return the bytes that are free again.

        Raises:
            NotAllowed: this person is no admin.
            RequestRejected: it is not here, or is being fetched.
        """
        self._rights.check_admin(person)
        model = self._keeper.find(name)
        fetch = self._fetches.pop(model.name, None)
        if fetch is not None and not fetch.is_over:
            self._fetches[model.name] = fetch
            raise RequestRejected(_("{name} is being fetched: stop that first.", name=model.name), field="model")
        size = await asyncio.to_thread(self._keeper.remove, model)
        details = _("deleted")
        await self._audit.record(
            self._audit.entry(person, AuditAction.MODELS, subject=model.name, details=str(details))
        )
        await self.on_change()
        return size

    def fetch_of(self, name: str) -> Fetch | None:
        """Return how fetching a model goes on, or how it ended; None where nobody began it."""
        return self._fetches.get(name)

    async def wait(self, timeout_s: float) -> None:
        """Wait for the end of what is being fetched, but not for ever."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=timeout_s)

    async def aclose(self) -> None:
        """Stop what is being fetched; the next one goes on where it was."""
        if self._task is not None:
            await _ended(self._task)
        if self._made is not None:
            await self._made.aclose()

    @property
    def _keeper(self) -> Keeper:
        if self._made is None:
            self._made = self._make_keeper()
        return self._made

    def _look(self) -> OwnShelf:
        keeper = self._keeper
        machine = keeper.machine()
        known = keeper.known()
        names = {model.name for model in known}
        return OwnShelf(
            offers=tuple(self._offer(model, machine) for model in known),
            others=tuple(model.name for model in keeper.shelf().models if model.name not in names),
            can_draw=self._is_there(),
            hint=self._hint,
        )

    def _offer(self, model: Any, machine: Any) -> ModelOffer:
        machine = machine or self._keeper.machine()
        return ModelOffer(
            model=model,
            is_here=self._keeper.has(model),
            room=str(machine.room_of(model)),
            fits=machine.words_for(model),
            fetch=self._fetches.get(model.name),
        )

    async def _planned(self, name: str) -> tuple[Any, ModelTerms]:
        keeper = self._keeper
        model = keeper.find(name)
        check_base(keeper, model)
        plan = await keeper.plan(model)
        offer = await asyncio.to_thread(self._offer, model, None)
        return plan, ModelTerms(offer=offer, size=plan.size, left=plan.left)

    async def _fetch(self, plan: Any, fetch: Fetch) -> None:
        def came(count: int) -> None:
            fetch.done += count
            spent_s = max(0.1, self._clock.monotonic() - fetch.began)
            fetch.per_s = max(0.0, (fetch.done - fetch.at_begin) / spent_s)

        try:
            await self._keeper.pull(plan, came)
            await self.on_change()
        except GenerationError as error:
            fetch.error = error
        except OSError as error:
            log.warning("a model could not be written: %s", error)
            words = _("The disk is full.") if is_full(error) else _("A file of the model could not be written.")
            fetch.error = BackendError(words, hint=_("Make room, then fetch it again: it goes on where it stopped."))
        except asyncio.CancelledError:
            fetch.error = BackendError(_("It was stopped. The next time goes on from here."))
            raise
        except Exception:
            log.exception("fetching a model failed", extra={"action": "pull_failed", "model": fetch.name})
            fetch.error = BackendError(_("The model could not be fetched."), hint=_("The log of Easel shows why."))
        finally:
            fetch.is_over = True


def check_base(keeper: Keeper, model: Any) -> None:
    """Refuse a model that is loaded into another one which is not here.

    Raises:
        RequestRejected: with which one that is.
    """
    if model.base and not keeper.has(keeper.find(model.base)):
        message = _("{name} is loaded into {base}: fetch that first.", name=model.name, base=model.base)
        raise RequestRejected(message, field="model")


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
