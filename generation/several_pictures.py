"""Requests with several input pictures: which of them are drawn from, and what is said of the others.

A request has them in order: `init_image`, then `more_images`. Most engines draw from one; a workflow may take several.
"""

from collections.abc import Callable, Sequence
from typing import Final

from generation.foreign import clean_line
from generation.options import as_checked
from generation.request import Draft, GenerationRequest, SourceImage
from generation.values import changed
from texts.text import Text, _, template
from texts.text import joined as joined_texts

MAX_INPUT_PICTURES: Final = 10  # as many as a message in Discord holds
ONE_IS_USED: Final = _("one picture is drawn from")
NOT_USED: Final = template("not used: {what}")
MOST_NAMED: Final = 4
NAME_CHARS: Final = 40


def fit_pictures(request: GenerationRequest, most: int, say: Callable[[str], None]) -> GenerationRequest:
    """Keep as many input pictures as can be drawn from; the others are said to be left out."""
    kept, left = request.more_images[: most - 1], request.more_images[most - 1 :]
    if left:
        say(left_out(left, most))
    return changed(request, more_images=kept)


def left_out(pictures: Sequence[SourceImage], most: int = 1) -> str:
    """Return a remark on pictures beyond the `most` that are drawn from."""
    why = ONE_IS_USED if most == 1 else _("{most} pictures are drawn from", most=most)
    names = [picture.name for picture in pictures]
    if all(names):
        return not_used(named(names), why)
    return _("{count} more pictures ignored: {why}", count=len(names), why=why)


def not_used(what: str, why: str) -> str:
    """Return a remark that `joined` puts together with others of its kind."""
    return Text(NOT_USED, {"what": _("{what} ({why})", what=what, why=why)})


def named(names: Sequence[str]) -> str:
    """Return names of files for a remark: the first few, and how many more there are."""
    shown = [clean_line(name, NAME_CHARS) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return joined_texts(", ", [*shown, *([_("{more} more", more=more)] if more else [])])


def joined(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Return remarks with all that say of something that it is not used in one."""
    unused = [(note, part) for note in notes if (part := _part(note)) is not None]
    if not unused:
        return notes
    line = Text(NOT_USED, {"what": joined_texts(", ", dict.fromkeys(part for __, part in unused))})
    first, *others = (note for note, __ in unused)
    return tuple(line if note == first else note for note in notes if note not in others)


def in_order(draft: Draft) -> Draft:
    """Return a draft whose first input picture is `init_image`, whichever field it was said in."""
    if draft.init_image is not None or not draft.more_images:
        return draft
    first, *others = draft.more_images
    return as_checked(changed(draft, init_image=first, more_images=tuple(others)), draft)


def _part(note: str) -> str | None:
    """Return what a remark of `not_used` names; None for any other."""
    if isinstance(note, Text):
        what = note.values["what"] if note.template == NOT_USED else None
        return what if isinstance(what, str) else None
    before = NOT_USED.partition("{")[0]
    return note.removeprefix(before) if note.startswith(before) else None
