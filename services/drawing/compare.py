"""One prompt on several engines, each with the same seed: a job for every engine, shown together.

The comparison is stored with its jobs in one transaction, so that a crash at any moment leaves all of it or nothing.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from generation.errors import GenerationError, RequestRejected
from generation.job import Job, Origin
from generation.person import Person
from generation.policy import may_see
from generation.request import Draft, draw_seed
from lazy import pattern
from services.drawing.generation import GenerationService
from services.drawing.idempotency import numbered
from services.engines.catalog import Catalog, Engine, no_engine
from services.pictures.media import MediaService, Upload
from store.comparisons import Comparison as Comparison
from store.comparisons import ComparisonStore
from store.comparisons import Contender as Contender
from store.database import Write
from texts.text import _
from utils.clock import Clock
from utils.text import cut

MAX_ENGINES: Final = 4  # buttons to choose one fit a phone's width
ENGINES_OPTION: Final = pattern(r"\s--(?:engines?|backends?|on)[= ]+(\"[^\"]*\"|“[^”]*”|\S+)", re.IGNORECASE)
LABEL_CHARS: Final = 40
INTERRUPTED: Final = _("Easel was restarted before this began.")


def take_engines(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a prompt without its `--engines gpu,grid`, and the engines that names."""
    found = ENGINES_OPTION.search(f" {text}")
    return ENGINES_OPTION.sub("", f" {text}").strip(), engine_names(found[1].strip('"“”') if found else "")


def engine_names(typed: str) -> tuple[str, ...]:
    """Return names that were typed with commas between."""
    return tuple(name.strip() for name in typed.split(",") if name.strip())


