"""Choose the engine of a request: what was said and preferred, bent to each engine, the best one first."""

from collections.abc import Iterable
from copy import copy

from backends.kinds import known_kinds
from backends.registry import BackendRegistry, Entry, Owner
from constants import MAX_PROMPT_CHARS
from generation.capabilities import Fit, Refused
from generation.errors import BackendError, CapabilityError, RequestRejected
from generation.fields import RANGES
from generation.job import Origin
from generation.lora_tags import with_tags_as_loras
from generation.options import as_checked, validate
from generation.request import FROM_PICTURE_ALONE, Draft, GenerationRequest, Mode
from generation.resolve import mode_of, resolve_for
from generation.values import changed
from lazy import dataclass
from queue_manager import QueueManager
from services.drawing.looks import LookService
from services.drawing.styles import StyleService
from services.drawing.workflows import WorkflowService
from services.engines.catalog import find_entry, no_engine
from services.house.gate import Gate
from services.people.preferences import keys_of, one_by_one
from store.preferences import PreferenceStore
from texts.text import _, joined

NAMED = ("model", "sampler", "scheduler")
RANKS = {"user": 0, "guild": 1, "easel": 2}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A forecast for a request: `wait_s` until it starts, `seconds` it then takes (None: not known yet).

    `cost_usd` is None where a paid engine does not say; the time of a rented one is not in it, see `owner`.
    """

    lane: str
    label: str
    wait_s: float
    seconds: float | None
    is_paid: bool
    cost_usd: float | None
    owner: Owner  # of the engine
    request: GenerationRequest  # as the engine would get it
    notes: tuple[str, ...] = ()
    short: str = ""  # why a budget would refuse it
    asks: bool = False  # it is drawn only for who agrees to its price


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One engine that can run the request, and the request as it will get it."""

    entry: Entry
    request: GenerationRequest
    fitted: Fit

    def noted(self, note: str) -> "Candidate":
        """Return the same with one more note for the person who asked."""
        return changed(self, fitted=changed(self.fitted, notes=(note, *self.fitted.notes)))


