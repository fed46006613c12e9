"""Lists for people: what there is to draw with, and what waits."""

from collections.abc import Sequence
from datetime import UTC, datetime

from console.drawing import ORIGIN, ConsoleParts
from console.text import say
from generation.job import Job
from generation.money import dollars
from services.engines.catalog import Engine, lists_of
from services.money.books import BookEntry
from texts.text import _, joined
from utils.text import cut, duration

MAX_MODELS = 100
PROMPT_CHARS = 50


def show_models(studio: ConsoleParts) -> None:
    """Ask every engine and list everything it has by name."""
    for engine in studio.run(_engines(studio)):
        say(_engine_text(engine))


def show_queue(jobs: Sequence[Job]) -> None:
    """List what waits and runs, oldest first."""
    if not jobs:
        say(_("Nothing waits and nothing runs."))
        return
    now = datetime.now(UTC)
    say(f"{'job':<8}{'state':<10}{'engine':<16}{'since':<12}{'who':<20}what")
    for job in jobs:
        since = duration((now - (job.started_at or job.created_at)).total_seconds())
        who = cut(job.origin.user_name or job.user_key, 18)
        what = cut(job.request.prompt, PROMPT_CHARS)
        say(f"{job.short_id:<8}{job.status.value:<10}{cut(job.lane, 14):<16}{since:<12}{who:<20}{what}")


def show_costs(books: Sequence[BookEntry]) -> None:
    """List what was spent by day, person and engine, newest day first, and the sum."""
    if not books:
        say(_("Nothing was spent."))
        return
    say(f"{'day':<12}{'who':<24}{'engine':<20}{'pictures':>9}{'cost':>12}")
    for entry in books:
        who, engine, usd = cut(entry.user_key, 22), cut(entry.text_model or entry.lane, 18), dollars(entry.cost_usd)
        say(f"{entry.day:<12}{who:<24}{engine:<20}{entry.images or '-':>9}{usd:>12}")
    say(_("together: {usd}", usd=dollars(sum(entry.cost_usd for entry in books))))


async def _engines(studio: ConsoleParts) -> list[Engine]:
    await studio.catalog.refresh(ORIGIN.person)
    return studio.catalog.engines(ORIGIN.person)


def _engine_text(engine: Engine) -> str:
    known = engine.capabilities
    if engine.error or known is None:
        advice = " ".join(filter(None, (engine.hint, engine.owner_hint)))
        return f"{engine.label} ({engine.kind}): {engine.error or _('no answer')} {advice}".rstrip()
    lines = [f"{engine.label} ({engine.kind})" + (f": {known.remark}" if known.remark else "")]
    for entry in lists_of(known):
        if entry.key != "models":
            lines.append(f"  {entry.title}: {', '.join(entry.names)}")
            continue
        lines += [f"  {'●' if name in entry.loaded else '○'} {name}" for name in entry.names[:MAX_MODELS]]
        if len(entry.names) > MAX_MODELS:
            lines.append(_("  and {count} more", count=len(entry.names) - MAX_MODELS))
    return joined("\n", lines)
