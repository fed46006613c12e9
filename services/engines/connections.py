"""Engines that people bring along (`/sdconnect`): tested first, then kept with a sealed key, back after a restart.

A connection belongs to one user or one server, which sees and uses only its own. Nothing here says a URL or a key.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable
from typing import Final, Protocol

from backends.base import BackendConfig
from backends.diagnose import Diagnosis as Diagnosis  # what doors render comes through this room
from backends.diagnose import diagnose
from backends.kind import EngineKind as EngineKind
from backends.kinds import address_of, connectable, kind_typed, make_backend
from backends.registry import BackendRegistry, Entry
from backends.registry import Owner as Owner
from constants import DEFAULT_JOB_TIMEOUT_S
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, GenerationError, RequestRejected
from lazy import dataclass
from settings.safety import SafetySettings
from store.connections import Connection as Connection
from store.connections import ConnectionStore, OwnerKind
from texts.text import _, joined
from utils.clock import Clock
from utils.urls import UrlPolicy, UrlRefused, check_url

log = logging.getLogger(__name__)

MAX_KEY_CHARS: Final = 1000
MAX_LABEL_CHARS: Final = 60
_UNREACHED = frozenset({"dns", "connect", "tls", "http"})


class NotConnected(GenerationError):
    """You have connected no engine of your own."""

    code = "not_connected"

    def __init__(self) -> None:
        super().__init__(hint=_("Connect yours: `{usage}`", usage=usage()))


class Examine(Protocol):
    """`backends.diagnose.diagnose`, or a test's stand-in."""

    def __call__(self, config: BackendConfig) -> Awaitable[Diagnosis]: ...


@dataclass(frozen=True, kw_only=True)
class Connected:
    """A new connection: what its test found, and the engine as it is used from now on."""

    diagnosis: Diagnosis
    entry: Entry
    connection: Connection


def connectable_kinds() -> tuple[EngineKind, ...]:
    """Return the kinds that people may bring one of, in this version."""
    return connectable()


def connectable_types() -> tuple[str, ...]:
    """Return what may be typed as the type of a connection, in this version."""
    return tuple(typed for kind in connectable() for typed in kind.labels)


def usage() -> str:
    """Return a command that connects an engine, as an example."""
    kind = connectable()[0]
    return _("/sdconnect type:{word} url:{example}", word=kind.word, example=kind.example)


def needs_address(kind: str) -> bool:
    """Return whether a type of connection, as typed, needs an address; a hosted one is at its public one."""
    found = kind_typed(kind)
    return found is None or not found.address_for(kind)


def kind_title(word: str) -> str:
    """Return what people call an engine that is connected by this word."""
    found = kind_typed(word)
    return found.labels.get(word, found.title) if found else word


def label_for(person: str, kind: str) -> str:
    """Return how a connection is called where people see it: "Mia's Forge"."""
    found = kind_typed(kind)
    title = found.labels.get(kind.strip().lower(), found.title) if found else kind.capitalize()
    return f"{person[: MAX_LABEL_CHARS - len(title) - 3]}'s {title}" if person else title


def lane_of(owner: Owner) -> str:
    """The engine's name in queue and registry: the same after each restart and each change of address."""
    return f"{owner.kind}-{owner.id}"


def shown_lane(lane: str, user_id: str) -> str:
    """Return an engine's name as this person may read it: of somebody else's, whose it is stays out."""
    kind, __, owner_id = lane.partition("-")
    return kind if kind in ("user", "guild") and owner_id and owner_id != user_id else lane


