"""Names of things an engine has: the one rule for what none of its names means.

A sampler, scheduler, model, LoRA, VAE, upscaler, style or ControlNet whose list is known and holds nothing that could
be meant is refused, with the nearest names: another engine may have it. An engine without such a choice at all ignores
the name and says so; a sampler that a relative stands in for is a note.
"""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from texts.text import _

MAX_NEAR: Final = 3
MAX_COMPARED: Final = 1_000  # of a list; comparing is slow, and this runs between others' requests
SHOWN_CHARS: Final = 60
# Words for what the engine would take by itself.
OWN_CHOICE: Final = frozenset({"auto", "automatic", "default"})


# What kind of thing is asked for by which name, the names there are (None: not known), and how they are matched.
Asked = tuple[str, str | None, tuple[str, ...] | None, Callable[[str, tuple[str, ...]], object]]


def refusals(asked: Iterable[Asked]) -> Iterator[str]:
    """Yield a reason for each name that a list which is known, and not empty, does not hold."""
    for what, wanted, names, match in asked:
        if wanted and names and not is_own_choice(wanted) and match(wanted, names) is None:
            yield unknown(what, wanted, names)


def unknown(what: str, wanted: str, names: Iterable[str]) -> str:
    """Return why an engine refuses a name, as the end of a sentence about it."""
    near = nearest(wanted, names)
    tail = _(" (near: {near})", near=", ".join(_short(name) for name in near)) if near else ""
    return _("it has no {what} “{short}”{tail}", what=what, short=_short(wanted), tail=tail)


def nearest(wanted: str, names: Iterable[str]) -> list[str]:
    """Return up to three names that may have been meant: those that hold the word, then those spelled alike."""
    key = wanted.strip().casefold()
    folded: dict[str, str] = {}
    for name in names:
        folded.setdefault(name.casefold(), name)
    holding = [name for fold, name in folded.items() if len(key) >= 3 and (key in fold or fold in key)]
    if len(holding) >= MAX_NEAR:
        return holding[:MAX_NEAR]
    close = get_close_matches(key, [*folded][:MAX_COMPARED], n=MAX_NEAR, cutoff=0.5)
    return [*dict.fromkeys([*holding, *(folded[fold] for fold in close)])][:MAX_NEAR]


def is_own_choice(wanted: str) -> bool:
    return wanted.strip().casefold() in OWN_CHOICE


def _short(name: str) -> str:
    return name if len(name) <= SHOWN_CHARS else f"{name[: SHOWN_CHARS - 1]}…"
