"""Requests with several input pictures: which of them are drawn from, and what is said of the others.

A request has them in order: `init_image`, then `more_images`. Most engines draw from one; a workflow may take several.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from generation.foreign import clean_line
from generation.request import Draft, GenerationRequest, SourceImage

MAX_INPUT_PICTURES: Final = 10  # as many as a message in Discord holds
ONE_IS_USED: Final = "one picture is drawn from"
NOT_USED: Final = "not used: "
MOST_NAMED: Final = 4
NAME_CHARS: Final = 40


def fit_pictures(request: GenerationRequest, most: int, say: Callable[[str], None]) -> GenerationRequest:
    """Keep as many input pictures as can be drawn from; the others are said to be left out."""
    kept, left = request.more_images[: most - 1], request.more_images[most - 1 :]
    if left:
        say(left_out(left, most))
    return replace(request, more_images=kept)


def left_out(pictures: Sequence[SourceImage], most: int = 1) -> str:
    """Return a remark on pictures beyond the `most` that are drawn from."""
    why = ONE_IS_USED if most == 1 else f"{most} pictures are drawn from"
    names = [picture.name for picture in pictures]
    return f"{NOT_USED}{named(names)} ({why})" if all(names) else f"{len(names)} more pictures ignored: {why}"


def named(names: Sequence[str]) -> str:
    """Return names of files for a remark: the first few, and how many more there are."""
    shown = [clean_line(name, NAME_CHARS) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def joined(notes: Sequence[str]) -> tuple[str, ...]:
    """Return remarks with all that say of something that it is not used in one."""
    unused = [note.removeprefix(NOT_USED) for note in notes if note.startswith(NOT_USED)]
    first = next((note for note in notes if note.startswith(NOT_USED)), "")
    line = NOT_USED + ", ".join(dict.fromkeys(unused))
    return tuple(line if note == first else note for note in notes if note == first or not note.startswith(NOT_USED))


def in_order(draft: Draft) -> Draft:
    """Return a draft whose first input picture is `init_image`, whichever field it was said in."""
    if draft.init_image is not None or not draft.more_images:
        return draft
    first, *others = draft.more_images
    return replace(draft, init_image=first, more_images=tuple(others))
