"""Ask an engine what a picture shows. Not a job: nothing is drawn, nothing is stored, the asker waits for it.

The house rules hold as for a drawing: who may not draw somewhere may not have pictures described there, and words that
would not be drawn there are not told.
"""

from backends.base import DescribingBackend
from backends.registry import BackendRegistry, Entry
from generation.errors import BackendUnavailable, CapabilityError, HouseRefusal, LimitReached, RequestRejected
from generation.job import Origin
from generation.person import Person
from generation.request import Draft, SourceImage
from lazy import dataclass
from services.engines.catalog import find_entry, no_engine
from services.house.gate import Gate
from texts.text import _, joined, phrase


@dataclass(frozen=True, kw_only=True)
class Description:
    """A description of a picture, in the words of a prompt, and the engine that says so.

    A model that sees adds a sentence for who cannot see it (`alt`) and words it is about; `notes` is for people.
    """

    text: str
    engine: str
    alt: str = ""
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class DescribingService:
    """Finds an engine that can, among those a person may use."""

    def __init__(self, registry: BackendRegistry, gate: Gate | None = None) -> None:
        self._registry = registry
        self._gate = gate
        self._asking: set[str] = set()

    async def check(self, origin: Origin) -> None:
        """Refuse who may have no picture described where they are, before one is read.

        Raises:
            NotAllowed: by the house rules, or they are banned.
        """
        if self._gate is not None:
            await self._gate.let_in(Draft(), origin)

    async def describe(self, image: SourceImage, origin: Origin, *, backend: str | None = None) -> Description:
        """Describe a picture whose bytes are loaded.

        Raises:
            NotAllowed: by the house rules.
            CapabilityError: no engine here can; every reason is named.
            RequestRejected: there is no engine of that name.
            LimitReached: this person has asked already and has no answer yet.
            BackendError: the engine failed.
        """
        await self.check(origin)
        person = origin.person
        if person.user_key in self._asking:  # it is no job, so the queue's limits do not hold it
            raise LimitReached(_("One picture at a time: you are still waiting for the description of another one."))
        self._asking.add(person.user_key)
        try:
            description = await self._ask(await self._choose(person, backend), image)
        finally:
            self._asking.discard(person.user_key)
        await self.judge(description.text, origin)
        return description

    async def judge(self, words: str, origin: Origin) -> None:
        """Refuse words that would not be drawn where they were asked for; they are not quoted."""
        if self._gate is None:
            return
        draft = Draft(prompt=words)
        refusal = await self._gate.trial(draft, origin, is_age_restricted=origin.is_age_restricted)
        if refusal is not None:
            raise HouseRefusal(
                _("What this picture shows is not put into words here."),
                rule=refusal.rule,
                hint=_("`/setup show` lists the rules of this server."),
            ) from refusal

    async def _ask(self, entry: Entry, image: SourceImage) -> Description:
        async with self._registry.borrow(entry.name) as engine:
            if not isinstance(engine, DescribingBackend):
                raise BackendUnavailable(_("{label} is no longer connected.", label=entry.label))
            text = await engine.describe(image)
        return Description(text=" ".join(text.split()), engine=entry.label)

    async def _choose(self, person: Person, backend: str | None) -> Entry:
        entries = self._registry.visible(person)
        if not entries:
            raise no_engine()
        if backend:
            wanted = find_entry(backend, entries)
            if wanted is None:
                names = ", ".join(entry.label for entry in entries)
                raise RequestRejected(
                    _("There is no engine “{backend}” here. Available: {names}.", backend=backend, names=names),
                    field="backend",
                )
            entries = [wanted]
        await self._registry.ready(entries)
        able = [entry for entry in entries if entry.capabilities and entry.capabilities.supports_describe]
        if not able:
            reasons = joined(
                "; ", (_("{label}: {reason}", label=entry.label, reason=_reason(entry)) for entry in entries)
            )
            raise CapabilityError(
                _("No engine here can say what a picture shows. {reasons}.", reasons=reasons),
                hint=_("A1111 and Forge can: connect one with `/sdconnect`."),
            )
        return min(able, key=lambda entry: entry.error is not None)


def _reason(entry: Entry) -> str:
    if entry.capabilities is None:
        return phrase(entry.error.user_message) if entry.error else _("it has not answered yet")
    return _("it cannot describe pictures")
