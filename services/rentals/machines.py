"""The rented machine an engine runs on, who may start and stop it, and doing so through its provider's API.

The API keys belong to the owner of Easel, and so do the machines. So they serve only people whom the owner names, with
connections of their own, and the servers he names, whatever address a stranger connects.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from backends.registry import Entry, Owner
from generation.errors import NotAllowed, RequestRejected
from services.rentals.providers import GpuProvider, Machine, machine_at
from settings.people import PeopleSettings
from settings.rentals import RentalSettings
from store.rentals import Rental
from texts.text import _
from utils.clock import Clock

LISTED_S: Final = 20.0  # so long one listing serves all: providers slow down who asks often
TITLES: Final = {"runpod": "RunPod", "vast": "Vast.ai"}


def make_providers(settings: RentalSettings) -> tuple[GpuProvider, ...]:
    """Make a client of each provider whose key is set."""
    providers: list[GpuProvider] = []
    if key := settings.runpod_api_key.get_secret_value():
        from services.rentals.runpod import RunPod  # only here: where it is set

        providers.append(RunPod(key))
    if key := settings.vast_api_key.get_secret_value():
        from services.rentals.vast import Vast  # only here: where it is set

        providers.append(Vast(key))
    return tuple(providers)


def provider_at(url: str) -> str:
    """Return whose machine it is by the address alone; empty if that does not tell."""
    host = (urlsplit(url).hostname or "").lower()
    if host.endswith(".runpod.net"):
        return "runpod"
    return "vast" if host.endswith(".vast.ai") else ""


def place_of(url: str) -> str:
    """Return a digest by which an address is known again."""
    return sha256(url.encode()).hexdigest()[:16]


class MachineService:
    """Finds, starts and stops. Whether somebody may is asked first, so that a stranger learns nothing."""

    def __init__(self, providers: Sequence[GpuProvider], people: PeopleSettings, clock: Clock) -> None:
        """Args beyond the plain ones.

        people: admins may switch the machines behind their own connections, who manages one of the servers its own.
        """
        self._providers = providers
        self._people = people
        self._clock = clock
        self._listed: dict[str, tuple[float, tuple[Machine, ...]]] = {}

    def use(self, providers: Sequence[GpuProvider], people: PeopleSettings) -> None:
        """Ask these providers from now on, for these people."""
        self._providers, self._people = providers, people
        self._listed.clear()

    @property
    def has_providers(self) -> bool:
        return bool(self._providers)

    def allows(self, owner: Owner, by: str = "") -> bool:
        """Return whether the machine behind this owner's connection may be looked at and switched.

        Args:
            owner: of the connection.
            by: the user who asks; empty for Easel itself.
        """
        people = self._people
        if not self._providers:
            return False
        if owner.kind == "user":
            return owner.id in people.admin_ids and by in ("", owner.id)
        return owner.kind == "guild" and (owner.id in people.guild_ids or by in people.admin_ids)

    async def find(self, entry: Entry, rental: Rental) -> Machine | None:
        """Return the machine that an engine runs on, as its provider tells of it now; None if it is none of ours.

        Raises:
            GenerationError: the provider refuses the key, does not answer, or cannot be understood.
        """
        url = entry.config.url
        known_id = rental.machine_id if rental.machine_place == place_of(url) else ""
        for provider in self._providers_of(url, rental.provider):
            if machine := machine_at(url, await self._list(provider), known_id):
                return machine
        return None

    async def require(self, entry: Entry, rental: Rental, by: str) -> Machine:
        """Return the machine that somebody wants to switch.

        Raises:
            RequestRejected: there is no key for it, or no such machine in that account.
            NotAllowed: this person may not.
            GenerationError: as for `find`.
        """
        title = TITLES.get(provider_at(entry.config.url) or rental.provider, "RunPod or Vast.ai")
        if not self._providers:
            raise RequestRejected(
                _("I have no API key of {title}, so I can neither start nor stop it.", title=title),
                field="gpu",
                hint=_("The owner of Easel can set one (docs/gpu-rental.md). Until then: the provider's own page."),
            )
        if not self.allows(entry.owner, by):
            raise NotAllowed(
                _("The rented machines belong to the owner of Easel, who has not named you or this server."),
                hint=_("The owner of Easel can: WEB_ADMINS for people, DISCORD_GUILD_IDS for servers."),
            )
        if machine := await self.find(entry, rental):
            return machine
        raise RequestRejected(
            _("This connection leads to no machine of the account at {title} that I have the key of.", title=title),
            field="gpu",
            hint=_("Was it terminated, or did it get another address? `/sdconnect` the one it has now."),
        )

    async def start(self, machine: Machine) -> None:
        """Start it; it boots for minutes afterwards.

        Raises:
            GenerationError: as for `find`; also when its GPU is let to somebody else.
        """
        await self._provider(machine).start(machine.id)
        self._listed.pop(machine.provider, None)

    async def stop(self, machine: Machine) -> None:
        """Stop it; its disk is kept, and billed.

        Raises:
            GenerationError: as for `find`.
        """
        await self._provider(machine).stop(machine.id)
        self._listed.pop(machine.provider, None)

    def _provider(self, machine: Machine) -> GpuProvider:
        return next(provider for provider in self._providers if provider.kind == machine.provider)

    def _providers_of(self, url: str, words: str) -> Iterable[GpuProvider]:
        kind = provider_at(url) or words
        if not kind and not _is_public_address(url):
            return ()  # an engine at home, or behind a name that no provider gives out
        return (provider for provider in self._providers if not kind or provider.kind == kind)

    async def _list(self, provider: GpuProvider) -> tuple[Machine, ...]:
        listed_at, machines = self._listed.get(provider.kind, (float("-inf"), ()))
        if self._clock.monotonic() - listed_at < LISTED_S:
            return machines
        machines = await provider.list()
        self._listed[provider.kind] = (self._clock.monotonic(), machines)
        return machines


def is_at(entry: Entry, machine: Machine) -> bool:
    """Return whether an engine's address leads to this machine."""
    return machine_at(entry.config.url, (machine,)) is not None


def _is_public_address(url: str) -> bool:
    try:
        return ip_address(urlsplit(url).hostname or "").is_global
    except ValueError:
        return False