class Chooser:
    """Looks at every engine a person may use."""

    def __init__(
        self,
        registry: BackendRegistry,
        queue: QueueManager,
        preferences: PreferenceStore,
        workflows: WorkflowService | None = None,
        styles: StyleService | None = None,
        preferred: str = "",
        gate: Gate | None = None,
        looks: LookService | None = None,
    ) -> None:
        self._registry = registry
        self._queue = queue
        self._preferences = preferences
        self._workflows = workflows
        self._styles = styles
        self._looks = looks
        self._default = preferred  # the engine that draws where a request names none
        self._gate = gate

    async def options(self, draft: Draft, origin: Origin, *, is_continued: bool = False) -> list[Candidate]:
        """Engines that can run this, best first: healthy, the default, set (not found), free, their own, quick.

        `is_continued`: it goes on from a picture, so that preferences for drawing have no say.

        Raises:
            RequestRejected: the request itself is wrong.
            CapabilityError: no engine here can do it; every reason is named.
            BackendError: the only engine there is cannot be reached.
        """
        given = sized_like_its_picture(with_tags_as_loras(draft))
        preferred = await self._preferred(given, origin, is_continued)
        wanted = as_checked(given.over(preferred), given)
        try:
            return await self._options(wanted, origin)
        except (RequestRejected, CapabilityError, BackendError):
            if wanted == given:
                raise
            return await self._without_unfit(given, preferred, origin)

    async def _without_unfit(self, given: Draft, preferred: Draft, origin: Origin) -> list[Candidate]:
        """Return the options with all settings that can be met together, each other one told with its reason."""
        options = await self._options(given, origin)  # else it was not for the settings
        held, remarks = Draft(), []
        for setting, written in one_by_one(preferred):
            wanted = given.over(setting.over(held))
            if wanted == given.over(held):
                continue
            try:
                options = await self._options(as_checked(wanted, given), origin)
                held = setting.over(held)
            except (RequestRejected, CapabilityError, BackendError) as error:
                about = {"setting": f"`{written}`", "reason": error.user_message}
                remarks.append(_("your settings without {setting}: {reason:phrase}", **about))
        return [_noted(option, remarks) for option in options]

    async def _options(self, draft: Draft, origin: Origin) -> list[Candidate]:
        draft, remarks = await self._with_looks(draft, origin)
        draft = await self.with_style_words(draft)
        validate(draft)
        if draft.workflow and self._workflows:
            own = await self._workflows.resolve(draft.workflow, origin.person)
            draft = as_checked(changed(draft, workflow=own), draft)
        needs_words = draft.mode not in FROM_PICTURE_ALONE and draft.upscale_factor is None and draft.workflow is None
        if not draft.prompt and needs_words:
            raise RequestRejected(
                _("Say what you would like to see, for example: a red fox in the snow."), field="prompt"
            )
        refusals: list[str] = []
        left_out = await self._gate.negative_prompt(origin) if self._gate else ""
        for entries in self._tiers(draft, origin):
            if options := await self._suitable(draft, entries, refusals, left_out):
                spare = await self._spare(draft, entries, left_out, origin)
                found = [*sorted(options, key=self._rank), *sorted(spare, key=self._rank)]
                return [_noted(option, remarks) for option in found]
        hint = _("`/models` lists what each engine has.") if "it has no " in " ".join(refusals) else ""
        raise CapabilityError(
            _("No engine here can do that. ") + joined("; ", refusals) + ".", hint=hint or _absent_hint(mode_of(draft))
        )

    async def _suitable(
        self, draft: Draft, entries: list[Entry], refusals: list[str], left_out: str
    ) -> list[Candidate]:
        """Return how each engine would run the draft; why the others cannot is added to `refusals`.

        `left_out` is added to the negative prompt wherever there can be one.

        Raises:
            BackendError: the only engine there is cannot be reached.
        """
        await self._registry.ready(entries)
        options: list[Candidate] = []
        for entry in entries:
            if entry.is_drained:
                refusals.append(_("{engine}: it takes nothing new now", engine=entry.label))
                continue
            if entry.capabilities is None:
                if len(entries) == 1 and entry.error and not refusals:
                    raise entry.error if entry.owner.kind == "user" else _without_advice(entry.error)
                refusals.append(f"{entry.label}: {entry.error.user_message if entry.error else _('no answer yet')}")
                continue
            can_leave_out = left_out and entry.capabilities.supports_negative_prompt
            fitted = await self._fit(leaving_out(draft, left_out) if can_leave_out else draft, entry)
            if isinstance(fitted, Refused):
                refusals.append(f"{entry.label}: {', '.join(fitted.reasons)}")
            else:
                options.append(fitted)
        return [] if _is_nowhere(draft, options, refusals) else options

    async def _spare(self, draft: Draft, entries: list[Entry], left_out: str, origin: Origin) -> list[Candidate]:
        """Return who takes over where what fills a gap fails: the fallbacks that can do it in their way."""
        if draft.backend or not all(entry.fills for entry in entries):
            return []
        others = [entry for entry in self._registry.visible(origin.person) if entry.is_fallback and not entry.fills]
        return await self._suitable(draft, others, [_("it has failed")], left_out)

    async def estimate(self, draft: Draft, origin: Origin) -> Estimate:
        """Return where a request would run now, when it would start and how long it would take.

        Raises:
            RequestRejected, CapabilityError, BackendError: as in `options`.
        """
        best = (await self.options(draft, origin))[0]
        request, lane = best.fitted.request, best.entry.name
        return Estimate(
            lane=lane,
            label=best.entry.label,
            wait_s=self._queue.wait_s(lane, request.model),
            seconds=self._queue.run_s(lane, request),
            is_paid=best.entry.backend.is_paid,
            cost_usd=await self._registry.quote(best.entry, request),
            owner=best.entry.owner,
            request=request,
            notes=best.fitted.notes,
        )

    async def _fit(self, draft: Draft, entry: Entry) -> Candidate | Refused:
        assert entry.capabilities is not None, "only probed engines are asked"
        if draft.workflow and self._workflows:
            fitted = await self._workflows.fit(draft, entry)
            if isinstance(fitted, Refused):
                return fitted
            # what the workflow has no place for is forgotten, so that a failover does not have to bend it again
            request = fitted.request
            if request.guide and draft.width and draft.height:
                request = changed(request, width=draft.width, height=draft.height)
            return Candidate(entry=entry, request=request, fitted=fitted)
        request = resolve_for(draft, entry.capabilities)
        fitted = self._registry.fit(entry.name, request)
        return Candidate(entry=entry, request=request, fitted=fitted) if isinstance(fitted, Fit) else fitted

    def _rank(self, option: Candidate) -> tuple[bool, bool, bool, bool, int, bool, float]:
        entry = option.entry
        is_other = not self._default or find_entry(self._default, [entry]) is None
        wait_s = self._queue.wait_s(entry.name, option.fitted.request.model)
        rank = RANKS[entry.owner.kind], not entry.finishes
        is_down = entry.error is not None or entry.is_paused
        return is_down, is_other, entry.is_found, entry.backend.is_paid, *rank, wait_s

    def _tiers(self, draft: Draft, origin: Origin) -> list[list[Entry]]:
        """Return the engines to try, those of each list only where none of the lists before can.

        Fallbacks are for where there is nothing else, and what fills a gap is for all that the others lack.
        """
        entries = self._registry.visible(origin.person)
        if not entries:
            raise no_engine()
        if draft.backend:
            return [[self._named(draft.backend, entries)]]
        mode = mode_of(draft)
        own = [entry for entry in entries if not entry.is_fallback]
        fillers = [entry for entry in entries if mode in entry.fills]
        others = [entry for entry in entries if entry.is_fallback and not entry.fills]
        tiers = [tier for tier in ((own, fillers) if own else (fillers, others)) if tier]
        if not tiers:
            raise no_engine()
        return tiers

    def _named(self, name: str, entries: list[Entry]) -> Entry:
        entry = find_entry(name, entries)
        if entry is None:
            names = ", ".join(entry.label for entry in entries)
            raise RequestRejected(
                _("There is no engine “{backend}” here. Available: {names}.", backend=name, names=names),
                field="backend",
            )
        return entry

    async def _with_looks(self, draft: Draft, origin: Origin) -> tuple[Draft, tuple[str, ...]]:
        return await self._looks.laid(draft, origin.person) if self._looks else (draft, ())

    async def with_style_words(self, draft: Draft) -> Draft:
        """Write the presets among the styles into the prompt; the others are the engine's own."""
        if not draft.styles or self._styles is None or draft.mode is Mode.RESTYLE:
            return draft
        ours, others = await self._styles.split(draft.styles)
        return changed(draft, prompt=await self._styles.apply(draft.prompt, ours), styles=others)

    async def _preferred(self, given: Draft, origin: Origin, is_continued: bool) -> Draft:
        """Return what is always wanted here. A workflow keeps its own values; enlarging has no use for most."""
        preferred = Draft()
        if given.workflow:
            return preferred
        for further in await self._preferences.each(keys_of(origin.person)):
            preferred = preferred.over(further)
        backend = None if is_continued else preferred.backend
        if given.mode is Mode.UPSCALE:
            return Draft(backend=backend, upscaler=preferred.upscaler)
        if given.mode is Mode.RESTYLE or is_continued:
            return Draft(backend=backend)
        return preferred


