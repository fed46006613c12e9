"""The menu "More…" under a picture: one line of `MORE` is one entry. What is chosen is answered as a button would be.

A new entry is a line here and a `Route` of its action (`cogs.presses`), nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from cogs.cards import MORE_ACTION, MORE_OF_ACTION, Choice, Menu
from cogs.jobs.context import CardContext
from cogs.origin import VIA_REPLY
from generation.job import Job
from generation.quick import is_unfinished
from generation.request import FROM_PICTURE_ALONE, Pan
from lazy import dataclass
from texts.text import _

MAX_ENTRIES: Final = 25  # Discord's, of a menu
BUTTONS_OF_PICKS: Final = 8  # pictures of a batch that have a button of their own
Suits = Callable[[Job, CardContext], bool]


@dataclass(frozen=True, kw_only=True)
class MoreEntry:
    """One line of the menu: the action and the argument of the button that it stands for, and where it can work."""

    action: str
    label: str
    emoji: str
    argument: str = ""
    description: str = ""
    suits: Suits = lambda job, context: True
    each: "Callable[[MoreEntry, Job, CardContext], list[MoreEntry]]" = lambda entry, job, context: [
        entry
    ]  # no text: a type

    @property
    def choice(self) -> Choice:
        value = f"{self.action}:{self.argument}" if self.argument else self.action
        return Choice(label=self.label, value=value, emoji=self.emoji, description=self.description)


def count_of(job: Job) -> int:
    return len(job.result.images) if job.result else 0


def is_still(job: Job) -> bool:
    """Return whether it is a picture, or several: no video."""
    return job.result is not None and not any(image.is_video for image in job.result.images)


def is_single(job: Job, context: CardContext) -> bool:
    return count_of(job) == 1 and is_still(job) and not context.number


def is_batch(job: Job, context: CardContext) -> bool:
    return count_of(job) > 1


def is_of_reply(job: Job, context: CardContext | None = None) -> bool:
    """Return whether a reply in plain words asked for it, which may have been read wrongly."""
    return job.origin.via.startswith(VIA_REPLY)


def is_drawn(job: Job, context: CardContext) -> bool:
    """Return whether it was drawn from words, with steps and a sampler."""
    return job.drawn.mode not in FROM_PICTURE_ALONE


def is_drawn_in_full(job: Job, context: CardContext) -> bool:
    """Return whether its steps and size are those that were asked for: a draft's are not."""
    return is_drawn(job, context) and not is_unfinished(job)


def _engines(entry: MoreEntry, job: Job, context: CardContext) -> list[MoreEntry]:
    """Return an entry for each other engine; a Flux engine goes by that name."""
    return [
        replace(
            entry,
            argument=other.name,
            label=other.named(_("Flux it") if other.is_flux else _("Draw on {engine}", engine=other.label)),
            description=other.label if other.is_flux else "",
        )
        for other in context.others
    ]


def _further_picks(entry: MoreEntry, job: Job, context: CardContext) -> list[MoreEntry]:
    numbers = range(BUTTONS_OF_PICKS, count_of(job))
    action = "finish" if is_unfinished(job) else entry.action
    return [replace(entry, action=action, argument=str(number), label=f"U{number + 1}") for number in numbers]


def _picture_shown(entry: MoreEntry, job: Job, context: CardContext) -> list[MoreEntry]:
    """Return an entry for the picture that stands alone in a message, where its job has several."""
    return [replace(entry, argument=str(context.number - 1)) if context.number else entry]


def is_shareable(job: Job, context: CardContext) -> bool:
    """Return whether a picture is private and there is a channel to show it in."""
    return job.origin.private and bool(job.origin.guild_id) and count_of(job) > 0