class CompareService:
    """Start, find and end comparisons. What happens to the jobs is the queue's affair."""

    def __init__(
        self,
        *,
        generation: GenerationService,
        media: MediaService,
        catalog: Catalog,
        store: ComparisonStore,
        clock: Clock,
    ) -> None:
        self._generation = generation
        self._media = media
        self._catalog = catalog
        self._store = store
        self._clock = clock

    async def start(
        self,
        draft: Draft,
        origin: Origin,
        wanted: Sequence[str] = (),
        *,
        notes: tuple[str, ...] = (),
        also: Sequence[Write] = (),
    ) -> Comparison:
        """Submit one job per engine; an engine that refuses is named in what is returned.

        Args:
            draft: what was said; the engine and the number of pictures are ours to set.
            origin: where the answer belongs.
            wanted: engines by name, label or kind; none = those that are up, the preferred first.
            notes: remarks of the parser.
            also: what else is written in the same transaction.

        Raises:
            GenerationError: fewer than two engines, or all of them refuse.
            KeyReused: another request came under the same key.
        """
        if earlier := await self._generation.asked_before(origin):
            return await self._of(earlier[0].job)
        engines = self._choose(wanted, origin)
        seed = draft.seed if draft.seed is not None else draw_seed()
        comparison_id = secrets.token_hex(6)
        origin = replace(origin, group_id=comparison_id)
        taken = 0
        contenders: list[Contender] = []
        refusals: list[GenerationError] = []
        async with self._generation.together(len(engines)) as submission:
            for engine in engines:
                contender = Contender(lane=engine.name, label=cut(engine.label, LABEL_CHARS))
                own = replace(draft, backend=engine.name, seed=seed, batch_size=1)
                try:
                    job = await submission.add(own, numbered(origin, taken), fresh=True, notes=notes)
                except GenerationError as error:
                    refusals.append(error)
                    contenders.append(replace(contender, error=error.user_message))
                else:
                    contenders.append(replace(contender, job_id=job.id))
                    taken += 1
            if len(refusals) == len(engines):
                raise refusals[0]
            comparison = Comparison(
                id=comparison_id,
                door=origin.door,
                prompt=draft.prompt or "",
                seed=seed,
                contenders=tuple(contenders),
                created_at=self._clock.now(),
            )
            first, *_others = await submission.commit(self._store.saving(comparison), *also)
        # the same request may have come at the same moment and been quicker
        return comparison if first.job.origin.group_id == comparison_id else await self._of(first.job)

    async def visible(self, comparison_id: str, person: Person) -> Comparison:
        """Return a comparison that somebody may see.

        Raises:
            RequestRejected: there is none, or none for these eyes, which is put the same way.
        """
        comparison = await self._store.get(comparison_id)
        jobs = [await self._generation.get(job_id) for job_id in comparison.job_ids] if comparison else []
        if comparison is None or not all(may_see(person, job) for job in jobs):
            raise _no_comparison(comparison_id)
        return comparison

    async def due(self, door: str) -> list[Comparison]:
        """Return the comparisons whose answer has not arrived; what a crash cut off is put together again."""
        groups = await self._generation.due_in_groups(door)
        found = []
        for comparison in await self._store.due(door):
            jobs = {job.candidates[0]: job.id for job in groups.get(comparison.id, ())}
            contenders = tuple(_reunited(contender, jobs) for contender in comparison.contenders)
            found.append(replace(comparison, contenders=contenders))
        return found

    async def cancel(self, comparison_id: str, person: Person) -> int:
        """Cancel what still waits or runs; return how many jobs that were, 0 for what this person may not see.

        Raises:
            NotAllowed: it is somebody else's.
        """
        try:
            comparison = await self.visible(comparison_id, person)
        except RequestRejected:
            return 0
        cancelled = [await self._generation.cancel(job_id, person) for job_id in comparison.job_ids]
        return sum(job is not None for job in cancelled)

    async def delivered(self, comparison: Comparison) -> bool:
        """Take it off the list of due ones; true for the one caller who did it."""
        for job_id in comparison.job_ids:
            await self._generation.delivered(job_id)
        return await self._store.delete(comparison.id)

    async def strip(self, comparison: Comparison, limit_bytes: int) -> Upload | None:
        """Return the pictures side by side, named by their engines; `None` when there is none."""
        named: list[tuple[str, str]] = []
        for contender in comparison.contenders:
            job = await self._generation.get(contender.job_id) if contender.job_id else None
            if job and job.result and job.result.images:
                title = contender.mark or f"{len(named) + 1} {contender.label}"
                named.append((title, job.result.images[0].media_id))
        return await self._media.strip_of(named, limit_bytes) if named else None

    async def _of(self, job: Job) -> Comparison:
        """Return the comparison that a job belongs to."""
        comparison = await self._store.get(job.origin.group_id or "")
        if comparison is None:
            raise _no_comparison(job.origin.group_id or "")
        return comparison

    def _choose(self, wanted: Sequence[str], origin: Origin) -> list[Engine]:
        known = self._catalog.engines(origin.person)
        if not known:
            raise no_engine()
        if not wanted:
            engines = [engine for engine in known if engine.error is None][:MAX_ENGINES]
        else:
            engines = []
            for name in wanted:
                engine = self._catalog.engine(name, origin.person)
                if engine is None:
                    names = ", ".join(engine.label for engine in known)
                    raise RequestRejected(
                        _("There is no engine “{name}” here. Available: {names}.", name=name, names=names),
                        field="engines",
                    )
                if engine not in engines:
                    engines.append(engine)
        if len(engines) > MAX_ENGINES:
            raise RequestRejected(
                _("At most {most} engines can be compared at once.", most=MAX_ENGINES), field="engines"
            )
        if len(engines) < 2:
            hint = _("`/sdconnect` adds yours, `/status` lists them.")
            if own := next((engine for engine in known if engine.is_fallback), None):
                hint = _(
                    "`/sdconnect` adds yours, `/status` lists them; {name} is always there when it is named.",
                    name=own.name,
                )
            raise RequestRejected(
                _("A comparison takes two engines that answer, and there are fewer here."), field="engines", hint=hint
            )
        return engines


def _no_comparison(comparison_id: str) -> RequestRejected:
    return RequestRejected(
        _("There is no comparison {id}. It may be too old.", id=comparison_id[:20]), field="comparison"
    )


def _reunited(contender: Contender, jobs: dict[str, str]) -> Contender:
    if contender.job_id or contender.error:
        return contender
    if job_id := jobs.get(contender.lane):
        return replace(contender, job_id=job_id)
    return replace(contender, error=INTERRUPTED)