def leaving_out(draft: Draft, words: str) -> Draft:
    """Return a draft whose negative prompt has these words too, each once."""
    if draft.mode in FROM_PICTURE_ALONE or draft.upscale_factor is not None:
        return draft
    given = (draft.negative_prompt or "").strip(" ,")
    there = {word.strip().casefold() for word in given.split(",")}
    missing = [word.strip() for word in words.split(",") if word.strip().casefold() not in there]
    ours = ", ".join(missing)[:MAX_PROMPT_CHARS]
    given = given[: max(0, MAX_PROMPT_CHARS - len(ours) - 2)]
    return changed(draft, negative_prompt=", ".join(filter(None, (given, ours))))


def _noted(option: Candidate, remarks: Iterable[str]) -> Candidate:
    for remark in remarks:
        option = option.noted(remark)
    return option


def _without_advice(error: BackendError) -> BackendError:
    """Return an engine's failure to answer for people who do not run it: what to look at there is not for them."""
    public = copy(error)
    public.hint = _("Try again later. Who runs it reads what to do in `/status`.")
    return public


def _absent_hint(mode: Mode) -> str:
    """Return how to get what would do this, where that is not installed."""
    absent = (kind for kind in known_kinds() if mode in kind.fills and not kind.is_there())
    return next((kind.absent_hint for kind in absent), "")


def _is_nowhere(draft: Draft, options: list[Candidate], refusals: list[str]) -> bool:
    """Distinguish a name that engines with such names refuse from one that the others merely pass over."""
    return any(
        getattr(draft, what)
        and any(f"it has no {what} " in reason for reason in refusals)
        and all(getattr(option.fitted.request, what) is None for option in options)
        for what in NAMED
    )


def sized_like_its_picture(draft: Draft) -> Draft:
    """Give a draft the size of the picture it draws over or follows where none was said; one side gives the other."""
    guide = draft.init_image or (draft.control[0].image if draft.control else None)
    if guide is None or not guide.width or not guide.height or draft.aspect or (draft.width and draft.height):
        return draft
    if draft.width:
        return changed(draft, height=_side(draft.width * guide.height / guide.width))
    if draft.height:
        return changed(draft, width=_side(draft.height * guide.width / guide.height))
    return as_checked(changed(draft, width=guide.width, height=guide.height, is_source_size=True), draft)


def _side(length: float) -> int:
    allowed = RANGES["width"]
    return int(max(allowed.low, min(allowed.high, round(length))))