MORE: Final = (
    MoreEntry(action="meant", label=_("Not what I meant"), emoji="↩️", suits=is_of_reply),
    MoreEntry(action="pick", label="U9", emoji="🖼️", each=_further_picks, suits=is_batch),
    MoreEntry(action="files", label=_("All files"), emoji="📁", suits=is_batch),
    MoreEntry(
        action="vary",
        argument="0-subtle",
        label=_("Vary a little"),
        emoji="🪄",
        suits=lambda job, context: is_single(job, context) and context.can_vary,
    ),
    MoreEntry(
        action="input",
        label=_("Use as input"),
        emoji="🖼️",
        suits=lambda job, context: is_single(job, context) and context.can_vary,
    ),
    *(
        MoreEntry(
            action="picture",
            argument=pan.value,
            label=label,
            emoji=emoji,
            suits=lambda job, context: is_single(job, context) and context.can_zoom,
        )
        for pan, label, emoji in (
            (Pan.LEFT, _("Continue to the left"), "⬅️"),
            (Pan.RIGHT, _("Continue to the right"), "➡️"),
            (Pan.UP, _("Continue upwards"), "⬆️"),
            (Pan.DOWN, _("Continue downwards"), "⬇️"),
        )
    ),
    MoreEntry(action="steps", label=_("More steps"), emoji="➕", suits=is_drawn_in_full),
    MoreEntry(action="size", label=_("Size"), emoji="📐", suits=is_drawn_in_full),
    MoreEntry(
        action="sampler",
        label=_("Sampler"),
        emoji="🎛️",
        suits=lambda job, context: is_drawn(job, context) and context.has_samplers,
    ),
    MoreEntry(action="model", label=_("Model"), emoji="🧠", suits=lambda job, context: context.has_models),
    MoreEntry(action="flux", label=_("Flux it"), emoji="⚡", each=_engines),
    MoreEntry(action="share", label=_("Share it in the channel"), emoji="📢", suits=is_shareable),
    MoreEntry(action="send", label=_("Send it to me"), emoji="✉️", suits=lambda job, context: count_of(job) > 0),
    MoreEntry(
        action="look",
        label=_("Save look"),
        emoji="🎨",
        each=_picture_shown,
        suits=lambda job, context: count_of(job) > 0 and is_still(job),
    ),
    MoreEntry(
        action="enhance",
        label=_("Enhance the prompt"),
        emoji="✨",
        description=_("Write it more fully, then draw it"),
        suits=lambda job, context: is_drawn(job, context) and bool(job.request.prompt.strip()),
    ),
    MoreEntry(
        action="collect",
        label=_("Add to a collection"),
        emoji="📚",
        each=_picture_shown,
        suits=lambda job, context: count_of(job) > 0,
    ),
    MoreEntry(action="info", label=_("Info"), emoji="ℹ️"),
    MoreEntry(action="studio", label=_("Studio"), emoji="🖌️", suits=lambda job, context: context.has_studio),
    MoreEntry(
        action="report",
        label=_("Report"),
        emoji="🚩",
        description=_("Tell the moderators of this server"),
        suits=lambda job, context: bool(job.origin.guild_id) and not job.origin.private,
    ),
    MoreEntry(action="delete", label=_("Delete"), emoji="🗑️", suits=is_batch),
)


def more_menu(job: Job, context: CardContext) -> Menu:
    """Return the menu with what can work for this picture here."""
    entries = [
        each for entry in MORE if entry.suits(job, context) for each in entry.each(entry, job, context)
    ]  # no engine pushes what follows it out of the menu
    surplus = max(0, len(entries) - MAX_ENTRIES)
    dropped = [entry for entry in reversed(entries) if entry.action in ("flux", "pick", "finish")][:surplus]
    choices = tuple(entry.choice for entry in entries if entry not in dropped)
    return Menu(action=MORE_ACTION, job_id=job.id, placeholder=_("More…"), choices=choices[:MAX_ENTRIES])


# What works under a message that shows the pictures of several jobs; those are nobody's alone to delete or to share.
_OF_EACH: Final = (
    MoreEntry(action="reroll", label=_("Re-roll"), emoji="🎲"),
    MoreEntry(action="edit", label=_("Remix"), emoji="✏️"),
    MoreEntry(
        action="picture",
        argument="upscale",
        label=_("Upscale"),
        emoji="⬆️",
        suits=lambda job, context: context.can_upscale,
    ),
    MoreEntry(
        action="picture", argument="zoom", label=_("Zoom out"), emoji="🔭", suits=lambda job, context: context.can_zoom
    ),
    *(
        entry
        for entry in MORE
        if entry.action in ("vary", "input", "steps", "size", "sampler", "model", "info", "send")
    ),
    *(entry for entry in MORE if entry.action in ("look", "studio")),
)


def more_of(jobs: Sequence[tuple[Job, CardContext]]) -> Menu:
    """Return the menu of a message that shows several jobs: what the card of each offers, by its number."""
    room = MAX_ENTRIES // len(jobs)
    choices: list[Choice] = []
    for number, (job, context) in enumerate(jobs, 1):
        entries = [entry for entry in _OF_EACH if entry.suits(job, context)]
        choices += [_numbered(entry, number, job) for entry in entries[:room]]
    return Menu(action=MORE_OF_ACTION, job_id=jobs[0][0].id, placeholder=_("More…"), choices=tuple(choices))


def _numbered(entry: MoreEntry, number: int, job: Job) -> Choice:
    label = _("{number} · {label}", number=number, label=entry.label)
    return replace(entry.choice, label=label, value=f"{job.id}:{entry.choice.value}")