class ConnectionService:
    """Connect, test, disconnect. The address rules for people are stricter than those for the owner's settings."""

    def __init__(
        self,
        registry: BackendRegistry,
        store: ConnectionStore,
        *,
        clock: Clock,
        safety: SafetySettings | None = None,
        timeout_s: float = DEFAULT_JOB_TIMEOUT_S,
        examine: Examine = diagnose,
        trusted: frozenset[str] = frozenset(),
    ) -> None:
        """Args beyond the plain ones.

        trusted: users who may bring engines at any address, as the owner's settings may.
        """
        self._registry = registry
        self._store = store
        self._clock = clock
        self.use(safety or SafetySettings(), trusted)
        self._timeout_s = timeout_s
        self._examine = examine
        self._changing = asyncio.Lock()  # table and registry change together

    def use(self, safety: SafetySettings, trusted: frozenset[str]) -> None:
        """Hold what is connected from now on to these rules."""
        self._policy, self._trusted_policy = safety.connections, safety.trusted_connections
        self._trusted = trusted

    async def connect(self, kind: str, url: str, key: str = "", *, owner: Owner, label: str = "") -> Connected:
        """Test a server and, if it works, make it the owner's engine in place of the one before.

        Args:
            kind: as typed, e.g. "automatic1111"; kept as it is.
            url: as typed; empty for the public address of a type that has one.
            key: `user:password` or a token; empty for none.
            owner: a user or a server.
            label: what people see, see `label_for`.

        Raises:
            RequestRejected: the type or the address is wrong; says what would be right.
            BackendError: the test failed; says at which layer, and what to do. Nothing is saved.
        """
        holder = _holder(owner)
        engine, kind = _check_kind(kind), kind.strip().lower()
        key = _check_key(key)
        try:
            url = check_url(url.strip() or engine.public_url, self._policy_for(owner)).text
        except UrlRefused as refused:
            raise RequestRejected(refused.reason, field="url", hint=refused.hint) from refused
        before = await self._store.get(holder, owner.id)
        now = self._clock.now()
        connection = Connection(
            id=before.id if before else secrets.token_hex(8),
            owner_kind=holder,
            owner_id=owner.id,
            kind=kind,
            url=url,
            key=key,
            created_at=now,
            last_used_at=now,
            label=label[:MAX_LABEL_CHARS] or label_for("", kind),
        )
        diagnosis = await self._examine(self._config(connection))
        if not diagnosis.is_ok:
            raise _failure(diagnosis)
        async with self._changing:
            await self._store.save(connection)
            entry = self._take_in(connection)
        await self._registry.refresh(entry.name)
        log.info("connected", extra={"action": "connected", "backend": entry.name, "kind": kind})
        return Connected(diagnosis=diagnosis, entry=entry, connection=connection)

    async def test(self, owner: Owner) -> Diagnosis:
        """Go through all layers of the owner's connection.

        Raises:
            NotConnected: there is none.
        """
        connection = await self._store.get(_holder(owner), owner.id)
        if connection is None:
            raise NotConnected
        diagnosis = await self._examine(self._config(connection))
        if diagnosis.is_ok:
            await self._store.touch(connection.id, self._clock.now())
        return diagnosis

    async def disconnect(self, owner: Owner) -> bool:
        """Forget the owner's connection and its key; says whether there was one."""
        async with self._changing:
            was_there = await self._store.delete(_holder(owner), owner.id)
            await self._registry.remove(lane_of(owner))
        if was_there:
            log.info("disconnected", extra={"action": "disconnected", "backend": lane_of(owner)})
        return was_there

    async def restore(self) -> int:
        """At start: take every stored connection in again. Says how many; none of them is asked anything yet."""
        restored = 0
        for connection in await self._store.all():
            try:
                check_url(
                    connection.url, self._policy_for(_owner(connection))
                )  # the owner may have tightened the rules meanwhile
                self._take_in(connection)
            except ValueError as error:
                reason = error.reason if isinstance(error, UrlRefused) else _("its kind is not installed")
                log.warning(
                    "connection left out: %s", reason, extra={"action": "connection_left_out", "id": connection.id}
                )
            else:
                restored += 1
        return restored

    async def of(self, owner: Owner) -> Connection | None:
        return await self._store.get(_holder(owner), owner.id)

    async def examine(self, name: str) -> Diagnosis | None:
        """Go through all layers of any engine; None for one that is nowhere but in Easel itself."""
        entry = self._registry.get(name)
        if entry is None or not address_of(entry.config):
            return None
        return await self._examine(entry.config)

    def _policy_for(self, owner: Owner) -> UrlPolicy:
        return self._trusted_policy if owner.kind == "user" and owner.id in self._trusted else self._policy

    def _config(self, connection: Connection) -> BackendConfig:
        policy = self._policy_for(_owner(connection))
        return BackendConfig(
            name=lane_of(_owner(connection)),
            kind=found.name if (found := kind_typed(connection.kind)) else connection.kind,
            url=connection.url,
            key=connection.key,
            label=connection.label,
            timeout_s=self._timeout_s,
            allow_private=policy.allow_private,
            allow_insecure_http=policy.allow_insecure_http,
            allowed_hosts=policy.allowed_hosts,
            is_typed=True,
        )

    def _take_in(self, connection: Connection) -> Entry:
        config = self._config(connection)
        return self._registry.add(Entry(config=config, backend=make_backend(config), owner=_owner(connection)))


def _owner(connection: Connection) -> Owner:
    return Owner(kind=connection.owner_kind, id=connection.owner_id)


def _check_kind(typed: str) -> EngineKind:
    kind = kind_typed(typed)
    if kind is None:
        known = _("Known types: {connectable_types}.", connectable_types=", ".join(connectable_types()))
        raise RequestRejected(_("That type of server is not known."), field="api_type", hint=known)
    return kind


def _check_key(typed: str) -> str:
    key = typed.strip()
    if len(key) > MAX_KEY_CHARS or not key.isprintable():
        raise RequestRejected(_("That key cannot be right."), field="api_key", hint=_("Copy it again."))
    return key


class OtherKindThere(BackendError):
    """An engine of another kind answers there: `kind` is the word it is connected by."""

    def __init__(self, message: str, *, kind: str, hint: str, detail: str) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.kind = kind


def _failure(diagnosis: Diagnosis) -> BackendError:
    if diagnosis.other_kind:
        message = _("Connection failed: {message}", message=diagnosis.message)
        return OtherKindThere(message, kind=diagnosis.other_kind, hint=diagnosis.hint, detail=diagnosis.layer)
    kind = BackendUnavailable if diagnosis.layer in _UNREACHED else BackendError
    if diagnosis.layer == "auth":
        kind = BackendAuthError
    hint = joined("\n", (text for text in (diagnosis.hint, diagnosis.owner_hint) if text))
    return kind(_("Connection failed: {message}", message=diagnosis.message), hint=hint, detail=diagnosis.layer)


def _holder(owner: Owner) -> OwnerKind:
    """Return whose connection it is, as the table keeps it; the owner of Easel has settings instead."""
    if owner.kind == "user" and owner.id:
        return "user"
    if owner.kind == "guild" and owner.id:
        return "guild"
    raise ValueError(f"{owner.kind!r} cannot bring an engine")
